import { describe, expect, test } from "vitest";
import { audit } from "../../src/ask/audit.ts";
import { examine } from "../../src/ask/examine.ts";
import { history } from "../../src/ask/history.ts";
import { status } from "../../src/ask/status.ts";
import { userName } from "../../src/rotation/keys.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { days, hours } from "../../src/rotation/time.ts";
import { sweep } from "../../src/sweep.ts";
import type { Installation } from "../world/installation.ts";
import { aSystem, DEPLOY, handMade, ofKey, person } from "../world/system.ts";

interface Answer {
  readonly done: string;
  readonly total: number;
  readonly next: string | null;
  readonly users: readonly {
    readonly user: string;
    readonly phase: string;
    readonly because: string;
    readonly next: { readonly step: string; readonly at: string | null };
    readonly keys: readonly Readonly<Record<string, unknown>>[];
    readonly error: string | null;
  }[];
  readonly checks: readonly { readonly check: string; readonly verdict: string; readonly said: string }[];
}

const serving = (here: Installation) => ({ profiles: here.profiles, enrolmentTag: "keyturn" });
const statusOf = async (here: Installation, from?: string): Promise<Answer> =>
  (await status(here.run(), { ...serving(here), from: from === undefined ? undefined : userName(from) })) as Answer;
const auditOf = async (here: Installation, from?: string): Promise<Answer> =>
  (await audit(here.run(), { ...serving(here), from: from === undefined ? undefined : userName(from) })) as Answer;

/** All pages of an answer, and how many there were. */
async function allPages(ask: (from?: string) => Promise<Answer>) {
  const pages = [await ask()];
  for (let { next } = pages[0] as Answer; next !== null;) {
    const page = await ask(next);
    pages.push(page);
    ({ next } = page);
  }
  return { pages: pages.length, names: pages.flatMap(({ users }) => users.map(({ user }) => user)) };
}

describe("status", () => {
  test("tells each phase of a rotation, and the step that ends it", async () => {
    const { here, first, work } = await aSystem({ ageMs: days(20) });
    const seen: string[] = [];
    const note = async (): Promise<void> => {
      const [line] = (await statusOf(here)).users;
      const told = `${line?.phase ?? ""}: ${line?.next.step ?? ""}`;
      if (seen.at(-1) !== told) seen.push(told);
    };
    await note();
    for (let day = 0; day < 80 && ofKey(here, first.keyId) !== "gone"; day += 1) {
      await note();
      await here.pass(days(1), work);
    }
    await note();
    expect(seen).toEqual([
      "at rest: create-replacement",
      "waiting: deactivate",
      "soaking: delete",
      "at rest: create-replacement",
    ]);
  });

  test("tells a key that is due, and a replacement that cannot be delivered", async () => {
    const { here, worker } = await aSystem();
    const phaseNow = async () => (await statusOf(here)).users[0];
    expect(await phaseNow()).toMatchObject({ phase: "due", next: { step: "create-replacement" } });
    const [name = ""] = Object.keys(here.destinations);
    const deliver = () => Promise.reject(new RotationError("Unreachable", "delivering to worker api, no answer"));
    here.destinations = { [name]: [{ ...worker, deliver }] };
    await here.sweep();
    here.clock.advance(hours(1));
    expect(await phaseNow()).toMatchObject({ phase: "replacing", since: expect.any(String) });
  });

  test("names what is in the way of an old key that somebody still signs with, and no ordinary wait", async () => {
    const { here, first, work } = await aSystem();
    await here.pass(days(1), work);
    expect((await statusOf(here)).users[0]).toMatchObject({ phase: "waiting", isBlocked: false });
    const laggard = (): void => {
      work();
      here.cloud.callAs(first, { service: "lambda", operation: "Invoke" });
    };
    await here.pass(days(12), laggard);
    const [line] = (await statusOf(here)).users;
    expect(line).toMatchObject({ phase: "waiting", isBlocked: true });
    expect(line?.because).toContain(first.keyId);
  });

  test("of a user at rest costs no call of its own, and tells when it is due", async () => {
    const { here } = await aSystem({ ageMs: days(20) });
    await here.sweep();
    here.clock.advance(hours(1));
    here.cloud.counts.clear();
    const [line] = (await statusOf(here)).users;
    expect(Object.keys(Object.fromEntries(here.cloud.counts)).toSorted()).toEqual([
      "iam.GenerateCredentialReport",
      "iam.GetAccountAuthorizationDetails",
      "iam.GetCredentialReport",
      "sts.GetCallerIdentity",
    ]);
    const madeAt = here.cloud.iam.keysOf(DEPLOY)[0]?.createdAtMs ?? 0;
    expect(line).toMatchObject({ phase: "at rest", next: { at: new Date(madeAt + days(75)).toISOString() } });
  });

  test("says what an operator holds, and what could not be read", async () => {
    const { here } = await aSystem();
    person(here).tag("keyturn-hold", "freeze");
    expect((await statusOf(here)).users[0]).toMatchObject({
      phase: "held",
      because: "an operator holds the user: freeze",
    });
    here.bend = null;
    const world = here.run();
    const blind = { ...world, accessKeys: { ...world.accessKeys, list: () => Promise.reject(new Error("denied")) } };
    expect(((await status(blind, serving(here))) as Answer).users[0]).toMatchObject({ phase: "unreadable" });
  });

  test("of many in motion comes in pages, each user once", async () => {
    const { here } = await aSystem();
    const [profile] = Object.values(here.profiles);
    const names = Array.from({ length: 419 }, (_, index) => `user-${String(index)}`);
    for (const name of names) {
      here.cloud.iam.createUser({ name, tags: { keyturn: profile?.name ?? "" } });
      handMade(here, days(80), name);
    }
    const told = await allPages((from) => statusOf(here, from));
    expect(told.pages).toBe(3);
    expect(told.names).toEqual([...names, DEPLOY].toSorted());
  });

  test("of two thousand users at rest is far below the six megabytes of an answer", async () => {
    const { here } = await aSystem({ ageMs: days(20) });
    await here.sweep();
    const line = JSON.stringify((await statusOf(here)).users[0]);
    expect((line.length + 64) * 2_000).toBeLessThan(2_000_000);
  });
});

