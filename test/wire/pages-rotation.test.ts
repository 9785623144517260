import { afterEach, expect, test } from "vitest";
import { createCloudflarePages } from "../../src/destinations/cloudflare-pages.ts";
import { userName } from "../../src/rotation/keys.ts";
import type { Notice } from "../../src/rotation/notice.ts";
import { days, hours, instant, seconds } from "../../src/rotation/time.ts";
import type { Destination } from "../../src/rotation/world.ts";
import { sweep, type SweepResult } from "../../src/sweep.ts";
import { aProfile } from "../builders.ts";
import { pagesAt, PAGES_OPTIONS, pairOnPages, PROJECT, simulatePages } from "../destinations/pages-under-test.ts";
import { ACCOUNT, ID, SECRET } from "../destinations/worker-under-test.ts";
import { custodyOf } from "../world/system.ts";
import { startCloudflareApi } from "../world/wire/cloudflare-handler.ts";
import { wireWorld } from "../world/wire/wire-world.ts";
import { foreignClient, setUpWire } from "./setup.ts";

const USER = "storefront";
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/**
 * Whole rotations with the real adapters alone, to AWS and to Cloudflare, over HTTP. The consumer is a Pages Function that
 * calls Lambda with the pair of the live deployment, signed by a client that is not ours.
 */
async function setUp({
  isGit,
  bend = (destination) => destination,
}: {
  readonly isGit: boolean;
  readonly bend?: (destination: Destination, simulated: ReturnType<typeof simulatePages>) => Destination;
}) {
  const setup = await setUpWire();
  closing.push(() => setup.close());
  const { cloud, clock, wire, world: first } = setup;
  cloud.iam.credentialReports.takesMs = 0;
  // Simulated time stands still while a sweep runs.
  Object.assign(cloud.lags, { propagationMs: 0, deactivationMs: 0 });
  cloud.iam.createUser({ name: USER, tags: { keyturn: "pages" } });
  const key = cloud.iam.createKey(USER, { createdAtMs: clock.now() - days(80) });
  const simulated = simulatePages({ isGit, clock, pair: key });
  const api = await startCloudflareApi(simulated.cloudflare);
  closing.push(() => api.close());
  const destination = bend(createCloudflarePages(PAGES_OPTIONS, pagesAt(api.baseUrl)), simulated);
  const profiles = { pages: aProfile({ name: "pages", users: [USER] }) };
  const notices: Notice[] = [];
  const failures: string[] = [];
  let calls = 0;
  await first.identity.read();
  await first.journal.setRunning(instant(clock.now()));

  async function work(): Promise<void> {
    const { id, secret } = pairOnPages(simulated);
    calls += 1;
    const client = foreignClient({ keyId: id, secret }, "lambda");
    const answer = await client.fetch(`${wire.url}/2015-03-31/functions/storefront/invocations`, { method: "POST" });
    if (!answer.ok) failures.push(`${id} ${await answer.text()}`);
  }
  async function run(): Promise<SweepResult> {
    const world = wireWorld(cloud, wire, {
      destinations: { of: () => [destination] },
      notifiers: [{ name: "test", notify: (told) => Promise.resolve(void notices.push(...told)) }],
    });
    try {
      return await sweep(world, { profiles, enrolmentTag: "keyturn", mode: "act", users: [userName(USER)] });
    } finally {
      world.close();
    }
  }
  /** Every three hours a call, a sweep, and a call, until something is so. */
  async function passUntil(isSo: () => boolean, limitDays: number): Promise<void> {
    for (let past = 0; !isSo(); past += 3) {
      if (past > limitDays * 24) throw new Error(`not so within ${String(limitDays)} days`);
      clock.advance(hours(3));
      await work();
      await run();
      await work();
    }
  }
  const said = (code: string) => notices.find((notice) => notice.code === code)?.text;
  const statusOf = (id: string) => cloud.iam.keysOf(USER).find((one) => one.id === id)?.status ?? "gone";
  const current = () => custodyOf({ cloud }, "AWSCURRENT", USER);
  return { ...simulated, key, work, run, passUntil, failures, said, statusOf, current, calls: () => calls };
}

