import { expect, test } from "vitest";
import { createCloudflarePages } from "../../src/destinations/cloudflare-pages.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import type { Destination } from "../../src/rotation/world.ts";
import { PAGES_OPTIONS, pagesAt, pairOnPages, PROJECT, simulatePages } from "../destinations/pages-under-test.ts";
import { ACCOUNT, ID, SECRET } from "../destinations/worker-under-test.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import { aCaller, aSystem, custodyOf, lastOf, moveLabelBack, ofKey, toldOf } from "../world/system.ts";

/** One user, its Pages project, and the calls of its Function. Before each hour somebody may do something. */
async function aPagesSystem(isGit = true) {
  const { here, first } = await aSystem();
  const simulated = simulatePages({ isGit, clock: here.clock, pair: { id: first.keyId, secret: first.secret } });
  const client = pagesAt("http://cloudflare.invalid/client/v4", { fetch: cloudflareFetch(simulated.cloudflare) });
  here.destinations = { ci: [createCloudflarePages(PAGES_OPTIONS, client)] };
  const pair = () => {
    const { id, secret } = pairOnPages(simulated);
    return { keyId: id, secret };
  };
  const calls = aCaller(here, pair, "function");
  const commits = () => simulated.pages.project(ACCOUNT, PROJECT).deployments.map(({ commit }) => commit);
  return { here, first, calls, commits, pair, work: () => void calls.work(), ...simulated };
}

test("a project that is pushed to every day is built twice by us, and every push stays what it is", async () => {
  const { here, first, calls, commits, pages } = await aPagesSystem();
  let hour = 0;
  await here.passUntil(
    () => ofKey(here, first.keyId) === "gone",
    days(25),
    () => {
      hour += 1;
      // Each hour its own minute: pushes and sweeps meet in every way.
      if (hour % 23 === 0) pages.deploy(ACCOUNT, PROJECT, `push-${String(hour)}`);
      calls.work();
    },
  );
  expect(calls.failures()).toEqual([]);
  const pushed = commits().filter((commit, index, all) => all.indexOf(commit) === index);
  expect(commits().length - pushed.length).toBe(2);
  // What serves is what was pushed last.
  expect(pages.live(ACCOUNT, PROJECT)?.commit).toBe(pushed.at(-1));
});

test("a roll-back of the project is given the current pair, by a build of what was rolled back to", async () => {
  const { here, first, calls, commits, pages, pair, work } = await aPagesSystem();
  await here.passUntil(() => custodyOf(here) !== null, days(1), work);
  pages.deploy(ACCOUNT, PROJECT, "bad release");
  await here.pass(days(2), work);
  const [, ours] = pages.project(ACCOUNT, PROJECT).deployments;
  pages.rollBack(ACCOUNT, PROJECT, pages.project(ACCOUNT, PROJECT).deployments[0]?.id ?? "");
  expect(pair().keyId).toBe(first.keyId);
  await here.pass(days(1), work);
  expect([pair().keyId, pages.live(ACCOUNT, PROJECT)?.commit]).toEqual([custodyOf(here), ours?.commit]);
  expect(commits().at(-1)).toBe("commit-1");
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(25), work);
  expect(calls.failures()).toEqual([]);
});

test("a roll-back in the hour of our build, before any sweep saw it live, is told, and built again after six hours", async () => {
  const { here, first, calls, pages, pair, work } = await aPagesSystem();
  await here.sweep();
  here.clock.advance(minutes(30));
  expect(pair().keyId).not.toBe(first.keyId);
  pages.rollBack(ACCOUNT, PROJECT, pages.project(ACCOUNT, PROJECT).deployments[0]?.id ?? "");
  await here.pass(hours(2), work);
  expect([pair().keyId, custodyOf(here)]).toEqual([first.keyId, null]);
  expect(toldOf(here)).toContain("DestinationNotLive");
  await here.pass(hours(7), work);
  expect(pair().keyId).toBe(custodyOf(here));
  expect(calls.failures()).toEqual([]);
});

