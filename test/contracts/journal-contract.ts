import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import type { KeyRecord, UserRecord } from "../../src/rotation/record.ts";
import { instant, minutes, plus } from "../../src/rotation/time.ts";
import type { Instant } from "../../src/rotation/time.ts";
import type { HistoryEntry, Journal, Lease } from "../../src/rotation/world.ts";
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
  rest: null,
};

const entry = (user: string, at: number, what: string): HistoryEntry => ({
  at: plus(NOW, at),
  user: userName(user),
  what,
  keyId: accessKeyId("AKIAEXAMPLE"),
  details: { rule: "retire", numbers: [1, 2], nested: { reason: "OldKeyQuiet" } },
});

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
        history: [],
      });
      expect(first).toMatchObject({ record: RECORD, number: 1, lease });
      expect(await journal.read(DEPLOY)).toMatchObject({ record: RECORD, number: 1, lease });
      const second = await journal.write(first, { record: RECORD, lease: null, now: NOW, history: [] });
      expect(second.number).toBe(2);
      expect((await journal.read(DEPLOY)).lease).toBeNull();
    });

    test("says Conflict to a write upon an older revision, and keeps the newer", async () => {
      const empty = await journal.read(DEPLOY);
      await journal.write(empty, { record: RECORD, lease: null, now: NOW, history: [] });
      const late = { ...RECORD, since: plus(NOW, 1) };
      expect(await failureOf(journal.write(empty, { record: late, lease: null, now: NOW, history: [] }))).toBe(
        "Conflict",
      );
      expect((await journal.read(DEPLOY)).record).toEqual(RECORD);
    });

    test("says Conflict while another holder's lease runs, and no longer once it is over", async () => {
      const until = minutes(5);
      await journal.write(await journal.read(DEPLOY), {
        record: RECORD,
        lease: leaseOf("first", until),
        now: NOW,
        history: [],
      });
      const seen = await journal.read(DEPLOY);
      const lease = leaseOf("second", 2 * until);
      expect(
        await failureOf(journal.write(seen, { record: RECORD, lease, now: plus(NOW, until - 1), history: [] })),
      ).toBe("Conflict");
      const taken = await journal.write(seen, { record: RECORD, lease, now: plus(NOW, until), history: [] });
      expect(taken.lease).toEqual(lease);
    });

    test("lets the holder renew its own lease", async () => {
      const held = await journal.write(await journal.read(DEPLOY), {
        record: RECORD,
        lease: leaseOf("me", minutes(5)),
        now: NOW,
        history: [],
      });
      const renewed = await journal.write(held, {
        record: RECORD,
        lease: leaseOf("me", minutes(9)),
        now: NOW,
        history: [],
      });
      expect(renewed.lease?.until).toBe(plus(NOW, minutes(9)));
    });

    test("lets only one of two who write at once go on", async () => {
      const empty = await journal.read(DEPLOY);
      const results = await Promise.allSettled(
        ["one", "two"].map(async (holder) =>
          journal.write(empty, { record: RECORD, lease: leaseOf(holder, 1_000), now: NOW, history: [] }),
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
        history: [],
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
      const first = entry("deploy", 1, "deactivate");
      const second = entry("deploy", 2, "delete");
      const other = userName("other");
      const written = await journal.write(await journal.read(DEPLOY), {
        record: RECORD,
        lease: null,
        now: NOW,
        history: [first],
      });
      await journal.write(await journal.read(other), {
        record: { ...RECORD, user: other },
        lease: null,
        now: NOW,
        history: [entry("other", 1, "deactivate")],
      });
      await journal.write(written, { record: RECORD, lease: null, now: NOW, history: [second] });
      expect(await journal.history(DEPLOY)).toEqual([first, second]);
      expect((await journal.read(DEPLOY)).number).toBe(2);
    });

    test("keeps all of several entries of one instant", async () => {
      const history = ["deactivate", "delete", "notice"].map((what) => entry("deploy", 0, what));
      await journal.write(await journal.read(DEPLOY), { record: RECORD, lease: null, now: NOW, history });
      const kept = await journal.history(DEPLOY);
      expect(kept.map(({ what }) => what).toSorted()).toEqual(["deactivate", "delete", "notice"]);
    });

    test("writes no line of a record that it says Conflict to", async () => {
      const empty = await journal.read(DEPLOY);
      const held = { record: RECORD, lease: leaseOf("first", minutes(5)), now: NOW };
      const written = await journal.write(empty, { ...held, history: [entry("deploy", 1, "first")] });
      const late = { ...held, lease: leaseOf("second", minutes(9)), history: [entry("deploy", 2, "late")] };
      expect(await failureOf(journal.write(empty, late))).toBe("Conflict");
      expect(await failureOf(journal.write({ ...written, lease: null }, late))).toBe("Conflict");
      expect((await journal.history(DEPLOY)).map(({ what }) => what)).toEqual(["first"]);
      expect(await journal.read(DEPLOY)).toMatchObject({ number: 1, lease: held.lease });
    });

    test("lets only one of two who write lines at once go on", async () => {
      const empty = await journal.read(DEPLOY);
      const results = await Promise.allSettled(
        ["one", "two"].map(async (what) =>
          journal.write(empty, { record: RECORD, lease: null, now: NOW, history: [entry("deploy", 1, what)] }),
        ),
      );
      expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      expect(await journal.history(DEPLOY)).toHaveLength(1);
    });

    test("gives a record of before there was rest none, and keeps a rest", async () => {
      const { rest: _, ...old } = RECORD;
      const write = { lease: null, now: NOW, history: [] };
      const first = await journal.write(await journal.read(DEPLOY), { ...write, record: old as UserRecord });
      expect((await journal.read(DEPLOY)).record).toEqual(RECORD);
      const rest = { until: plus(NOW, minutes(5)), seal: "abc" };
      await journal.write(first, { ...write, record: { ...RECORD, rest } });
      expect((await journal.read(DEPLOY)).record?.rest).toEqual(rest);
    });

    test("reads the records of many users at once, each as by itself", async () => {
      const users = Array.from({ length: 230 }, (_, index) => userName(`user-${String(index)}`));
      const written = users.filter((_, index) => index % 2 === 0);
      for (const user of written) {
        const record = { ...RECORD, user };
        await journal.write(await journal.read(user), { record, lease: leaseOf("me", 9), now: NOW, history: [] });
      }
      const read = await journal.readMany([...users, ...users.slice(0, 3)]);
      expect(read.size).toBe(230);
      for (const user of users.slice(0, 4)) expect(read.get(user)).toEqual(await journal.read(user));
      expect([...read.values()].filter(({ record }) => record === null)).toHaveLength(115);
      expect(await journal.readMany([])).toEqual(new Map());
    });

    test("leaves out of many a record that it cannot read by itself", async () => {
      const future = { ...RECORD, v: 2 } as unknown as UserRecord;
      const write = journal.write(await journal.read(DEPLOY), { record: future, lease: null, now: NOW, history: [] });
      await write.catch(() => null);
      const other = userName("other");
      const read = await journal.readMany([DEPLOY, other]);
      expect([...read]).toEqual([[other, { record: null, number: 0, lease: null }]]);
    });

    test("is paused until it is set running, which what a sweep leaves to the next does not touch", async () => {
      const none = { runningSince: null, pause: null, left: [], awake: null, custodyListedAt: null, calls: 0 };
      expect(await journal.sweepState()).toEqual(none);
      await journal.setRunning(NOW);
      expect(await journal.sweepState()).toEqual({ ...none, runningSince: NOW });
      const memory = { left: [DEPLOY, userName("other")], awake: [DEPLOY], custodyListedAt: plus(NOW, 1) };
      await journal.setMemory(memory, { read: 0, now: 0 });
      expect(await journal.sweepState()).toEqual({ runningSince: NOW, pause: null, ...memory, calls: 0 });
      await journal.setRunning(null);
      await journal.setMemory({ left: [], awake: [], custodyListedAt: null }, { read: 0, now: 0 });
      expect(await journal.sweepState()).toEqual({ ...none, awake: [] });
      await journal.setMemory({ left: [], awake: null, custodyListedAt: null }, { read: 0, now: 0 });
      expect(await journal.sweepState()).toEqual(none);
    });

    test("keeps what a sweep leaves to the next where somebody has called it to a user since that was read", async () => {
      const memory = { left: [], awake: [DEPLOY], custodyListedAt: NOW };
      await journal.setMemory(memory, { read: 0, now: 0 });
      await journal.setMemory({ ...memory, left: [DEPLOY] }, { read: 0, now: 1 });
      const write = journal.setMemory({ ...memory, awake: [] }, { read: 0, now: 0 });
      expect(await failureOf(write)).toBe("Conflict");
      expect(await journal.sweepState()).toMatchObject({ left: [DEPLOY], awake: [DEPLOY], calls: 1 });
      await journal.setMemory(memory, { read: 1, now: 1 });
      expect(await journal.sweepState()).toMatchObject({ left: [], calls: 1 });
    });

    test("is paused with what is known of the pause, until it is set running", async () => {
      const pause = { since: NOW, reason: "a freeze", toldAt: null };
      await journal.setRunning(NOW);
      await journal.setPause(pause);
      expect(await journal.sweepState()).toMatchObject({ runningSince: null, pause });
      await journal.notePause({ ...pause, reason: null, toldAt: plus(NOW, 1) });
      expect(await journal.sweepState()).toMatchObject({ pause: { since: NOW, reason: null, toldAt: plus(NOW, 1) } });
      await journal.setRunning(plus(NOW, 2));
      await journal.notePause(pause);
      expect(await journal.sweepState()).toMatchObject({ runningSince: plus(NOW, 2), pause: null });
    });
  });
}