describe("history", () => {
  test("has the evidence of the deactivation, and goes on where the page before ended", async () => {
    const { here, first, work } = await aSystem();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(30), work);
    const user = userName(DEPLOY);
    const whole = (await history(here.run(), { user })) as { readonly lines: readonly object[]; readonly next: null };
    expect(whole.lines.at(-1)).toMatchObject({ what: "deactivating", keyId: first.keyId });
    expect(JSON.stringify(whole.lines.at(-1))).toContain("CloudTrail of");
    const rest = (await history(here.run(), { user, from: 2 })) as typeof whole;
    expect([rest.lines, rest.next]).toEqual([whole.lines.slice(2), null]);
  });

  test("of somebody unknown is refused", async () => {
    const { here } = await aSystem();
    await expect(history(here.run(), { user: userName("nobody") })).rejects.toThrow(
      "reading the history of nobody, nothing was ever done for a user of that name: see status",
    );
  });
});

describe("report", () => {
  test("tells the whole life of a key that is gone, with what its end rested on", async () => {
    const { here, first, work } = await aSystem();
    const [made] = here.cloud.iam.keysOf(DEPLOY);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(40), work);
    const [user] = (await auditOf(here)).users;
    const [current, gone] = [user?.keys[0], user?.keys.find(({ id }) => id === first.keyId)];
    expect(current).toMatchObject({ status: "active", deactivatedAt: null, promotedAt: expect.any(String) });
    expect(gone).toMatchObject({
      status: "deleted",
      createdAt: new Date(made?.createdAtMs ?? 0).toISOString(),
      deactivatedAt: expect.any(String),
      deletedAt: expect.any(String),
      evidence: [{ what: "deactivating" }, { what: "deleting" }],
    });
  });

  test("comes in pages of five hundred, and one user's failure is a line of its own", async () => {
    const { here } = await aSystem();
    const [profile] = Object.values(here.profiles);
    for (let index = 0; index < 500; index += 1) {
      here.cloud.iam.createUser({ name: `a-${String(index)}`, tags: { keyturn: profile?.name ?? "" } });
    }
    const told = await allPages((from) => auditOf(here, from));
    expect([told.pages, new Set(told.names).size]).toEqual([2, 501]);
    const world = here.run();
    const denied = { ...world, accessKeys: { ...world.accessKeys, list: () => Promise.reject(new Error("denied")) } };
    const failed = (await audit(denied, serving(here))) as Answer;
    expect(failed.users[0]).toMatchObject({ keys: [], error: "reporting a-0, denied" });
  });
});

