import { describe, expect, test } from "vitest";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import { aPolicy } from "../builders.ts";
import { aCaller, aSystem, custodyOf, DEPLOY, ofKey, toldOf } from "../world/system.ts";
import type { System } from "../world/system.ts";
import type { Consumer, PullReader, PullReaderOptions } from "../world/workloads.ts";
import { pullReader } from "../world/workloads.ts";

const POLICY = aPolicy({ rotateAfterMs: days(47), idleAtMostMs: days(28), cacheForMs: hours(8) });
const SHOWN_IN_MS = hours(4) + minutes(15);

interface Reader extends PullReader {
  readonly calls: Consumer;
  readonly sourceAddress: string;
}

/** One that reads custody with the pair it holds, and says who it is; its other calls are data events without a name. */
function aReader({ here, first }: System, name: string, more: Partial<PullReaderOptions> = {}): Reader {
  const sourceAddress = more.sourceAddress ?? "198.51.100.7";
  const where = { region: "us-east-1", userAgent: `aws-cli/2.9 app/keyturn-${name}`, ...more, sourceAddress };
  const reader = pullReader(here.cloud, { ...where, name, secretId: `keyturn/${DEPLOY}`, first });
  return { ...reader, sourceAddress, calls: aCaller(here, () => reader.pair(), name) };
}

/** A user whose replacement is current since the beginning of the hours that `live` counts. */
async function promoted(readers: readonly string[]): Promise<System> {
  const system = await aSystem({ ageMs: days(48), profile: { isPulled: true, readers, policy: POLICY } });
  system.here.destinations = {};
  await system.here.passUntil(() => custodyOf(system.here) !== null, days(2));
  return system;
}

type Hourly = (hour: number) => void;

/** Lives until the old key goes; gives the instants of that and of the promotion. */
async function untilGone({ here, first }: System, hourly: Hourly, limitMs = days(80)): Promise<number> {
  let hour = 0;
  await here.passUntil(
    () => ofKey(here, first.keyId) !== "Active",
    limitMs,
    () => hourly((hour += 1)),
  );
  return here.clock.now();
}

/** After some days: the laptop takes its new pair with the old one, and works with it once a day. */
const laptopOn =
  (laptop: Reader, day: number): Hourly =>
  (hour) => {
    if (hour === day * 24) laptop.pull();
    if (hour > day * 24 && hour % 24 === 5) laptop.calls.work();
  };

describe("a hand-over restarts", () => {
  const life = async (readers: readonly string[], others: (system: System) => readonly Reader[]) => {
    const system = await promoted(readers);
    const startMs = system.here.clock.now();
    const laptop = laptopOn(aReader(system, "laptop"), 20);
    const rest = others(system);
    const goneMs = await untilGone(system, (hour) => {
      if (hour === 24) for (const reader of rest) reader.pull();
      laptop(hour);
    });
    return { system, afterHandOverMs: goneMs - startMs - days(20) };
  };

  test("quietFor alone, once each of the profile's readers was seen to sign with the new pair", async () => {
    const { system, afterHandOverMs } = await life(["laptop", "ci"], (seen) => [aReader(seen, "ci")]);
    expect(afterHandOverMs).toBeGreaterThanOrEqual(days(10) + hours(4));
    expect(afterHandOverMs).toBeLessThan(days(11));
    expect(toldOf(system.here)).not.toContain("OldKeyStillUsed");
  });

  test.for([
    ["one of them was not seen", ["laptop", "ci"], []],
    ["one of them does not say who it is", ["laptop", "ci"], [{ name: "ci", userAgent: "aws-cli/2.9" }]],
    [
      "another came with a name of its own",
      ["laptop", "ci"],
      [{ name: "ci", userAgent: "aws-cli/2.9 app/keyturn-ci-2" }],
    ],
    ["one asked, and its answer never arrived", ["laptop", "ci"], [{ name: "ci", isDeaf: true }]],
    ["the profile names nobody", [], [{ name: "ci" }]],
  ] as const)("the whole silence, where %s", async ([, readers, others]) => {
    const { afterHandOverMs } = await life(readers, (system) =>
      others.map((other) => {
        if ("isDeaf" in other) loseOneAnswer(system, "198.51.100.8");
        return aReader(system, other.name, {
          sourceAddress: "198.51.100.8",
          ...("userAgent" in other ? { userAgent: other.userAgent } : {}),
        });
      }),
    );
    expect(afterHandOverMs).toBeGreaterThanOrEqual(days(28) + hours(4));
    expect(afterHandOverMs).toBeLessThan(days(29));
  });
});

function loseOneAnswer({ here }: System, address: string): void {
  here.cloud.faults.add({
    service: "secretsmanager",
    operation: "GetSecretValue",
    kind: "lost-after",
    times: 1,
    when: ({ sourceAddress }) => sourceAddress === address,
  });
}

