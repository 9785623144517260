import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Plugin } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { CLOUDFLARE_ACCOUNT, type LocalCloud, startLocalCloud } from "../../../scripts/local-run/local-cloud.ts";
import { days, hours } from "../../../src/rotation/time.ts";
import type { CloudCall } from "../../world/call.ts";
import { build } from "../../../scripts/build.ts";
import { packageStage } from "./artifact.ts";
import type { Packaged } from "./artifact.ts";
import { enforce } from "./needs.ts";
import { grantsOf } from "./policy.ts";

/** Whom the example configuration rotates by the profile matchmaking, and him alone. */
const LISTED = "cloudflare-sveltekit-lambda-invoker";
/** What makes a key, takes one away, or hands a pair over. */
const TOUCHES = /^(iam:(Create|Update|Delete)AccessKey|secretsmanager:(Create|Put|UpdateSecretVersion)\w+)$/;

const SHARED_OUTPUT = "dist/tagging-test/keyturn.cjs";
/** A profile that serves whoever is under a path, all of whose users would have one Worker. */
const SHARED_CONFIG = `import { defineConfig } from "./src/config/define.ts";
  const secrets = { accessKeyId: "LAMBDA_AWS_ACCESS_KEY_ID", secretAccessKey: "LAMBDA_AWS_SECRET_ACCESS_KEY" };
  const place = { accountId: "${CLOUDFLARE_ACCOUNT}", worker: "matchmaking", secrets, apiToken: "cloudflare/api-token" };
  const destinations = [{ kind: "cloudflare-worker", ...place }];
  export default defineConfig({ profiles: { matchmaking: { users: ["/shared/"], destinations } } });`;
const sharing: Plugin = {
  name: "another configuration",
  setup(setting) {
    setting.onLoad({ filter: /keyturn\.config\.ts$/ }, () => ({ contents: SHARED_CONFIG, loader: "ts" }));
  },
};

type Handler = (event: unknown) => Promise<unknown>;
let packaged: Packaged;
let directory: string;
let handler: Handler;
beforeAll(async () => {
  packaged = await packageStage("default");
  directory = await mkdtemp(join(tmpdir(), "keyturn-tagging-"));
  for (const name of ["keyturn.cjs", "keyturn-sealed-box.cjs"]) {
    await writeFile(join(directory, name), packaged.files.get(`dist/${name}`) ?? "");
  }
  ({ handler } = createRequire(import.meta.url)(join(directory, "keyturn.cjs")) as { readonly handler: Handler });
}, 90_000);
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await rm(dirname(SHARED_OUTPUT), { recursive: true, force: true });
});

let local: LocalCloud;
/** What was done to whom, of keys and of custody: a pair is in custody before it is anywhere else. */
let touched: string[];
beforeEach(async () => {
  local = await startLocalCloud();
  for (const [name, value] of Object.entries(local.environment)) vi.stubEnv(name, value);
  for (const { user } of Object.values(local.systems)) if (user !== LISTED) untag(user, "keyturn");
  local.clock.advance(hours(5));
  enforce(local.cloud, grantsOf(packaged.resources, "KeyturnRole"));
  await handler({ command: "resume" });
  touched = [];
  local.cloud.onCall((call) => touched.push(...touchesOf(call)));
}, 60_000);
afterEach(async () => {
  vi.unstubAllEnvs();
  await local.close();
});

function touchesOf({ service, operation, input, signer }: CloudCall): string[] {
  const isOurs = signer?.keyId === local.cloud.role.keyId && TOUCHES.test(`${service}:${operation}`);
  return isOurs ? [`${operation} ${String(input["UserName"] ?? input["SecretId"] ?? input["Name"])}`] : [];
}

/** The attacker has a pair of his own, of a user who may tag. */
function tag(user: string, key: string, value: string): void {
  const input = { UserName: user, Tags: [{ Key: key, Value: value }] };
  local.cloud.callAs(attacker(), { service: "iam", operation: "TagUser", input });
}

function untag(user: string, key: string): void {
  const input = { UserName: user, TagKeys: [key] };
  local.cloud.callAs(attacker(), { service: "iam", operation: "UntagUser", input });
}

function attacker(): { readonly keyId: string; readonly secret: string } {
  const { iam } = local.cloud;
  if (!iam.users.has("tagger")) iam.createUser({ name: "tagger" });
  const [key] = iam.keysOf("tagger");
  const { id: keyId, secret } = key ?? iam.createKey("tagger", { createdAtMs: local.clock.now() - days(1) });
  return { keyId, secret };
}

async function sweep(by: Handler = handler): Promise<void> {
  local.clock.run();
  await by({ command: "sweep" });
  local.clock.stop();
  local.clock.advance(hours(1));
}

/** The consumer works with the pair that it was given. */
function work(): void {
  const newest = local.cloud.iam.keysOf(LISTED).toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0];
  if (newest === undefined) throw new Error("the consumer has no key");
  const pair = { keyId: newest.id, secret: newest.secret };
  local.cloud.callAs(pair, { service: "lambda", operation: "Invoke" });
}

