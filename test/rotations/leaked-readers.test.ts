import { describe, expect, test } from "vitest";
import { days, hours, minutes, plus } from "../../src/rotation/time.ts";
import { aPolicy } from "../builders.ts";
import type { SigningPair } from "../world/caller.ts";
import { leak, listedActive, meanwhile, revoke } from "../world/leak.ts";
import { aCaller, aSystem, custodyOf, DEPLOY, dyingWorld, ofKey, person } from "../world/system.ts";
import type { System } from "../world/system.ts";
import type { PullReader } from "../world/workloads.ts";
import { pullReader } from "../world/workloads.ts";
import { denied } from "../world/faults.ts";
import { memoryDestination } from "../world/memory-destination.ts";

const POLICY = aPolicy({ rotateAfterMs: days(47), idleAtMostMs: days(28) });
const WHERE = { region: "us-east-1", sourceAddress: "198.51.100.7", userAgent: "aws-cli/2.9" };
const CUSTODY = `keyturn/${DEPLOY}`;

const readerOf = ({ here }: System, first: SigningPair, name: string): PullReader =>
  pullReader(here.cloud, { ...WHERE, name, secretId: CUSTODY, first });

/** A user whose laptop fetches its pair in custody, after the first promotion. */
async function pulled(): Promise<System & { readonly laptop: PullReader }> {
  const system = await aSystem({ ageMs: days(47), profile: { isPulled: true, policy: POLICY } });
  const { here } = system;
  here.destinations = {};
  await here.passUntil(() => custodyOf(here) !== null, days(1));
  return { ...system, laptop: readerOf(system, system.first, "laptop") };
}

function ignoring(call: () => unknown): void {
  try {
    call();
  } catch {
    // Refused: it does not work any more.
  }
}

/** The laptop has pulled, and the first key is deleted. */
async function settled(): ReturnType<typeof pulled> {
  const system = await pulled();
  const { here, first, laptop } = system;
  const calls = aCaller(here, () => laptop.pair(), "laptop");
  await here.passUntil(
    () => ofKey(here, first.keyId) === "gone",
    days(46),
    () => {
      laptop.pull();
      calls.work();
    },
  );
  return system;
}

/** Temporary credentials that somebody makes with a pair. */
function sessionOf({ here }: System, pair: SigningPair): SigningPair {
  const call = { service: "sts", operation: "GetSessionToken", input: { DurationSeconds: 129_600 } };
  const made = here.cloud.callAs(pair, call)["Credentials"] as Readonly<Record<string, string>>;
  return { keyId: made["AccessKeyId"] ?? "", secret: made["SecretAccessKey"] ?? "" };
}