describe("a hand-over whose answer never arrives", () => {
  /** It asks on day 20, hears nothing, and is opened again within the silence that its profile declares. */
  const life = async (nameOfOther: string): Promise<readonly unknown[]> => {
    const system = await promoted([nameOfOther, "laptop"].slice(nameOfOther === "laptop" ? 1 : 0));
    const other = aReader(system, nameOfOther);
    const laptop = aReader(system, "laptop", { sourceAddress: "198.51.100.99" });
    await system.here.pass(
      days(60),
      hourlyOf((hour) => {
        if (hour % 24 === 1) other.pull();
        if (hour % 24 === 2) other.calls.work();
        if (hour === 20 * 24) {
          loseOneAnswer(system, laptop.sourceAddress);
          laptop.pull();
        }
        if (hour === 45 * 24) laptop.pull();
        if (hour > 45 * 24 && hour % 24 === 3) laptop.calls.work();
      }),
    );
    return laptop.calls.failures();
  };

  test("leaves the old key to the laptop that asks again four weeks later", async () => {
    expect(await life("ci")).toEqual([]);
  });

  test("its twin, whose two readers share a name, cuts the laptop off", async () => {
    expect((await life("laptop")).length).toBeGreaterThan(10);
  });
});

describe("a use that is hidden by a hand-over in the same quarter of an hour", () => {
  /** The second one works five minutes after the laptop has pulled: last-used tells of the pull, and CloudTrail of no data event. */
  const life = async (readers: readonly string[]): Promise<readonly unknown[]> => {
    const system = await promoted(readers);
    const { here } = system;
    const [laptop, second] = [aReader(system, "laptop"), aReader(system, "ci")];
    await here.pass(
      days(70),
      hourlyOf((hour) => {
        if (hour === 20 * 24) {
          laptop.pull();
          here.clock.advance(minutes(5));
          second.calls.work();
        }
        if (hour > 20 * 24 && hour % 24 === 5) laptop.calls.work();
        // Its longest silence, and not a day more, lies between that and its own pull.
        if (hour === 47 * 24) second.pull();
        if (hour > 47 * 24 && hour % 24 === 7) second.calls.work();
      }),
    );
    return second.calls.failures();
  };

  test("leaves the old key to whoever made it", async () => {
    expect(await life(["laptop", "ci"])).toEqual([]);
    expect(await life([])).toEqual([]);
  });

  test("its twin, whose profile does not count the second one, cuts it off", async () => {
    expect((await life(["laptop"])).length).toBeGreaterThan(10);
  });
});

const hourlyOf = (hourly: Hourly): (() => void) => {
  let hour = 0;
  return () => hourly((hour += 1));
};

test("who was seen to have the new pair is remembered when CloudTrail has forgotten", async () => {
  const system = await promoted(["laptop", "ci"]);
  const { here, first } = system;
  const [laptop, ci] = [aReader(system, "laptop"), aReader(system, "ci")];
  let hour = 0;
  const between = (): void => {
    hour += 1;
    if (hour === 24) ci.pull();
    laptopOn(laptop, 20)(hour);
  };
  // The first hand-over has the question asked, which is answered for one of the two.
  await here.pass(days(3), between);
  const record = (await here.journal.read(userName(DEPLOY))).record;
  expect(Object.keys(record?.keys[accessKeyId(custodyOf(here) ?? "")]?.readers?.at ?? {})).toEqual(["ci"]);
  // From now on no event of before is shown any more.
  const forgottenMs = here.clock.now();
  here.cloud.faults.add({
    service: "cloudtrail",
    operation: "LookupEvents",
    kind: "error-before",
    code: "InvalidTimeRangeException",
    times: "forever",
    when: ({ input }) => Number(input["StartTime"]) < forgottenMs - hours(25) && isOf(input, custodyOf(here)),
  });
  await here.passUntil(() => ofKey(here, first.keyId) !== "Active", days(31), between);
});

const isOf = (input: Readonly<Record<string, unknown>>, keyId: string | null): boolean =>
  JSON.stringify(input["LookupAttributes"] ?? "").includes(keyId ?? "none");

test("whoever does not name its readers hears that an old key stays for that, and what to do", async () => {
  const system = await promoted([]);
  const { here, first } = system;
  const laptop = laptopOn(aReader(system, "laptop"), 20);
  await untilGone(system, laptop);
  const notices = here.notices.filter(({ code }) => code === "OldKeyStillUsed" || code === "KeyOverdue");
  expect(new Set(notices.map(({ code }) => code))).toEqual(new Set(["OldKeyStillUsed", "KeyOverdue"]));
  expect(notices[0]?.text).toContain("docs/laptops.md");
  expect(here.clock.now() - (here.cloud.iam.keys.get(first.keyId)?.createdAtMs ?? 0)).toBeGreaterThan(
    days(90) + SHOWN_IN_MS,
  );
});
