import { describe, expect, test } from "vitest";
import { createCloudflareWorker } from "../../src/destinations/cloudflare-worker.ts";
import { forget } from "../../src/act/operator/release.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { userName } from "../../src/rotation/keys.ts";
import { days, hours } from "../../src/rotation/time.ts";
import {
  ACCOUNT,
  clientFor,
  COUNTING,
  healthOf,
  ID,
  QUICK,
  SECRET,
  TOKEN,
  WORKER,
  WORKER_OPTIONS,
} from "../destinations/worker-under-test.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import { Cloudflare } from "../world/cloudflare.ts";
import { ALL_ACTIVE, leak, listingAfterACut, revoke } from "../world/leak.ts";
import { say } from "../world/operator.ts";
import { aCaller, aSystem, custodyOf, DEPLOY, doneIn, lastOf, ofKey, person, toldOf } from "../world/system.ts";

/** One user, and its Worker with a health route. AWS refuses what IAM does not list as Active, and what is named. */
async function aHealthySystem() {
  const { here, first } = await aSystem();
  const cloudflare = new Cloudflare(here.clock);
  cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: [WORKER], status: "active" });
  cloudflare.deploy(ACCOUNT, WORKER, { secrets: { [ID]: first.keyId, [SECRET]: first.secret } });
  const state = {
    isSilent: false,
    lastSignedAt: null as number | null,
    isRefusing: (id: string): boolean => id === "none",
  };
  const idsOfUser = (): string[] =>
    [...here.cloud.iam.keys.values()].filter(({ caller }) => caller.name === DEPLOY).map(({ id }) => id);
  const worker = createCloudflareWorker(WORKER_OPTIONS, {
    cloudflare: clientFor("http://cloudflare.invalid/client/v4", { fetch: cloudflareFetch(cloudflare) }),
    clock: QUICK,
    random: COUNTING,
    ask: (asked) => {
      const refused = idsOfUser().filter((id) => state.isRefusing(id) || ofKey(here, id) !== "Active");
      if (state.isSilent) return Promise.reject(new RotationError("Unreachable", "asking the health route, no answer"));
      return healthOf(cloudflare, refused, state.lastSignedAt)(asked);
    },
  });
  here.destinations = { ci: [worker] };
  const live = () => cloudflare.live(ACCOUNT, WORKER)[0];
  const pair = () => ({ keyId: live()?.secrets[ID] ?? "", secret: live()?.secrets[SECRET] ?? "" });
  const calls = aCaller(here, pair);
  return { here, first, state, cloudflare, pair, calls, work: () => void calls.work() };
}

describe("a Worker with a health route", () => {
  test("is rotated twice through 0 %, and never fails", async () => {
    const { here, first, cloudflare, calls, work } = await aHealthySystem();
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    const second = custodyOf(here) ?? "";
    await here.passUntil(() => ofKey(here, second) === "gone", days(95), work);
    expect(calls.failures()).toEqual([]);
    expect(cloudflare.versions(ACCOUNT, WORKER)).toHaveLength(3);
    expect(toldOf(here)).not.toContain("StepFailed");
  });

  test("whose new pair is refused has the old one put forward from custody, and the new one when it is mended", async () => {
    const { here, first, state, pair, calls, work } = await aHealthySystem();
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    const second = custodyOf(here) ?? "";
    state.isRefusing = (id) => id !== second;
    await here.passUntil(() => toldOf(here).includes("StepFailed"), days(80), work);
    expect(here.notices.find(({ code }) => code === "StepFailed")?.text).toMatch(/old pair is put forward/);
    expect([pair().keyId, custodyOf(here)]).toEqual([second, second]);
    state.isRefusing = () => false;
    await here.passUntil(() => custodyOf(here) !== second, hours(8), work);
    expect(pair().keyId).toBe(custodyOf(here));
    expect(calls.failures()).toEqual([]);
  });

  test("that is silent keeps the old key, and loses it when it is well", async () => {
    const { here, first, state, work } = await aHealthySystem();
    await here.sweep();
    state.isSilent = true;
    const results = await here.pass(days(14), work);
    expect(lastOf(results.at(-1))).toBe("retire hold UseUnknown held");
    expect(ofKey(here, first.keyId)).toBe("Active");
    state.isSilent = false;
    const [next] = await here.pass(hours(1), work);
    expect(doneIn(next)).toEqual(["deactivate"]);
  });

  test("that is not well after the switch gets the old key back within the hour, urgently told, and once", async () => {
    const { here, first, state, work } = await aHealthySystem();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
    state.isRefusing = (id) => id !== first.keyId;
    const [next] = await here.pass(hours(1), work);
    expect(doneIn(next)).toEqual(["reactivate"]);
    expect(ofKey(here, first.keyId)).toBe("Active");
    const told = here.notices.filter(({ severity }) => severity === "urgent").map(({ code }) => code);
    expect(told).toContain("KeyReactivated");
    // It stays, whatever the route says, until somebody releases it.
    const later = await here.pass(days(3), work);
    expect(lastOf(later.at(-1))).toBe("retire hold NeedsRelease held");
  });

  test.for([
    ["after the promotion lets the old key go", hours(1), "delete hold Soaking held"],
    ["before the promotion lets nothing go", -hours(1), "retire hold NotAdopted held"],
    ["in the future lets nothing go", days(40), "retire hold NotAdopted held"],
  ] as const)("whose own word that it signed with the new key %s", async ([, afterMs, last]) => {
    const { here, state } = await aHealthySystem();
    await here.sweep();
    state.lastSignedAt = here.clock.now() + afterMs;
    const results = await here.pass(days(11));
    expect(lastOf(results.at(-1))).toBe(last);
  });

  test("N21: that is silent at the end of the soak has the old key undeleted until it is well", async () => {
    const { here, first, state, work } = await aHealthySystem();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
    state.isSilent = true;
    const results = await here.pass(days(10), work);
    expect(lastOf(results.at(-1))).toBe("delete hold UseUnknown held");
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    state.isSilent = false;
    const [next] = await here.pass(hours(1), work);
    expect(doneIn(next)).toEqual(["delete"]);
  });

  test("that is not well with the pair that it has begins no rotation", async () => {
    const { here, state, work } = await aHealthySystem();
    state.isRefusing = () => true;
    const results = await here.pass(hours(3), work);
    expect(lastOf(results.at(-1))).toBe("create create-replacement KeyDue blocked");
    expect(here.keysOf(DEPLOY)).toHaveLength(1);
    expect(toldOf(here)).toContain("DestinationBlocked");
  });

  test.for([
    ["while the old key falls silent", days(4), days(30), "retire hold ConsumerUnhealthy held"],
    ["between two rotations", days(30), days(80), "create hold ConsumerUnhealthy held"],
  ] as const)("B8: that was moved to another user %s keeps their pair, and it is told", async (row) => {
    const [, movedAfterMs, watchedForMs, last] = row;
    const { here, cloudflare, pair, work } = await aHealthySystem();
    await here.pass(movedAfterMs, work);
    const theirs = { keyId: "AKIATHEIRTHEIRTHEIR4", secret: "their-secret" };
    cloudflare.deploy(ACCOUNT, WORKER, { secrets: { [ID]: theirs.keyId, [SECRET]: theirs.secret } });
    const kept = here.keysOf(DEPLOY);
    const results = await here.pass(watchedForMs);
    expect(pair()).toEqual(theirs);
    expect(lastOf(results.at(-1))).toBe(last);
    expect(here.keysOf(DEPLOY)).toEqual(kept);
    expect(here.notices.some(({ text }) => /signs with a key that ends in EIR4/.test(text))).toBe(true);
  });

  test("B8: that was moved away keeps no key once it is out of the profile, and forgotten", async () => {
    const { here, first, cloudflare, work } = await aHealthySystem();
    await here.pass(days(4), work);
    cloudflare.deploy(ACCOUNT, WORKER, { secrets: { [ID]: "AKIATHEIRTHEIRTHEIR4", [SECRET]: "their-secret" } });
    await here.pass(days(14));
    const [worker] = here.destinations["ci"] ?? [];
    here.destinations = { ci: [] };
    const results = await here.pass(hours(2));
    expect(lastOf(results.at(-1))).toBe("retire hold FormerDestination held");
    await forget(here.run(), { user: userName(DEPLOY), destination: worker?.name ?? "", configured: [] });
    const [next] = await here.pass(hours(1));
    expect(doneIn(next)).toEqual(["deactivate"]);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
  });
});