describe("L4: who has a leaked key of a user that reads custody", () => {
  test("does not find the replacement there, at any moment, by the key nor by a session of it", async () => {
    const system = await settled();
    const { here, laptop } = system;
    const leaked = laptop.pair();
    const session = sessionOf(system, leaked);
    here.clock.advance(hours(1));
    const found = new Set<string>();
    const tries = [leaked, session].flatMap((pair) =>
      [{}, { VersionStage: "AWSPENDING" }, { VersionStage: "AWSCURRENT" }].map((asked) => () => {
        try {
          const call = {
            service: "secretsmanager",
            operation: "GetSecretValue",
            input: { SecretId: CUSTODY, ...asked },
          };
          found.add(String(here.cloud.callAs(pair, call)["SecretString"]));
        } catch {
          found.add("refused");
        }
      }),
    );
    const stop = meanwhile(here, () => tries.forEach((attempt) => attempt()));
    await leak(here, leaked.keyId);
    for (let minute = 0; minute < 120; minute += 1) {
      here.clock.advance(60_000);
      tries.forEach((attempt) => attempt());
    }
    stop();
    const next = custodyOf(here) ?? "";
    expect(next).not.toBe(leaked.keyId);
    expect(ofKey(here, leaked.keyId)).toBe("Inactive");
    // Until the cut it read what it had already.
    expect([...found].filter((text) => !text.includes(leaked.keyId))).toEqual(["refused"]);
    const told = here.notices.find(({ code }) => code === "ExposedKeyCut")?.text ?? "";
    expect(told).toContain("GetSessionToken");
    expect(told).toContain("who has not read its pair in custody since is behind");
  });

  test("whose cut had no answer, and was then refused, gets another all the same: the first may have been heard", async () => {
    const { here, laptop } = await settled();
    const leaked = laptop.pair().keyId;
    const allow = here.cloud.faults.add(denied("iam", "UpdateAccessKey"));
    await leak(here, leaked);
    allow();
    here.clock.advance(hours(1));
    const cut = { service: "iam", operation: "UpdateAccessKey", times: 1 } as const;
    here.cloud.faults.add({ ...cut, kind: "lost-after" });
    here.cloud.faults.add({ ...cut, kind: "error-before", code: "AccessDenied" });
    here.bend = listedActive;
    await here.sweep();
    here.bend = null;
    await here.pass(hours(2));
    expect([ofKey(here, leaked), custodyOf(here) === leaked]).toEqual(["Inactive", false]);
  });

  test("gets another all the same where its run dies right after a cut that could not be marked", async () => {
    const { here, laptop } = await settled();
    const leaked = laptop.pair().keyId;
    const allow = here.cloud.faults.add(denied("secretsmanager", "TagResource"));
    let isDead = false;
    const stop = here.cloud.onCall(({ operation }) => (isDead ||= operation === "UpdateAccessKey"));
    here.bend = (world) => dyingWorld(world, () => isDead);
    await leak(here, leaked).catch(() => undefined);
    stop();
    allow();
    here.bend = null;
    expect(ofKey(here, leaked)).toBe("Inactive");
    await here.pass(hours(2));
    expect(ofKey(here, custodyOf(here) ?? "")).toBe("Active");
  });

  test("the same finds it where custody has no resource policy: so the test can fail", async () => {
    const system = await settled();
    const { here, laptop } = system;
    const session = sessionOf(system, laptop.pair());
    here.bend = (world) => ({ ...world, custody: { ...world.custody, guard: () => Promise.resolve() } });
    const secret = here.cloud.secretsManager.named(CUSTODY);
    if (secret !== null) secret.policy = null;
    await leak(here, laptop.pair().keyId);
    const call = { service: "secretsmanager", operation: "GetSecretValue", input: { SecretId: CUSTODY } };
    expect(String(here.cloud.callAs(session, call)["SecretString"])).toContain(custodyOf(here));
  });

  test("a laptop goes on pulling its current pair, by name and without a label", async () => {
    const system = await settled();
    const { here, laptop } = system;
    expect(laptop.pull()).toBe("unchanged");
    const call = { service: "secretsmanager", operation: "GetSecretValue", input: { SecretId: CUSTODY } };
    expect(String(here.cloud.callAs(laptop.pair(), call)["SecretString"])).toContain(laptop.pair().keyId);
  });
});

