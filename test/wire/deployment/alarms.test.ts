import { stderr, stdout } from "node:process";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { environmentOf } from "../../../scripts/local-run/seeding.ts";
import { handler } from "../../../src/handlers/keyturn.ts";
import { days, hours, minutes } from "../../../src/rotation/time.ts";
import { CloudWatch } from "../../world/cloudwatch.ts";
import { setUpWire, type WireSetup } from "../setup.ts";
import { packageStage } from "./artifact.ts";

const ALARMS = ["sweep-failed", "sweeps-missing", "key-overdue", "rotation-blocked", "notifier-failing"];
const TOPIC = [{ Ref: "Notices" }];
/** The user that the tests below trouble: enrolled, with a key made by hand a hundred days ago, and held. */
const OLD = "serverless-deploy";

let local: WireSetup;
let watch: CloudWatch;
beforeAll(async () => {
  const [packaged, setup] = await Promise.all([packageStage("default"), setUpWire()]);
  local = setup;
  const { cloud, clock, wire } = local;
  for (const [name, value] of Object.entries(environmentOf(cloud, wire))) vi.stubEnv(name, value);
  // The function writes its log as in Lambda, whatever a local run sets.
  vi.stubEnv("AWS_LAMBDA_LOG_LEVEL", "INFO");
  cloud.iam.credentialReports.takesMs = 0;
  cloud.iam.createUser({ name: "flowid-dev-user", tags: { keyturn: "flowid" } });
  cloud.iam.createKey("flowid-dev-user", { createdAtMs: clock.now() - days(10) });
  const input = { Name: "keyturn/gone", SecretString: "{}", ClientRequestToken: "0".repeat(32) };
  cloud.callAs(cloud.role, { service: "secretsmanager", operation: "CreateSecret", input });
  watch = new CloudWatch(packaged.resources, clock.now());
  await invoke({ command: "resume" });
}, 90_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await local.close();
});

/** The deployed function, as Lambda runs it: its log goes to CloudWatch line by line, and so does that it threw. */
async function invoke(event: unknown): Promise<void> {
  const lines: string[] = [];
  const keep = (text: unknown): boolean => lines.push(...String(text).split("\n")) > 0;
  const spies = [stdout, stderr].map((stream) => vi.spyOn(stream, "write").mockImplementation(keep));
  local.clock.run();
  try {
    await handler(event);
  } catch {
    watch.put("AWS/Lambda", "Errors", 1, local.clock.now());
    watch.put("AWS/SQS", "ApproximateNumberOfMessagesVisible", 1, local.clock.now());
  } finally {
    local.clock.stop();
    for (const spy of spies) spy.mockRestore();
  }
  for (const line of lines) watch.log(line, local.clock.now());
}

function pass(ms: number): void {
  local.clock.advance(ms);
  watch.evaluateTo(local.clock.now());
}

/** So many hours with a sweep at the beginning of each. */
async function sweeps(count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    await invoke({ command: "sweep" });
    pass(hours(1));
  }
}

const states = (): string[] => ALARMS.filter((name) => watch.stateOf(`keyturn-${name}`) === "ALARM");
/** What an alarm did since it was last asked: "ALARM", "OK". */
function changesOf(name: string): string[] {
  const own = watch.changes.filter(({ alarm }) => alarm === `keyturn-${name}`);
  expect(own.map(({ told }) => told)).toEqual(own.map(() => TOPIC));
  watch.changes.length = 0;
  return own.map(({ to }) => to);
}

test("while all goes well no alarm is raised", async () => {
  await sweeps(4);
  expect(states()).toEqual([]);
  expect(ALARMS.map((name) => watch.stateOf(`keyturn-${name}`))).toEqual(ALARMS.map(() => "OK"));
  changesOf("sweep-failed");
});

test("a sweep that failed is an alarm until one went well, and not longer", async () => {
  const refused = { code: "AccessDenied", status: 403, kind: "error-before", times: "forever" } as const;
  const mend = local.cloud.faults.add({ service: "iam", operation: "GetUser", ...refused });
  await sweeps(3);
  expect([states(), changesOf("sweep-failed")]).toEqual([["sweep-failed"], ["ALARM"]]);
  mend();
  await sweeps(1);
  expect([states(), changesOf("sweep-failed")]).toEqual([[], ["OK"]]);
});

test("no sweep for three hours is an alarm until there is one again; sweeps that are late by minutes are none", async () => {
  for (const lateMs of [minutes(55), minutes(1), minutes(58), minutes(2)]) {
    pass(lateMs);
    await invoke({ command: "sweep" });
    pass(hours(1) - lateMs);
  }
  expect(states()).toEqual([]);
  watch.changes.length = 0;
  pass(hours(5));
  expect([states(), changesOf("sweeps-missing")]).toEqual([["sweeps-missing"], ["ALARM"]]);
  await sweeps(1);
  pass(hours(1));
  expect([states(), changesOf("sweeps-missing")]).toEqual([[], ["OK"]]);
});

test("a key that is too old is an alarm until it is gone, and hours without a sweep change nothing of it", async () => {
  local.cloud.iam.createUser({ name: OLD, tags: { keyturn: "ai-math-tutor", "keyturn-hold": "a freeze" } });
  const key = local.cloud.iam.createKey(OLD, { createdAtMs: local.clock.now() - days(100) });
  await sweeps(2);
  pass(hours(2));
  expect([states(), changesOf("key-overdue")]).toEqual([["key-overdue"], ["ALARM"]]);
  await sweeps(1);
  // Its replacement had a day; the rotation that is held is late, too.
  pass(days(1));
  await sweeps(1);
  expect(states()).toEqual(["key-overdue", "rotation-blocked"]);
  watch.changes.length = 0;
  local.cloud.callAs(local.cloud.role, {
    service: "iam",
    operation: "DeleteAccessKey",
    input: { UserName: OLD, AccessKeyId: key.id },
  });
  await sweeps(2);
  expect(states()).toEqual([]);
  expect(watch.changes.map(({ alarm, to }) => `${alarm} ${to}`).toSorted()).toEqual([
    "keyturn-key-overdue OK",
    "keyturn-rotation-blocked OK",
  ]);
});

test("a notifier that fails is an alarm until it could tell what it was given", async () => {
  const refused = { code: "AuthorizationError", status: 403, kind: "error-before", times: "forever" } as const;
  const mend = local.cloud.faults.add({ service: "sns", operation: "Publish", ...refused });
  local.cloud.iam.createUser({ name: "stranger", tags: { keyturn: "no-such-profile" } });
  await sweeps(2);
  expect(states()).toEqual(["sweep-failed", "notifier-failing"]);
  watch.changes.length = 0;
  mend();
  await sweeps(1);
  expect([states(), changesOf("notifier-failing")]).toEqual([[], ["OK"]]);
});

test("an event that the function fails on is an alarm of its own, and of the queue that keeps it", async () => {
  watch.changes.length = 0;
  await invoke({ command: "dance" });
  pass(minutes(10));
  const raised = watch.changes.filter(({ to }) => to === "ALARM").map(({ alarm }) => alarm);
  expect(raised).toEqual(["keyturn-errors", "keyturn-failed-invocations"]);
  pass(minutes(10));
  expect(watch.changes.filter(({ to, alarm }) => to === "OK" && raised.includes(alarm))).toHaveLength(2);
});
