import { describe, expect, test } from "vitest";
import { status } from "../../src/ask/status.ts";
import { createCloudflarePages } from "../../src/destinations/cloudflare-pages.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import type { Notifier, World } from "../../src/rotation/world.ts";
import { aPolicy } from "../builders.ts";
import { PAGES_OPTIONS, pagesAt, pairOnPages, PROJECT, simulatePages } from "../destinations/pages-under-test.ts";
import { ACCOUNT } from "../destinations/worker-under-test.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import { leak, revoke } from "../world/leak.ts";
import { say } from "../world/operator.ts";
import {
  aCaller,
  aSystem,
  custodyOf,
  DEPLOY,
  doneIn,
  lastOf,
  ofKey,
  person,
  promoted,
  toldOf,
} from "../world/system.ts";
import { denied } from "../world/faults.ts";

/** One user whose pair is on Pages, and the calls of its Function. */
async function onPages(isGit = true) {
  const { here, first } = await aSystem();
  const simulated = simulatePages({ isGit, clock: here.clock, pair: { id: first.keyId, secret: first.secret } });
  const client = pagesAt("http://cloudflare.invalid/client/v4", { fetch: cloudflareFetch(simulated.cloudflare) });
  here.destinations = { ci: [createCloudflarePages(PAGES_OPTIONS, client)] };
  const pair = () => ({ keyId: pairOnPages(simulated).id, secret: pairOnPages(simulated).secret });
  return { here, first, simulated, calls: aCaller(here, pair) };
}

describe("a leaked key of a project on Pages", () => {
  test("is replaced by one build, and cut once that is live, before the hour is over", async () => {
    const { here, first, simulated, calls } = await onPages();
    const result = await leak(here, first.keyId);
    expect(doneIn(result)).toEqual(["create-replacement", "prove", "deliver", "promote"]);
    here.clock.advance(minutes(20));
    calls.work();
    await here.sweep();
    calls.work();
    expect([ofKey(here, first.keyId), pairOnPages(simulated).id]).toEqual(["Inactive", custodyOf(here)]);
    expect(simulated.pages.project(ACCOUNT, PROJECT).deployments).toHaveLength(2);
    expect(calls.failures()).toEqual([]);
  });
});

describe("a leaked key of a project that only its own upload deploys", () => {
  test("is cut at once when it is revoked, and stored once", async () => {
    const { here, first } = await onPages(false);
    const result = await revoke(here, first.keyId);
    expect(doneIn(result)).toEqual(["create-replacement", "prove", "deliver", "promote", "deactivate"]);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
  });
});

describe("a rollback of a project on Pages", () => {
  test("says that the pair is stored, and not that it is everywhere", async () => {
    const { here, simulated, calls } = await onPages();
    const work = (): void => void calls.work();
    await here.passUntil(() => custodyOf(here) !== null, days(1), work);
    const second = custodyOf(here) ?? "";
    await here.passUntil(() => custodyOf(here) !== second, days(100), work);
    const { done } = await say(here, { command: "rollback" });
    expect(done).toContain(`${second} is current again, and stored at cloudflare-pages`);
    here.clock.advance(minutes(20));
    expect(pairOnPages(simulated).id).toBe(second);
  });
});

describe("a leaked key of a user that is held", () => {
  test("is told, and revoke named as what overrides the hold", async () => {
    const { here, second } = await promoted();
    person(here).tag("keyturn-hold", "a freeze");
    await here.pass(hours(3));
    await leak(here, second);
    const told = here.notices.filter(({ code }) => code === "KeyExposed");
    expect(told.map(({ severity }) => severity)).toEqual(["urgent"]);
    expect(told[0]?.text).toContain(second);
    expect(told[0]?.command).toContain("revoke");
  });
});

describe("a revoke that is done", () => {
  test("overrides no hold for another key that leaks later", async () => {
    const { here, first, second } = await promoted();
    await revoke(here, first.keyId);
    person(here).tag("keyturn-hold", "a freeze");
    await here.pass(hours(2));
    await leak(here, second);
    await here.pass(hours(3));
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["Inactive", "Active"]);
  });
});

describe("a leaked key of a user that no profile serves", () => {
  test("is told as one that people must turn, and not only that the tag is wrong", async () => {
    const { here, second } = await promoted();
    person(here).tag("keyturn", "no-such-profile");
    await leak(here, second);
    const told = here.notices.filter(({ code }) => code === "ExposedElsewhere");
    expect(told.map(({ user, severity, dedupeKey }) => [user, severity, dedupeKey])).toEqual([
      [DEPLOY, "urgent", `ExposedElsewhere:${second}`],
    ]);
  });
});

describe("a revoke that rule 3 holds", () => {
  test("says what is in the way, and not that nothing was left to do", async () => {
    const { here, second } = await promoted();
    person(here).tag("keyturn", "no-such-profile");
    const { done } = (await revoke(here, second)) as unknown as { readonly done: string };
    expect(ofKey(here, second)).toBe("Active");
    expect(done).toContain("no-such-profile");
  });
});