describe("a Worker with a health route whose pair somebody took away", () => {
  const rotated = async () => {
    const system = await aHealthySystem();
    const { here, first, work } = system;
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    return { ...system, second: custodyOf(here) ?? "" };
  };

  test("N9: gets another by rotate, where its hand-made key was disabled", async () => {
    const { here, first, pair } = await aHealthySystem();
    person(here).setStatus(first.keyId, "Inactive");
    await here.pass(hours(2));
    await say(here, { command: "rotate" });
    expect(pair().keyId).toBe(custodyOf(here));
  });

  test.for(["disabled", "deleted"])("N9: gets another by rotate, where the current key was %s", async (how) => {
    const { here, second, pair, calls, work } = await rotated();
    if (how === "disabled") person(here).setStatus(second, "Inactive");
    else person(here).deleteKey(second);
    await here.pass(hours(2));
    await say(here, { command: "rotate" });
    expect(custodyOf(here)).not.toBe(second);
    expect(pair().keyId).toBe(custodyOf(here));
    const failed = calls.failures().length;
    await here.pass(days(12), work);
    expect(calls.failures()).toHaveLength(failed);
  });

  test("L8: gets another by revoke, where security had disabled the leaked one", async () => {
    const { here, second, pair } = await rotated();
    person(here).setStatus(second, "Inactive");
    await here.pass(hours(2));
    await revoke(here, second);
    expect(custodyOf(here)).not.toBe(second);
    expect(pair().keyId).toBe(custodyOf(here));
  });

  test.for([
    ["", null],
    [", though IAM lists it as Active still", ALL_ACTIVE],
  ] as const)("L4: gets another at once, where Keyturn cut the leaked one first%s", async ([, shown]) => {
    const { here, second, pair } = await rotated();
    if (shown !== null) here.bend = (world) => listingAfterACut(world, shown);
    // Its user reads custody, where whoever has the key could follow it.
    const [profile] = Object.values(here.profiles);
    if (profile === undefined) throw new Error("there is a profile");
    here.profiles = { [profile.name]: { ...profile, isPulled: true } };
    await leak(here, second);
    expect(ofKey(here, second)).toBe("Inactive");
    expect(pair().keyId).toBe(custodyOf(here));
  });

  test("B8: and gave it another user's keeps that one, whoever says rotate", async () => {
    const { here, second, cloudflare, pair } = await rotated();
    const theirs = { keyId: "AKIATHEIRTHEIRTHEIR4", secret: "their-secret" };
    cloudflare.deploy(ACCOUNT, WORKER, { secrets: { [ID]: theirs.keyId, [SECRET]: theirs.secret } });
    person(here).setStatus(second, "Inactive");
    await here.pass(hours(2));
    await say(here, { command: "rotate" });
    const results = await here.pass(hours(2));
    expect(lastOf(results.at(-1))).toBe("create hold ConsumerUnhealthy held");
    expect(pair()).toEqual(theirs);
  });
});
