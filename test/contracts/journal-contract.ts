import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import type { KeyRecord, UserRecord } from "../../src/rotation/record.ts";
import { instant, minutes, plus } from "../../src/rotation/time.ts";
import type { Instant } from "../../src/rotation/time.ts";
import type { Journal, Lease } from "../../src/rotation/world.ts";
import { DEPLOY, OWNER, failureOf } from "./setup.ts";
import type { MakeSetup, WorldSetup } from "./setup.ts";

const NOW: Instant = instant(Date.UTC(2026, 10, 21));

const KEY: KeyRecord = {
  firstSeenAt: NOW,
  promotedAt: null,
  adoptedAt: null,
  latestUse: { at: NOW, service: "lambda", region: null, detail: null },
  latestRead: null,
  handOverAt: null,
  probes: [{ from: NOW, to: null }],
  deactivation: null,
  inactiveSince: null,
  reactivatedAt: null,
  isReactivatedByUs: false,
  releasedAt: null,
  missingSince: null,
};

const RECORD: UserRecord = {
  v: 1,
  user: DEPLOY,
  account: OWNER.account,
  userId: OWNER.userId,
  since: NOW,
  intent: { at: NOW, before: [accessKeyId("AKIABEFORE")], created: null },
  orphans: { count: 0, lastAt: instant(0) },
  deliveries: [
    {
      destination: "cloudflare-worker:api",
      slots: [],
      keyId: accessKeyId("AKIADELIVERED"),
      attemptedAt: NOW,
      deliveredAt: null,
      confirmedAt: null,
      receipt: { version: "v2", anchor: null },
    },
  ],
  backOffs: [],
  keys: Object.fromEntries([["AKIADELIVERED", KEY]]),
  notices: {},
};

const leaseOf = (holder: string, forMs: number): Lease => ({
  user: DEPLOY,
  holder,
  until: plus(NOW, forMs),
});

/** What `Journal` promises. */
export function journalContract(makeSetup: MakeSetup): void {
  let setup: WorldSetup;
  let journal: Journal;
  beforeEach(async () => {
    setup = await makeSetup();
    journal = setup.world.journal;
  });
  afterEach(async () => setup.close());

  describe("journal", () => {
    test("has nothing of a user it never met", async () => {
      expect(await journal.read(DEPLOY)).toMatchObject({ record: null, number: 0, lease: null });
    });

    test("gives back what was written, whole, and grows by one", async () => {
      const lease = leaseOf("me", minutes(5));
      const first = await journal.write(await journal.read(DEPLOY), {
        record: RECORD,
        lease,
        now: NOW,
      });
      expect(first).toMatchObject({ record: RECORD, number: 1, lease });
      expect(await journal.read(DEPLOY)).toMatchObject({ record: RECORD, number: 1, lease });
      const second = await journal.write(first, { record: RECORD, lease: null, now: NOW });
      expect(second.number).toBe(2);
      expect((await journal.read(DEPLOY)).lease).toBeNull();
    });

    test("says Conflict to a write upon an older revision, and keeps the newer", async () => {
      const empty = await journal.read(DEPLOY);
      await journal.write(empty, { record: RECORD, lease: null, now: NOW });
      const late = { ...RECORD, since: plus(NOW, 1) };
      expect(await failureOf(journal.write(empty, { record: late, lease: null, now: NOW }))).toBe("Conflict");
      expect((await journal.read(DEPLOY)).record).toEqual(RECORD);
    });

    test("says Conflict while another holder's lease runs, and no longer once it is over", async () => {
      const until = minutes(5);
      await journal.write(await journal.read(DEPLOY), {
        record: RECORD,
        lease: leaseOf("first", until),
        now: NOW,
      });
      const seen = await journal.read(DEPLOY);
      const lease = leaseOf("second", 2 * until);
      expect(await failureOf(journal.write(seen, { record: RECORD, lease, now: plus(NOW, until - 1) }))).toBe(
        "Conflict",
      );
      const taken = await journal.write(seen, { record: RECORD, lease, now: plus(NOW, until) });
      expect(taken.lease).toEqual(lease);
    });

    test("lets the holder renew its own lease", async () => {
      const held = await journal.write(await journal.read(DEPLOY), {
        record: RECORD,
        lease: leaseOf("me", minutes(5)),
        now: NOW,
      });
      const renewed = await journal.write(held, {
        record: RECORD,
        lease: leaseOf("me", minutes(9)),
        now: NOW,
      });
      expect(renewed.lease?.until).toBe(plus(NOW, minutes(9)));
    });

    test("lets only one of two who write at once go on", async () => {
      const empty = await journal.read(DEPLOY);
      const results = await Promise.allSettled(
        ["one", "two"].map(async (holder) =>
          journal.write(empty, { record: RECORD, lease: leaseOf(holder, 1_000), now: NOW }),
        ),
      );
      expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    });

    test("says Misconfigured for a record of a version it does not know", async () => {
      const future = { ...RECORD, v: 2 } as unknown as UserRecord;
      const write = journal.write(await journal.read(DEPLOY), {
        record: future,
        lease: null,
        now: NOW,
      });
      // Whether it is refused on the way in or out, it is never taken for one of ours.
      await write.catch(() => null);
      const read = await journal.read(DEPLOY).then(
        ({ record }) => record,
        (thrown: unknown) => thrown,
      );
      expect(read === null || (read as { code?: string }).code === "Misconfigured").toBe(true);
    });

    test("keeps each user's history apart, in the order of time", async () => {
      const entry = (user: string, at: number, what: string) => ({
        at: plus(NOW, at),
        user: userName(user),
        what,
        keyId: accessKeyId("AKIAEXAMPLE"),
        details: { rule: "retire", numbers: [1, 2], nested: { reason: "OldKeyQuiet" } },
      });
      const first = entry("deploy", 1, "deactivate");
      const second = entry("deploy", 2, "delete");
      await journal.append(first);
      await journal.append(entry("other", 1, "deactivate"));
      await journal.append(second);
      expect(await journal.history(DEPLOY)).toEqual([first, second]);
    });

    test("keeps both of two entries of one instant", async () => {
      const entry = { at: NOW, user: DEPLOY, what: "deactivate", keyId: null, details: {} };
      await journal.append(entry);
      await journal.append({ ...entry, what: "delete" });
      const history = await journal.history(DEPLOY);
      expect(history.map(({ what }) => what).toSorted()).toEqual(["deactivate", "delete"]);
    });

    test("is paused until it is set running, and remembers who was left", async () => {
      expect(await journal.sweepState()).toEqual({ runningSince: null, left: [] });
      await journal.setRunning(NOW);
      await journal.setLeft([DEPLOY, userName("other")]);
      expect(await journal.sweepState()).toEqual({
        runningSince: NOW,
        left: [DEPLOY, userName("other")],
      });
      await journal.setRunning(null);
      await journal.setLeft([]);
      expect(await journal.sweepState()).toEqual({ runningSince: null, left: [] });
    });
  });
}
