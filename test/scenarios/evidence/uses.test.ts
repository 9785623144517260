import { expect, test } from "vitest";
import { days, hours, minutes } from "../../../src/rotation/time.ts";
import { MUTANTS } from "../../simulation/mutants/index.ts";
import { onGround } from "./ground.ts";
import type { Ground } from "./ground.ts";
import { asItIs, withMistakes, withPatches } from "./program.ts";
import type { Program } from "./program.ts";

/** Each is played twice: as the program is, and with the mistake that it is there to notice. */
type Play = (program: () => Promise<Program>) => Promise<Seen>;

interface Seen {
  readonly firstKey: string;
  readonly failures: readonly string[];
  readonly told: readonly string[];
}

const seenOn = (ground: Ground, code = "OldKeyStillUsed"): Seen => ({
  firstKey: ground.firstKey(),
  failures: ground.failures(),
  told: ground.told(code),
});

const NO_SECOND_THOUGHTS = "late evidence is not looked for";
const CUT = /: (InvalidClientTokenId|InvalidAccessKeyId)$/;
/** Since every consumer could have the replacement: the readers' cache. */
const CACHE_MS = hours(1);
const QUIET_MS = days(10);
const LAG_MS = hours(4);
/** A run's clock goes on while simulated time stands still, so that what it writes down is some seconds later. */
const SLACK_MS = minutes(1);

/** System 1: the Worker calls Lambda, and so does somebody else with a copy of its first pair. Adoption is not asked for. */
const dataEventsOnly: Play = async (program) =>
  onGround(program, { system: "matchmaking", policy: { adoption: "optional" } }, async (ground) => {
    ground.joins({ name: "Worker", everyMs: hours(3), pair: () => ground.livePair() });
    ground.joins({ name: "copy", everyMs: hours(7), pair: () => ground.system.firstPair });
    await ground.sweep();
    await ground.pass(days(14));
    return seenOn(ground);
  });

test.concurrent("system 1: of data events only last-used knows, and the old key stays", async () => {
  const { firstKey, failures, told } = await dataEventsOnly(asItIs);
  expect([firstKey, failures]).toEqual(["Active", []]);
  expect(told[0]).toMatch(/still used after its replacement was delivered: lambda in us-east-1/);
});

test.concurrent("twin: where CloudTrail's silence approves alone, the copy is cut off", async () => {
  const { failures } = await dataEventsOnly(withMistakes("CloudTrail approves alone", NO_SECOND_THOUGHTS));
  expect(failures[0]).toMatch(CUT);
});

/**
 * The replica of the secret in another Region shows the new pair eleven days after it was made. Its reader there works on
 * day 8, and with the pair that it has read by then eleven days and a half later.
 */
const lateEverywhere: Play = async (program) =>
  onGround(program, { system: "matchmaking", replicaRegions: ["eu-central-1"] }, async (ground) => {
    ground.cloud.lags.replicaMs = days(11);
    ground.joins({ name: "Worker", everyMs: days(1), pair: () => ground.livePair() });
    const rhythm = { everyMs: days(11) + hours(12), afterMs: days(8) };
    ground.joins({ name: "reader", ...rhythm, pair: () => ground.system.firstPair, region: "eu-central-1" });
    await ground.sweep();
    await ground.pass(days(20));
    return seenOn(ground);
  });

test.concurrent("the silence begins when everybody could have the replacement, and not when it was made", async () => {
  const { firstKey, failures } = await lateEverywhere(asItIs);
  expect([firstKey, failures]).toEqual(["Active", []]);
});

test.concurrent("twin: where the silence is counted from the creation, the reader in the other Region is cut off", async () => {
  const { failures } = await lateEverywhere(withMistakes("quiet counted from creation"));
  expect(failures[0]).toMatch(CUT);
});

/** A job on a copy of the pair runs once in thirty days; its owner gives it the new pair when he is told of its use. */
const monthly: Play = async (program) =>
  onGround(program, { system: "invoice-scanner", policy: { idleAtMostMs: days(35) } }, async (ground) => {
    let held = ground.system.firstPair;
    ground.joins({ name: "daily", everyMs: days(1), pair: () => ground.pairAt("AWSCURRENT") ?? held });
    await ground.sweep();
    ground.joins({ name: "monthly", everyMs: days(30), pair: () => held });
    await ground.pass(days(32), days(2));
    if (ground.told("OldKeyStillUsed").length > 0) held = ground.pairAt("AWSCURRENT") ?? held;
    await ground.pass(days(36), days(2));
    return seenOn(ground);
  });