describe("N5: a pair that lay in custody while a leaked key worked", () => {
  test("N5: is exposed, too, where CloudTrail shows that the key read it, and is replaced", async () => {
    const system = await pulled();
    const { here, first, laptop } = system;
    const second = custodyOf(here) ?? "";
    here.clock.advance(hours(2));
    expect(laptop.pull()).toBe("taken");
    here.clock.advance(hours(1));
    await leak(here, first.keyId);
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["gone", "Inactive"]);
    expect(custodyOf(here)).not.toBe(second);
  });

  test("N5: also where the run that cut the key had a clock that is a minute late", async () => {
    const system = await pulled();
    const { here, first, laptop } = system;
    const second = custodyOf(here) ?? "";
    expect(laptop.pull()).toBe("taken");
    here.bend = (world) => ({
      ...world,
      clock: { ...world.clock, now: () => plus(world.clock.now(), -minutes(1)) },
    });
    await leak(here, first.keyId);
    here.bend = null;
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["Inactive", "Active"]);
    await here.pass(hours(3));
    expect(ofKey(here, second)).not.toBe("Active");
  });

  test("N5: and by a session of it", async () => {
    const system = await pulled();
    const { here, first } = system;
    const second = custodyOf(here) ?? "";
    const session = sessionOf(system, first);
    const secret = here.cloud.secretsManager.named(CUSTODY);
    // As it was before custody had a policy.
    if (secret !== null) secret.policy = null;
    readerOf(system, session, "thief").pull();
    here.clock.advance(hours(1));
    await leak(here, first.keyId);
    expect(ofKey(here, second)).toBe("Inactive");
  });

  test("N5: is not where CloudTrail, complete, shows no such read, and takes its place", async () => {
    const { here, first } = await pulled();
    const second = custodyOf(here) ?? "";
    here.clock.advance(hours(1));
    await leak(here, first.keyId);
    expect([ofKey(here, first.keyId), ofKey(here, second), custodyOf(here)]).toEqual(["Inactive", "Active", second]);
    await here.pass(days(3));
    expect(custodyOf(here)).toBe(second);
  });

  test("N5: is where a read a minute before the cut comes to light after it", async () => {
    const { here, first, laptop } = await pulled();
    const second = custodyOf(here) ?? "";
    here.clock.advance(hours(1));
    laptop.pull();
    await leak(here, first.keyId);
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["Inactive", "Active"]);
    await here.pass(hours(2));
    expect(ofKey(here, second)).toBe("Inactive");
    expect(custodyOf(here)).not.toBe(second);
  });

  test("N5: that this cannot be marked keeps no leaked key from its cut", async () => {
    const { here, first } = await pulled();
    const second = custodyOf(here) ?? "";
    const unable = ["TagResource", "PutSecretValue"].map((name) =>
      here.cloud.faults.add(denied("secretsmanager", name)),
    );
    here.cloud.faults.add(denied("cloudtrail", "LookupEvents"));
    await expect(leak(here, first.keyId)).rejects.toThrow("custody of deploy");
    // Who read it is not there any more to be asked about: what it read is cut in the same run, and replaced by the next.
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["gone", "Inactive"]);
    for (const isOver of unable) isOver();
    await here.pass(hours(1));
    expect(ofKey(here, custodyOf(here) ?? "")).toBe("Active");
  });

  test("N5: is exposed, too, where the key that read it was deleted to make room, and worked for some seconds more", async () => {
    const { here, first } = await pulled();
    const second = custodyOf(here) ?? "";
    const read = (): void => {
      const call = { service: "secretsmanager", operation: "GetSecretValue", input: { SecretId: CUSTODY } };
      if (custodyOf(here) !== second) ignoring(() => here.cloud.callAs(first, call));
    };
    here.cloud.lags.deactivationMs = minutes(1);
    const stop = meanwhile(here, read);
    await leak(here, second, first.keyId);
    stop();
    const third = custodyOf(here) ?? "";
    expect([ofKey(here, first.keyId), ofKey(here, second), third === second]).toEqual(["gone", "Inactive", false]);
    await here.pass(hours(3));
    expect(ofKey(here, third)).not.toBe("Active");
    expect(ofKey(here, custodyOf(here) ?? "")).toBe("Active");
  });

  test("N5: is exposed, too, where it is an old one by now, and the replacement that read it was pending", async () => {
    const { here, laptop } = await settled();
    const { keyId: second } = laptop.pair();
    const late = memoryDestination("cloudflare-worker:late", laptop.pair());
    late.failing = "before";
    here.destinations = { ci: [late] };
    await here.passUntil(() => custodyOf(here, "AWSPENDING") !== null, days(60));
    const third = custodyOf(here, "AWSPENDING") ?? "";
    const pair = { keyId: third, secret: here.cloud.iam.keys.get(third)?.secret ?? "" };
    here.clock.advance(minutes(5));
    here.cloud.callAs(pair, { service: "secretsmanager", operation: "GetSecretValue", input: { SecretId: CUSTODY } });
    late.failing = null;
    await here.passUntil(() => custodyOf(here) === third, days(1));
    // Somebody is quicker than we, and takes away the only key that is known to be leaked.
    person(here).deleteKey(third);
    here.clock.advance(hours(1));
    await revoke(here, third);
    await here.pass(hours(2));
    expect(ofKey(here, second)).not.toBe("Active");
    expect(ofKey(here, custodyOf(here) ?? "")).toBe("Active");
  });

  test("N5: is asked about, too, where it cannot be written down that a quarantine is over", async () => {
    const { here, first, laptop } = await pulled();
    const second = custodyOf(here) ?? "";
    const Value = `${String(here.clock.now() - days(2))} AWSCompromisedKeyQuarantineV3`;
    here.cloud.secretsManager.named(CUSTODY)?.tags.push({ Key: "keyturn:quarantine", Value });
    here.clock.advance(hours(2));
    expect(laptop.pull()).toBe("taken");
    here.clock.advance(hours(1));
    const allow = here.cloud.faults.add(denied("secretsmanager", "TagResource"));
    await expect(leak(here, first.keyId)).rejects.toThrow("custody of deploy");
    allow();
    await here.pass(hours(2));
    expect(ofKey(here, second)).not.toBe("Active");
    expect(ofKey(here, custodyOf(here) ?? "")).toBe("Active");
  });

  test("N5: is not where CloudTrail cannot tell, and our record has it made after the cut, by whatever clock", async () => {
    const { here, laptop } = await settled();
    here.bend = (world) => ({ ...world, clock: { ...world.clock, now: () => plus(world.clock.now(), minutes(1)) } });
    await leak(here, laptop.pair().keyId);
    here.bend = null;
    const second = custodyOf(here) ?? "";
    await here.pass(hours(5));
    here.cloud.faults.add(denied("cloudtrail", "LookupEvents"));
    await here.pass(hours(5));
    expect([custodyOf(here), ofKey(here, second)]).toEqual([second, "Active"]);
  });

  test("N5: is where CloudTrail cannot tell", async () => {
    const { here, first } = await pulled();
    const second = custodyOf(here) ?? "";
    here.cloud.faults.add({ ...denied("cloudtrail", "LookupEvents"), when: ({ region }) => region === "eu-central-1" });
    await leak(here, first.keyId);
    expect(ofKey(here, second)).toBe("Inactive");
  });
});