describe("a leak, beside what else is to be remembered and told,", () => {
  test("leaves what was told of the service", async () => {
    const { here, second } = await promoted();
    await here.sweep();
    const { told } = await here.journal.sweepState();
    expect(told).toBeDefined();
    await leak(here, second);
    expect((await here.journal.sweepState()).told).toEqual(told);
  });

  test("is told of a key of nobody's by one notifier, although another fails", async () => {
    const { here } = await promoted();
    const broken: Notifier = { name: "broken", notify: async () => Promise.reject(new Error("gone")) };
    here.bend = (world) => ({ ...world, notifiers: [broken, ...world.notifiers] });
    await leak(here, "AKIANOBODYNOBODYNOBO");
    expect(here.notices.at(-1)).toMatchObject({ code: "ExposedElsewhere", user: "AKIANOBODYNOBODYNOBO" });
  });

  test("cuts a key although whose another is cannot be asked, and fails so that the event comes again", async () => {
    const { here, first } = await promoted();
    here.bend = (world) => {
      const ownerOf: World["accessKeys"]["ownerOf"] = async (id) =>
        id === first.keyId
          ? world.accessKeys.ownerOf(id)
          : Promise.reject(new RotationError("Throttled", "asking, slow down"));
      return { ...world, accessKeys: { ...world.accessKeys, ownerOf } };
    };
    await expect(leak(here, "AKIANOBODYNOBODYNOBO", first.keyId)).rejects.toThrow("slow down");
    expect(ofKey(here, first.keyId)).toBe("Inactive");
  });

  test("names a key of nobody's also where the mark of ours was refused", async () => {
    const { here, second } = await promoted();
    here.cloud.faults.add(denied("secretsmanager", "TagResource"));
    await expect(leak(here, "AKIANOBODYNOBODYNOBO", second)).rejects.toThrow("tagging custody");
    expect(here.notices.at(-1)).toMatchObject({ code: "ExposedElsewhere", user: "AKIANOBODYNOBODYNOBO" });
  });
});

describe("a retire", () => {
  test("is void once the key was current again: its next replacement waits for proof", async () => {
    const { here, first, second, work } = await promoted();
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    await here.passUntil(() => custodyOf(here) !== second, days(80), work);
    await say(here, { command: "hold", reason: "a freeze" });
    await say(here, { command: "retire", key: second });
    await say(here, { command: "rollback", key: second });
    await say(here, { command: "release" });
    expect(custodyOf(here)).toBe(second);
    await here.passUntil(() => custodyOf(here) !== second, days(60), work);
    await here.pass(days(1), work);
    expect([ofKey(here, second), custodyOf(here) === second]).toEqual(["Active", false]);
  });
});

describe("a rotate", () => {
  test("said before somebody disabled the key is no word about that", async () => {
    const { here, first, work } = await aSystem({ ageMs: days(20) });
    await say(here, { command: "hold", reason: "a freeze" });
    await say(here, { command: "rotate" });
    await here.pass(hours(2), work);
    person(here).setStatus(first.keyId, "Inactive");
    await here.pass(hours(2));
    await say(here, { command: "release" });
    expect(lastOf((await here.pass(hours(2))).at(-1))).toBe("not-ours-to-touch hold CurrentKeyDisabled held");
    await say(here, { command: "rotate" });
    expect(custodyOf(here)).not.toBeNull();
  });
});

describe("what is asked of a user in an emergency", () => {
  test("is that its key is being replaced, although another is in its soak", async () => {
    const { here, first, work } = await promoted();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(20), work);
    const code = "ServiceFailureException";
    here.cloud.faults.add({
      service: "iam",
      operation: "DeleteAccessKey",
      kind: "error-before",
      code,
      times: "forever",
    });
    await leak(here, custodyOf(here) ?? "");
    const said = await status(here.run(), { profiles: here.profiles, enrolmentTag: "keyturn" });
    expect(said).toMatchObject({ users: [{ phase: "replacing", next: { step: "delete" } }] });
  });
});

describe("a window that is closed", () => {
  const opensOn = [true, false, false, false, false, false, false];
  const window = { text: "Mon 09:00-16:00 UTC", opensOn, from: 540, to: 960, timeZone: "UTC" };

  test("ends no notice of what is only seen while it is open", async () => {
    const system = await aSystem({ profile: { policy: aPolicy({ window, rotateAfterMs: days(60) }) } });
    const { here, worker, work } = system;
    worker.failing = "before";
    await here.pass(days(12), work);
    expect(toldOf(here)).toContain("StepFailed");
    expect(here.closed.filter(({ code }) => code === "StepFailed")).toEqual([]);
  });
  test("keeps a roll-back from being overruled while the older pair works", async () => {
    const { here, first, second, worker, work } = await promoted({
      profile: { policy: aPolicy({ window, rotateAfterMs: days(60) }) },
    });
    await here.pass(days(1), work);
    worker.rollBackTo("v1");
    await here.pass(days(2), work);
    expect([worker.pair().keyId, ofKey(here, first.keyId)]).toEqual([first.keyId, "Active"]);
    await here.passUntil(() => worker.pair().keyId === second, days(7), work);
    expect(new Date(here.clock.now()).toISOString()).toMatch(/^2026-01-12T(09|1[0-5])/);
  });
});