describe("of five thousand users with the longest names and reasons", () => {
  /** Source: Lambda quotas, invocation payload (request and response, synchronous): 6 MB. */
  const ANSWER_BYTES_MAX = 6_000_000;
  const USERS = 5_000;
  async function aCrowd(): Promise<Installation> {
    const { here } = await aSystem();
    const [profile] = Object.values(here.profiles);
    for (let index = 0; index < USERS; index += 1) {
      const name = `user-${String(index)}`.padEnd(64, "x");
      const tags = { keyturn: profile?.name ?? "", "keyturn-hold": "\u754c".repeat(256) };
      here.cloud.iam.createUser({ name, tags });
      handMade(here, days(80), name);
    }
    return here;
  }
  const bytesOf = (answer: object): number => Buffer.byteLength(JSON.stringify(answer));

  test("every page of status and report is an answer that Lambda gives, and each user is told once", async () => {
    const here = await aCrowd();
    for (const ask of [statusOf, auditOf]) {
      const sizes: number[] = [];
      const told = await allPages(async (from) => {
        const page = await ask(here, from);
        sizes.push(bytesOf(page));
        return page;
      });
      expect(Math.max(...sizes)).toBeLessThan(ANSWER_BYTES_MAX);
      expect([told.names.length, new Set(told.names).size]).toEqual([USERS + 1, USERS + 1]);
    }
  }, 120_000);

  test("a plan of all of them is an answer that Lambda gives", async () => {
    const here = await aCrowd();
    const answer = await sweep(here.run(), { ...serving(here), mode: "plan" });
    expect(bytesOf(answer)).toBeLessThan(ANSWER_BYTES_MAX);
  }, 120_000);

  test("a sweep that has a long sentence for each of them answers what Lambda gives, and names the others", async () => {
    const here = await aCrowd();
    const world = here.run();
    const because = "\u754c".repeat(600);
    const list = () => Promise.reject(new RotationError("Unreachable", because));
    const unreadable = { ...world, accessKeys: { ...world.accessKeys, list } };
    const answer = await sweep(unreadable, { ...serving(here), mode: "act" });
    expect(bytesOf(answer)).toBeLessThan(ANSWER_BYTES_MAX);
    expect(answer.users.length).toBeGreaterThan(1_000);
    const named = [...answer.users.map(({ user }) => user), ...answer.untold];
    expect([named.length, new Set(named).size]).toEqual([USERS + 1, USERS + 1]);
  }, 120_000);

  test("a report of long texts is counted in bytes, and not in letters", async () => {
    const here = await aCrowd();
    const world = here.run();
    const list = () => Promise.reject(new RotationError("Unreachable", "\u754c".repeat(4_000)));
    const failing = { ...world, accessKeys: { ...world.accessKeys, list } };
    expect(bytesOf((await audit(failing, serving(here))) as Answer)).toBeLessThan(ANSWER_BYTES_MAX);
  }, 120_000);
});

describe("doctor", () => {
  const examined = async (here: Installation, change: object = {}): Promise<Record<string, string>> => {
    const answer = (await examine({ ...here.run(), ...change }, serving(here))) as Answer;
    return Object.fromEntries(answer.checks.map(({ check, verdict }) => [check, verdict]));
  };

  test("finds an installation in order, and changes nothing", async () => {
    const { here } = await aSystem();
    await here.sweep();
    here.cloud.counts.clear();
    expect(new Set(Object.values(await examined(here)))).toEqual(new Set(["ok"]));
    const writes = /\.(Create|Put|Update|Delete|Tag|Untag)/;
    expect([...here.cloud.counts.keys()].filter((name) => writes.test(name))).toEqual([]);
  });

  test("names what is not in order, and what could not be told", async () => {
    const { here, worker } = await aSystem();
    await here.sweep();
    await here.journal.setRunning(null);
    person(here).tag("keyturn-hold", "freeze");
    const denied = { kind: "error-before", code: "AccessDeniedException", status: 403, times: "forever" } as const;
    here.cloud.faults.add({ service: "cloudtrail", operation: "LookupEvents", ...denied });
    here.cloud.faults.add({ service: "secretsmanager", operation: "ListSecrets", ...denied });
    const [name = ""] = Object.keys(here.destinations);
    const blocked = { kind: "blocked", because: "its newest version is not live" } as const;
    here.destinations = { [name]: [{ ...worker, preflight: () => Promise.resolve(blocked) }] };
    expect(await examined(here)).toEqual({
      sweeps: "not ok",
      users: "not ok",
      custody: "not ok",
      CloudTrail: "could not tell",
      "credential report": "ok",
      [`${name}: ${worker.name}`]: "not ok",
    });
  });
});