/** "NotServedByProfile admin", and ", over" where something that lasted has ended. */
const told = (): string[] =>
  local.cloud.sns.published.map(({ attributes: { code, user, state } }) =>
    [`${code ?? ""} ${user ?? ""}`, ...(state === "over" ? ["over"] : [])].join(", "),
  );
const keysOf = (user: string): string[] => local.cloud.iam.keysOf(user).map(({ id, status }) => `${id} ${status}`);

/** An administrator with an old key, whom no profile lists. */
function createAdmin(): readonly string[] {
  local.cloud.iam.createUser({ name: "admin", attached: ["arn:aws:iam::aws:policy/AdministratorAccess"] });
  local.cloud.iam.createKey("admin", { createdAtMs: local.clock.now() - days(200) });
  return keysOf("admin");
}

test("whoever enrols an administrator whom the profile does not list gets no key of his, and it is told", async () => {
  const before = createAdmin();
  tag("admin", "keyturn", "matchmaking");
  untag(LISTED, "keyturn");
  await sweep();
  await sweep();
  expect(touched).toEqual([]);
  expect(keysOf("admin")).toEqual(before);
  expect(told()).toContain("NotServedByProfile admin");
});

test("whoever enrols another user for the Worker of the one who is listed changes nothing for that one", async () => {
  tag("flowid-dev-user", "keyturn", "matchmaking");
  await sweep();
  expect(touched.filter((one) => !one.includes(LISTED))).toEqual([]);
  expect(touched).toContain(`CreateAccessKey ${LISTED}`);
  expect(told()).toContain("NotServedByProfile flowid-dev-user");
});

test("whoever takes the enrolment away in mid-rotation has the old key kept, and it is told", async () => {
  await sweep();
  work();
  local.clock.advance(days(13));
  work();
  untag(LISTED, "keyturn");
  const [before, from] = [keysOf(LISTED), touched.length];
  await sweep();
  await sweep();
  expect(before).toHaveLength(2);
  expect(touched.slice(from)).toEqual([]);
  expect(keysOf(LISTED)).toEqual(before);
  expect(told()).toContain(`NotEnrolled ${LISTED}`);
});

test("without that, the same sweep takes the old key away", async () => {
  await sweep();
  work();
  local.clock.advance(days(13));
  work();
  await sweep();
  expect(touched.at(-1)).toBe(`UpdateAccessKey ${LISTED}`);
});

test("whoever adds another stage's enrolment has the user held, and it is told", async () => {
  tag(LISTED, "keyturn-dev", "matchmaking");
  const before = keysOf(LISTED);
  await sweep();
  await sweep();
  expect(touched).toEqual([]);
  expect(keysOf(LISTED)).toEqual(before);
  expect(told()).toContain(`TwoEnrolments ${LISTED}`);
});

test("whoever enrols an administrator in another stage gets nothing from this one, nor from its role", async () => {
  const before = createAdmin();
  tag("admin", "keyturn-dev", "matchmaking");
  untag(LISTED, "keyturn");
  await sweep();
  expect([touched, keysOf("admin")]).toEqual([[], before]);
});

test("whoever ends an operator's hold in mid-rotation makes no rule give way: in its quiet the old key stays", async () => {
  await sweep();
  tag(LISTED, "keyturn-hold", "a freeze");
  await sweep();
  untag(LISTED, "keyturn-hold");
  const [before, from] = [keysOf(LISTED), touched.length];
  await sweep();
  expect([touched.slice(from), keysOf(LISTED)]).toEqual([[], before]);
  expect(before.map((key) => key.split(" ")[1])).toEqual(["Active", "Active"]);
  // That it was ended is not told: docs/threat-model.md says so.
  expect(told()).toEqual([`HeldByOperator ${LISTED}`]);
});

/** A user whom the shared profile may serve, with an old key. */
function createShared(name: string): readonly string[] {
  local.cloud.iam.createUser({ name, path: "/shared/" });
  local.cloud.iam.createKey(name, { createdAtMs: local.clock.now() - days(100) });
  return keysOf(name);
}

test("whoever points a second user to a place has both held, and it is told; one alone is rotated", async () => {
  const { file } = await build({ output: SHARED_OUTPUT, plugins: [sharing] });
  const { handler: shared } = createRequire(import.meta.url)(file) as { readonly handler: Handler };
  untag(LISTED, "keyturn");
  const before = [createShared("first"), createShared("second")];
  tag("first", "keyturn", "matchmaking");
  tag("second", "keyturn", "matchmaking");
  await sweep(shared);
  await sweep(shared);
  expect([touched, ["first", "second"].map(keysOf)]).toEqual([[], before]);
  expect(told().toSorted()).toEqual(expect.arrayContaining(["SlotShared first", "SlotShared second"]));
  untag("second", "keyturn");
  await sweep(shared);
  expect(touched).toContain("CreateAccessKey first");
  expect(keysOf("second")).toEqual(before[1]);
});