test("a CI that sends the old secrets again with its deployment keeps the old key, which is named as used", async () => {
  const { here, first, calls, pages, work } = await aPagesSystem(false);
  await here.sweep();
  pages.deploy(ACCOUNT, PROJECT, "first upload");
  await here.pass(days(1), work);
  expect(custodyOf(here)).not.toBeNull();
  const text = (value: string) => ({ type: "secret_text", value }) as const;
  const env_vars = { [ID]: text(first.keyId), [SECRET]: text(first.secret) };
  pages.change(pages.project(ACCOUNT, PROJECT), "production", { env_vars });
  pages.deploy(ACCOUNT, PROJECT, "second upload");
  const results = await here.pass(days(20), work);
  expect([ofKey(here, first.keyId), calls.failures()]).toEqual(["Active", []]);
  expect(lastOf(results.at(-1))).toBe("retire hold OldKeyStillUsed held");
  expect(toldOf(here)).toContain("OldKeyStillUsed");
});

test("an upload's project that is rolled back keeps the old key, and who must upload is told", async () => {
  const { here, first, calls, pages, pair, work } = await aPagesSystem(false);
  await here.sweep();
  pages.deploy(ACCOUNT, PROJECT, "first upload");
  await here.pass(days(2), work);
  pages.rollBack(ACCOUNT, PROJECT, pages.project(ACCOUNT, PROJECT).deployments[0]?.id ?? "");
  const toldBefore = here.notices.filter(({ code }) => code === "DestinationNotLive").length;
  const results = await here.pass(days(15), work);
  expect(lastOf(results.at(-1))).toBe("retire hold DestinationNotLive held");
  const told = here.notices.filter(({ code }) => code === "DestinationNotLive").slice(toldBefore);
  expect(told.map(({ text }) => text)).toContainEqual(expect.stringContaining("wrangler pages deploy"));
  expect(ofKey(here, first.keyId)).toBe("Active");
  pages.deploy(ACCOUNT, PROJECT, "second upload");
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(25), work);
  expect([pair().keyId, calls.failures()]).toEqual([custodyOf(here), []]);
});

test("an upload's project that had the pair before, and is given it again by a run that dies, waits for its upload again", async () => {
  const { here, calls, pages, pair, work } = await aPagesSystem(false);
  let hour = 0;
  const upload = () => {
    hour += 1;
    if (hour % 5 === 0) pages.deploy(ACCOUNT, PROJECT, "an upload");
    work();
  };
  await here.passUntil(() => custodyOf(here) !== null, days(2), upload);
  const first = custodyOf(here);
  await here.passUntil(() => custodyOf(here) !== first, days(110), upload);
  const second = custodyOf(here);
  await here.pass(days(1), upload);
  // Whose pair is stored, and not uploaded before the one of before is current again.
  here.clock.advance(minutes(10));
  const older = pages.project(ACCOUNT, PROJECT).deployments.findLast(({ secrets }) => secrets[ID] === first);
  pages.rollBack(ACCOUNT, PROJECT, older?.id ?? "");
  await here.pass(hours(12), work);
  moveLabelBack(here);
  await here.pass(hours(12), upload);
  expect([pair().keyId, custodyOf(here)]).toEqual([first, first]);

  moveLabelBack(here);
  // It is stored once more, and nobody hears of it.
  const [destination] = here.destinations["ci"] ?? [];
  if (destination === undefined) throw new Error("there is a project");
  const deliver: Destination["deliver"] = async (...given) => {
    await destination.deliver(...given);
    throw new RotationError("Unreachable", "delivering, no answer came", { outcomeUnknown: true });
  };
  here.destinations = { ci: [{ ...destination, deliver }] };
  await here.sweep();
  here.destinations = { ci: [destination] };
  expect([pair().keyId, custodyOf(here)]).toEqual([first, second]);
  expect(lastOf((await here.pass(hours(3), work)).at(-1))).toBe("retire hold DestinationNotLive held");
  await here.pass(hours(12), upload);
  expect([pair().keyId, calls.failures()]).toEqual([second, []]);
});