test("a Pages project that is connected to Git goes from one key to the next without a failed call", async () => {
  const { key, run, passUntil, failures, statusOf, calls, current, clock, work, said, pages } = await setUp({
    isGit: true,
  });
  const first = await run();
  expect(first.users[0]?.decisions.map(({ step, reason }) => `${step} ${reason}`)).toEqual([
    "create-replacement KeyDue",
    "prove ReplacementNotProved",
    "deliver DestinationBehind",
    "hold DestinationStored",
  ]);
  expect([current(), said("DestinationNotLive")]).toEqual([null, undefined]);
  clock.advance(hours(1));
  await work();
  const second = await run();
  expect(second.users[0]?.decisions.map(({ step }) => step)).toEqual(["prove", "promote", "hold"]);
  await passUntil(() => statusOf(key.id) === "gone", 25);
  expect([failures, pages.project(ACCOUNT, PROJECT).deployments.length]).toEqual([[], 2]);
  expect(calls()).toBeGreaterThan(200);
});

test("a project that only an upload deploys waits for it, says what to run, and then goes on by itself", async () => {
  const { key, run, passUntil, failures, statusOf, current, clock, said, pages } = await setUp({ isGit: false });
  await run();
  expect(said("DestinationNotLive")).toMatch(/has stored AKIA.*Run its CI, or wrangler pages deploy, once/);
  const limit = clock.now() + days(5);
  await passUntil(() => clock.now() > limit, 6);
  expect([current(), statusOf(key.id)]).toEqual([null, "Active"]);
  expect(said("DeliveryLate")).toContain("wrangler pages deploy");
  pages.deploy(ACCOUNT, PROJECT, "by their CI");
  await passUntil(() => statusOf(key.id) === "gone", 25);
  expect(failures).toEqual([]);
});

test("a build that fails is begun again after six hours, and nobody's key is touched meanwhile", async () => {
  const { key, run, passUntil, failures, statusOf, current, said, pages, clock } = await setUp({ isGit: true });
  pages.buildsEnd = "failure";
  await run();
  const until = clock.now() + hours(25);
  await passUntil(() => clock.now() >= until, 2);
  // Sweeps are three hours apart, and the third finds that six have passed.
  expect(pages.project(ACCOUNT, PROJECT).deployments).toHaveLength(2 + 3);
  expect([current(), statusOf(key.id), said("DestinationNotLive")]).toEqual([
    null,
    "Active",
    expect.stringContaining("that has failed"),
  ]);
  pages.buildsEnd = "success";
  await passUntil(() => statusOf(key.id) === "gone", 25);
  expect(failures).toEqual([]);
});

test("the same rotation fails its consumer where the halves are two requests, each with its build", async () => {
  const bend = (destination: Destination, { pages, clock }: ReturnType<typeof simulatePages>): Destination => ({
    ...destination,
    async deliver(credential, anchor) {
      const project = pages.project(ACCOUNT, PROJECT);
      // Builds so short that the run's clock does not notice what passes.
      pages.buildMs = seconds(20);
      const set = (name: string, value: string): void => {
        pages.change(project, "production", { env_vars: { [name]: { type: "secret_text", value } } });
        pages.deploy(ACCOUNT, PROJECT, "commit-1");
      };
      set(ID, credential.id);
      clock.advance(pages.buildMs);
      await torn();
      set(SECRET, credential.secret.reveal());
      clock.advance(pages.buildMs);
      await Promise.resolve();
      return { version: null, anchor };
    },
  });
  let torn = (): Promise<void> => Promise.resolve();
  const { run, work, failures } = await setUp({ isGit: true, bend });
  torn = work;
  await run();
  expect(failures).toEqual([expect.stringContaining("signature we calculated does not match")]);
});

test("a pair that is taken for delivered once it is stored is promoted while nobody has it", async () => {
  const bend = (destination: Destination): Destination => ({
    ...destination,
    async deliver(credential, anchor) {
      const { version } = await destination.deliver(credential, anchor);
      return { version, anchor };
    },
  });
  const { run, current, pages } = await setUp({ isGit: true, bend });
  await run();
  expect(current()).not.toBeNull();
  expect(pairOnPages({ pages }).id).not.toBe(current());
});