test.concurrent("a monthly job of a profile that says so keeps its key until it has the new one", async () => {
  const { firstKey, failures, told } = await monthly(asItIs);
  expect([firstKey, failures]).toEqual(["Inactive", []]);
  expect(told[0]).toMatch(/still used after its replacement was delivered/);
});

test.concurrent("twin: where the declared silence is forgotten, the monthly job is cut off", async () => {
  const { failures } = await monthly(withMistakes("idleAtMost forgotten"));
  expect(failures[0]).toMatch(CUT);
});

/** A client on a copy of the pair trades it for a session of 36 hours, as soon as the last one ends, and signs with that. */
const sessions: Play = async (program) =>
  onGround(program, { system: "invoice-scanner" }, async (ground) => {
    const { firstPair } = ground.system;
    ground.joins({ name: "daily", everyMs: days(1), pair: () => ground.pairAt("AWSCURRENT") ?? firstPair });
    const call = { service: "sts", operation: "GetSessionToken", input: { DurationSeconds: 36 * 3_600 } };
    ground.joins({ name: "session", everyMs: hours(36), pair: () => firstPair, call });
    await ground.sweep();
    await ground.pass(days(14));
    return seenOn(ground);
  });

test.concurrent("a client that renews a session every 36 hours is never cut off: its key is not silent for so long", async () => {
  const { firstKey, failures, told } = await sessions(asItIs);
  expect([firstKey, failures]).toEqual(["Active", []]);
  expect(told[0]).toMatch(/is still used after its replacement was delivered: sts/);
});

test.concurrent("twin: where a day of silence is enough, the session cannot be renewed", async () => {
  const dayOfSilence = {
    file: "src/rotation/policy.ts",
    find: "return Math.max(policy.quietForMs, policy.idleAtMostMs ?? 0);",
    replace: "return days(1);",
  };
  // Where the ends of sessions are counted, that net is cut as well.
  const sessionsForgotten = MUTANTS.flatMap(({ name, patches }) => (name === "sessions forgotten" ? patches : []));
  const imported = {
    file: "src/rotation/policy.ts",
    find: "/** When and how long,",
    replace: 'import { days } from "./time.ts";\n/** When and how long,',
  };
  const { failures } = await sessions(withPatches([dayOfSilence, imported, ...sessionsForgotten]));
  expect(failures[0]).toMatch(/^session: InvalidClientTokenId$/);
});

/**
 * A use ten minutes before a moment, which last-used tells of four hours later, and CloudTrail never; then again, so long
 * after it.
 */
const tenMinutesBefore = (moment: "the silence is over" | "the check"): Play => {
  const momentMs = CACHE_MS + QUIET_MS + (moment === "the check" ? LAG_MS : 0);
  const againMs = moment === "the check" ? days(1) : hours(1);
  return async (program) =>
    onGround(program, { system: "invoice-scanner" }, async (ground) => {
      const { firstPair } = ground.system;
      ground.joins({ name: "daily", everyMs: days(1), pair: () => ground.pairAt("AWSCURRENT") ?? firstPair });
      await ground.sweep();
      ground.joins({ name: "late", everyMs: againMs, afterMs: momentMs - minutes(10), pair: () => firstPair });
      await ground.pass(momentMs - minutes(10));
      await ground.pass(minutes(10) + SLACK_MS);
      await ground.sweep();
      const afterCheck = ground.firstKey();
      await ground.pass(hours(5));
      await ground.sweep();
      await ground.pass(days(3));
      return { ...seenOn(ground, "KeyReactivated"), firstKey: `${afterCheck}, ${ground.firstKey()}` };
    });
};

test.concurrent("a use ten minutes before the silence would be over is waited for, as late as last-used may be", async () => {
  const { firstKey, failures } = await tenMinutesBefore("the silence is over")(asItIs);
  expect([firstKey, failures]).toEqual(["Active, Active", []]);
});

test.concurrent("twin: without the four hours of lag that use is not seen, and the next one fails", async () => {
  const { failures } = await tenMinutesBefore("the silence is over")(withMistakes("quiet without the lag"));
  expect(failures[0]).toMatch(CUT);
});

test.concurrent("a use ten minutes before the check is seen by nobody in time: four hours later the key is given back", async () => {
  const { firstKey, failures, told } = await tenMinutesBefore("the check")(asItIs);
  expect([firstKey, failures]).toEqual(["Inactive, Active", []]);
  expect(told[0]).toMatch(/a use of AKIA\w+ came to light: lambda in us-east-1/);
});

test.concurrent("twin: where late evidence is not looked for, the consumer is found out at its next call", async () => {
  const { failures } = await tenMinutesBefore("the check")(withMistakes(NO_SECOND_THOUGHTS));
  expect(failures[0]).toMatch(CUT);
});
