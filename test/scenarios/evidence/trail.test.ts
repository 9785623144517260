import { expect, test } from "vitest";
import { days, hours, minutes } from "../../../src/rotation/time.ts";
import type { Fault } from "../../world/faults.ts";
import { OPT_IN_REGION, onGround } from "./ground.ts";
import type { Ground } from "./ground.ts";
import { asItIs, withMistakes } from "./program.ts";
import type { Program } from "./program.ts";

interface Seen {
  readonly firstKey: string;
  readonly failures: readonly string[];
  /** The notices that hold the old key, in their order. */
  readonly told: readonly string[];
}

const NO_SECOND_THOUGHTS = "late evidence is not looked for";
const CUT = /: InvalidClientTokenId$/;
/** The readers' cache, ten days of silence and the four hours of last-used: then nothing but CloudTrail is in the way. */
const READY_MS = hours(1) + days(10) + hours(4) + minutes(1);
const DENIED: Partial<Fault> = { kind: "error-before", code: "AccessDeniedException", status: 400 };

/**
 * Somebody on a copy of the old pair lists instances in one opt-in Region, an hour before the check, and every two hours
 * from then on: last-used is too late to tell, and only that Region's Event history shows it.
 */
async function inOneRegion(program: () => Promise<Program>, prepare: (ground: Ground) => void): Promise<Seen> {
  return onGround(program, { system: "invoice-scanner" }, async (ground) => {
    const { firstPair } = ground.system;
    ground.joins({ name: "daily", everyMs: days(1), pair: () => ground.pairAt("AWSCURRENT") ?? firstPair });
    await ground.sweep();
    const call = { service: "ec2", operation: "DescribeInstances" };
    const rhythm = { everyMs: hours(2), afterMs: READY_MS - hours(2) };
    ground.joins({ name: "copy", ...rhythm, region: OPT_IN_REGION, pair: () => firstPair, call });
    prepare(ground);
    await ground.pass(READY_MS);
    await ground.sweep();
    await ground.pass(hours(3));
    const told = [...ground.told("UseUnknown"), ...ground.told("OldKeyStillUsed")];
    return { firstKey: ground.firstKey(), failures: ground.failures(), told };
  });
}

const refusing = (when: NonNullable<Fault["when"]>) => (ground: Ground) => {
  const lookups = { service: "cloudtrail", operation: "LookupEvents", times: "forever", when } as const;
  ground.cloud.faults.add({ kind: "error-before", ...lookups, ...DENIED });
};

test.concurrent("a use in one opt-in Region alone keeps the key, and the notice names it", async () => {
  const { firstKey, failures, told } = await inOneRegion(asItIs, () => {});
  expect([firstKey, failures]).toEqual(["Active", []]);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/ec2 in me-south-1.*DescribeInstances/);
});

test.concurrent("twin: where one Region only is asked, the copy is cut off", async () => {
  const { failures } = await inOneRegion(withMistakes("one Region only"), () => {});
  expect(failures[0]).toMatch(CUT);
});

test.concurrent("a Region that refuses makes the use unknown: the key stays, and the notice names the Region", async () => {
  const { firstKey, failures, told } = await inOneRegion(
    asItIs,
    refusing(({ region }) => region === OPT_IN_REGION),
  );
  expect([firstKey, failures]).toEqual(["Active", []]);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/cannot be told: .*me-south-1.*AccessDenied/);
});

test.concurrent("twin: where an unknown CloudTrail counts as a silent one, the copy is cut off", async () => {
  const { failures } = await inOneRegion(
    withMistakes("unknown CloudTrail is silent"),
    refusing(({ region }) => region === OPT_IN_REGION),
  );
  expect(failures[0]).toMatch(CUT);
});

/** The first page of an answer is empty, and has a token; the page behind it has the event. */
const losingPages = (ground: Ground): void => {
  ground.cloud.cloudTrail.hasEmptyPages = true;
  refusing(({ input }) => input["NextToken"] !== undefined)(ground);
};

test.concurrent("a page that cannot be read makes the use unknown, although the page before it was empty", async () => {
  const { firstKey, failures, told } = await inOneRegion(asItIs, losingPages);
  expect([firstKey, failures]).toEqual(["Active", []]);
  expect(told[0]).toMatch(/cannot be told: .* in (us-east|eu-central|me-south)-1/);
});

test.concurrent("twin: where the first page only is read, the copy is cut off", async () => {
  const { failures } = await inOneRegion(withMistakes("first page of events only"), losingPages);
  expect(failures[0]).toMatch(CUT);
});

/** One reader takes AWSCURRENT each day. Another goes on with AWSPREVIOUS, where there is one. */
async function fallingBack(program: () => Promise<Program>): Promise<Seen> {
  return onGround(program, { system: "invoice-scanner" }, async (ground) => {
    const { firstPair } = ground.system;
    const current = () => ground.pairAt("AWSCURRENT") ?? firstPair;
    ground.joins({ name: "daily", everyMs: days(1), pair: current });
    ground.joins({ name: "fallback", everyMs: hours(9), pair: () => ground.pairAt("AWSPREVIOUS") ?? current() });
    await ground.sweep();
    await ground.pass(days(14));
    return { firstKey: ground.firstKey(), failures: ground.failures(), told: ground.told("OldKeyStillUsed") };
  });
}

test.concurrent("a reader that falls back to AWSPREVIOUS is a use of the old key like any other", async () => {
  const { firstKey, failures, told } = await fallingBack(asItIs);
  expect([firstKey, failures]).toEqual(["Active", []]);
  expect(told[0]).toMatch(/still used after its replacement was delivered: lambda/);
});

test.concurrent("twin: where uses do not restart the silence, the reader that falls back is cut off", async () => {
  const { failures } = await fallingBack(withMistakes("quiet ignores uses", NO_SECOND_THOUGHTS));
  expect(failures[0]).toMatch(CUT);
});
