import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { days, hours } from "../../../src/rotation/time.ts";
import type { Ground } from "./ground.ts";
import { setUpCli } from "./ground.ts";

const KEY = "AKIAIOSFODNN7EXAMPLE";
const ADMIN = "cloudflare-cognito-admin";
const NEWCOMER = "new-developer";

let ground: Ground;
beforeAll(async () => {
  ground = await setUpCli();
}, 120_000);
afterAll(async () => ground.close());

/** Runs a command that must end so, and gives what it wrote. */
async function ends(code: number, ...args: readonly string[]): Promise<string> {
  const ended = await ground.keyturn(args);
  expect(ended.code, `${args.join(" ")}: ${ended.err}`).toBe(code);
  return ended.out + ended.err;
}
const json = async (...args: readonly string[]): Promise<unknown> =>
  JSON.parse((await ground.keyturn([...args, "--json"])).out) as unknown;

describe("each word of the operator's", () => {
  test.concurrent.for<[readonly string[], object]>([
    [["rotate", "ann"], { command: "rotate", user: "ann" }],
    [["hold", "ann", "--reason", "release week"], { command: "hold", user: "ann", reason: "release week" }],
    [["release", "ann"], { command: "release", user: "ann" }],
    [["release", "ann", KEY], { command: "release", user: "ann", key: KEY }],
    [["rollback", "ann"], { command: "rollback", user: "ann" }],
    [["rollback", "ann", KEY], { command: "rollback", user: "ann", key: KEY }],
    [["reactivate", "ann", KEY], { command: "reactivate", user: "ann", key: KEY }],
    [["retire", "ann", KEY], { command: "retire", user: "ann", key: KEY }],
    [["revoke", "ann", KEY, "--yes-revoke", KEY], { command: "revoke", user: "ann", key: KEY }],
    [["forget", "ann", "worker:api"], { command: "forget", user: "ann", destination: "worker:api" }],
    [["adopt", "ann", KEY], { command: "adopt", user: "ann", key: KEY }],
    [["pause", "--reason", "freeze"], { command: "pause", reason: "freeze" }],
    [["resume"], { command: "resume" }],
    [["sweep", "ann", "bob"], { command: "sweep", users: ["ann", "bob"] }],
    [["plan"], { command: "plan" }],
  ])("%j is that event, and the answer is shown", async ([args, event]) => {
    const events: unknown[] = [];
    const recorder = `recorder-${args.join("-").replaceAll(" ", "-")}`;
    ground.local.wire.onInvoke(recorder, (sent) => {
      events.push(sent);
      return Promise.resolve({
        done: "It was done.",
        status: "ok",
        users: ((sent as { readonly users?: readonly string[] }).users ?? []).map((user) => ({ user, decisions: [] })),
        left: [],
        failedNotifiers: [],
        resting: 0,
      });
    });
    const said = await ends(0, ...args, "--function", recorder);
    expect(events).toEqual([event]);
    expect(said).toMatch(/It was done\.|There was nobody/);
  });

  test("without the key id typed again nothing is revoked", async () => {
    expect(await ends(1, "revoke", "ann", KEY)).toContain("Nobody can type here");
  });

  test("that the function refuses is told in its sentence, and ends with 1", async () => {
    const said = await ends(1, "explain", "nobody-at-all");
    expect(said).toBe("explaining nobody-at-all, IAM has no user of that name: see status\n");
  });
});

describe("a function that is not reached ends with 3", () => {
  test.for<[string, Readonly<Record<string, string>>, RegExp]>([
    ["nothing listens there", { AWS_ENDPOINT_URL: "http://127.0.0.1:9" }, /invoking keyturn, .*ECONNREFUSED/s],
    ["no Region is known", { AWS_REGION: "" }, /AWS_REGION/],
    ["the pair is refused", { AWS_ACCESS_KEY_ID: KEY, AWS_SESSION_TOKEN: "" }, /lambda:InvokeFunction/],
  ])("where %s", async ([, variables, said]) => {
    const ended = await ground.keyturn(["status"], variables);
    expect(ended.code).toBe(3);
    expect(ended.err).toMatch(said);
    expect(ended.err).not.toMatch(/\bat .*:\d+:\d+/);
  });
});

describe("what is not Keyturn's answer is nobody's success", () => {
  test.for<[string, readonly string[]]>([
    ["revoke", ["revoke", "ann", KEY, "--yes-revoke", KEY]],
    ["status", ["status"]],
    ["sweep", ["sweep"]],
    ["report", ["report"]],
    ["explain", ["explain", "ann"]],
    ["history", ["history", "ann"]],
    ["doctor", ["doctor"]],
  ])("%s of another function ends with 3, and says which it asked", async ([name, args]) => {
    for (const answer of [null, { statusCode: 200, body: "ok" }]) {
      ground.local.wire.onInvoke(`another-${name}`, () => Promise.resolve(answer));
      const said = await ends(3, ...args, "--function", `another-${name}`);
      expect(said.replaceAll(/\s+/g, " ")).toContain(`another-${name} answered, and not as Keyturn does`);
    }
  });

  test("a page of a network's in the place of Lambda's answer is told as one", async () => {
    const page = createServer((_, response) => response.end("<html>log in</html>")).listen(0, "127.0.0.1");
    await once(page, "listening");
    const { port } = page.address() as AddressInfo;
    const { code, err } = await ground.keyturn(["resume"], { AWS_ENDPOINT_URL: `http://127.0.0.1:${String(port)}` });
    page.close();
    expect([code, err]).toEqual([3, expect.stringMatching(/no JSON[\s\S]*Whether it was heard is not known/)]);
    expect(err).not.toContain("<html>");
  });

  test("of what was never sent it does not say that it may have been heard", async () => {
    const { err } = await ground.keyturn(["resume"], { AWS_ENDPOINT_URL: "http://127.0.0.1:9" });
    expect(err).toContain("Nothing was sent.");
  });
});

describe("a user that nobody enrolled", () => {
  test.for(["status", "plan", "sweep"])("is told by %s, which ends with 1", async (command) => {
    const said = await ends(1, command, "flowid-dev-user", "no-such");
    expect(said).toContain("Nobody of that name is enrolled: no-such.");
    expect(said).toMatch(/flowid-dev-user +/);
  });

  test("cannot be unenrolled", async () => {
    expect(await ends(1, "unenroll", "no-such")).toBe("There is no user no-such.\n");
  });
});

describe("doctor", () => {
  test("does not ask for patience where nothing is configured", async () => {
    const { out } = await ground.keyturn(["doctor"], { AWS_REGION: "" });
    expect(out).not.toContain("in a few minutes");
  });

  test("of a fresh installation finds that it is paused, and nothing else", async () => {
    const said = await ends(1, "doctor");
    expect(said).toMatch(/NOT OK {2}sweeps +paused/);
    expect(said).toContain("1 not ok, 0 could not be told");
  });

  test("names what is not as it was deployed, each with the way out", async () => {
    const { deployment, sns } = ground.local.cloud;
    deployment.isScheduleEnabled = false;
    sns.subscriptions.splice(0, Infinity, { protocol: "email", endpoint: "you@example.com", isConfirmed: false });
    deployment.timeoutS = 30;
    deployment.hasRole = false;
    ground.local.wire.table.hasBackups = false;
    const said = await ends(1, "doctor");
    for (const check of ["configuration", "role", "table", "topic", "schedule"]) {
      expect(said).toMatch(new RegExp(`NOT OK {2}${check} `));
    }
    Object.assign(deployment, { isScheduleEnabled: true, timeoutS: 900, hasRole: true });
    sns.subscriptions.splice(0, Infinity, { protocol: "email", endpoint: "you@example.com", isConfirmed: true });
    ground.local.wire.table.hasBackups = true;
  });

  test("says what it may not read, and does not take that for a fault", async () => {
    const { faults } = ground.local.cloud;
    const denied = { kind: "error-before", code: "AccessDeniedException", status: 403, times: "forever" } as const;
    const mend = faults.add({ service: "sns", operation: "ListSubscriptionsByTopic", ...denied });
    expect(await ends(1, "doctor")).toMatch(/\? +topic +reading topic/);
    mend();
  });
});

describe("a rotation, as the command line shows it", () => {
  beforeAll(async () => {
    await ends(0, "resume");
    await ends(0, "sweep");
    ground.local.clock.advance(days(11) + hours(6));
    await ends(0, "sweep", ADMIN);
  }, 120_000);

  test("status has every user's phase and next step", async () => {
    const said = await ends(0, "status");
    expect(said).toMatch(/ADMIN|cloudflare-cognito-admin +cognito-admin +inactive 131 d, 11 d +soaking +2027-01-15/);
    expect(said).toMatch(/flowid-dev-user +flowid +106 d, 11 d +waiting/);
    expect(await json("status", ADMIN)).toMatchObject({ users: [{ user: ADMIN, phase: "soaking" }] });
  });

  test("plan, explain and history say what is next, why, and what was", async () => {
    expect(await ends(0, "plan", ADMIN)).toMatch(/hold +held|hold +planned/);
    expect(await ends(0, "explain", ADMIN)).toMatch(/rule delete/);
    const said = await ends(0, "history", ADMIN);
    expect(said).toMatch(/promoted AKIA/);
    expect(said).toMatch(/CloudTrail of AKIA/);
    expect(await json("history", ADMIN)).toMatchObject({ user: ADMIN, lines: expect.any(Array) });
  });

  test("report comes as a table, as CSV, as JSON and as a page", async () => {
    expect(await ends(0, "report")).toMatch(/flowid-dev-user .* past policy by 16 d/);
    expect(await ends(0, "report", "--format", "csv")).toMatch(/^user,profile,key id/);
    expect(await json("report")).toMatchObject({ users: expect.any(Array) });
    const file = join(ground.home, "keys.html");
    await ends(0, "report", "--format", "html", "--out", file);
    const page = await readFile(file, "utf8");
    ground.written.push(page);
    expect(page).toMatch(/^<!doctype html>[\s\S]*cloudflare-cognito-admin[\s\S]*<\/html>\n$/);
    const refused = await ends(1, "report", "--out", "/nowhere/keys.html");
    expect(refused).toContain("writing /nowhere/keys.html, ENOENT. See that its folder is there");
    // A folder, or a device such as /dev/null, is no report of yesterday.
    expect(await ends(1, "report", "--out", ground.home)).toContain("is no file");
    expect(await readdir(dirname(ground.home))).not.toContainEqual(
      expect.stringMatching(new RegExp(`${basename(ground.home)}\\.`)),
    );
  });
});

describe("doctor --profile", () => {
  async function diagnosed(id: string, secret: string): Promise<string> {
    await mkdir(join(ground.home, ".aws"), { recursive: true });
    const text = `[mine]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`;
    await writeFile(join(ground.home, ".aws", "credentials"), text);
    const { out } = await ground.keyturn(["doctor", "--profile", "mine"]);
    expect(out).not.toContain(secret);
    return out;
  }
  const pairOf = (user: string) => {
    const [key] = ground.local.cloud.iam.keysOf(user);
    if (key === undefined) throw new Error(`${user} has no key`);
    return key;
  };

  test("without a file says where it should be", async () => {
    const ended = await ground.keyturn(["doctor", "--profile", "mine"], {
      AWS_SHARED_CREDENTIALS_FILE: "/nowhere/credentials",
    });
    expect([ended.code, ended.out]).toEqual([1, expect.stringContaining("there is no /nowhere/credentials")]);
  });

  test("of a file that cannot be read says why", async () => {
    const ended = await ground.keyturn(["doctor", "--profile", "mine"], { AWS_SHARED_CREDENTIALS_FILE: ground.home });
    expect([ended.code, ended.out]).toEqual([1, expect.stringMatching(/NOT OK {2}file +reading .*EISDIR/s)]);
    expect(ended.err).toBe("");
  });

  test("tells a pair that works, an unknown key and another key's secret apart", async () => {
    const [good, other] = [pairOf("flowid-dev-user"), pairOf(ADMIN)];
    expect(await diagnosed(good.id, good.secret)).toMatch(/ok +AWS .*user\/flowid-dev-user/s);
    const unknown = await diagnosed(KEY, good.secret);
    expect(unknown).toContain("InvalidClientTokenId");
    // A pull asks with the very pair that is dead.
    expect(unknown).not.toContain("fetch the current pair: `keyturn pull`");
    expect(await diagnosed(good.id, other.secret)).toContain("SignatureDoesNotMatch");
  });
});

describe("enroll", () => {
  const secretName = `keyturn/${NEWCOMER}`;
  const { args, credentials } = {
    args: ["enroll", NEWCOMER, "--as", "flowid"],
    credentials: () => join(ground.home, ".aws", "credentials"),
  };
  const held = () => {
    const { secretsManager, iam } = ground.local.cloud;
    const text = secretsManager.textOf(secretName, "AWSCURRENT");
    const tag = iam.users.get(NEWCOMER)?.tags.find(({ Key }) => Key === "keyturn")?.Value;
    return { current: text === null ? null : (JSON.parse(text) as object), tag };
  };
  function forget(): void {
    const { secretsManager, iam } = ground.local.cloud;
    const index = secretsManager.secrets.findIndex(({ name }) => name === secretName);
    if (index >= 0) secretsManager.secrets.splice(index, 1);
    const user = iam.users.get(NEWCOMER);
    if (user !== undefined) user.tags = [];
  }
  let pair: { readonly id: string; readonly secret: string };
  beforeAll(async () => {
    const { iam, clock } = ground.local.cloud;
    iam.createUser({ name: NEWCOMER, path: "/developers/" });
    pair = iam.createKey(NEWCOMER, { createdAtMs: clock.now() - days(5) });
    await mkdir(join(ground.home, ".aws"), { recursive: true });
    const text = `[deploy]\naws_access_key_id = ${pair.id}\naws_secret_access_key = ${pair.secret}\n`;
    await writeFile(credentials(), text);
    await chmod(credentials(), 0o600);
  });

  test("makes the secret with a marker, lets the user alone read it, tags, and shows the plan; said twice it acts once", async () => {
    expect(await ends(0, ...args)).toMatch(
      /holds a marker[\s\S]*is tagged: keyturn=flowid[\s\S]*What would be done next/,
    );
    expect(held()).toEqual({ current: { Version: 1 }, tag: "flowid" });
    // The very policy that the function's own guard would give it, which keeps the deposit's label, too.
    const policy = ground.local.cloud.secretsManager.named(secretName)?.policy ?? "";
    expect(JSON.parse(policy)).toMatchObject({
      Statement: [
        { Effect: "Allow", Principal: { AWS: expect.stringContaining(`user/developers/${NEWCOMER}`) } },
        { Effect: "Deny", Condition: { Null: { "aws:TokenIssueTime": "false" } } },
        {
          Effect: "Deny",
          Condition: { StringEquals: { "secretsmanager:VersionStage": expect.arrayContaining(["KEYTURN_DEPOSIT"]) } },
        },
        { Sid: "NoFederatedUser", Effect: "Deny" },
      ],
    });
    expect(await ends(0, ...args)).toMatch(/was there[\s\S]*was tagged already/);
    expect(ground.local.cloud.secretsManager.named(secretName)?.versions.size).toBe(1);
    forget();
  });

  test("leaves a policy that somebody else gave the secret, and says so", async () => {
    await ends(0, ...args);
    const secret = ground.local.cloud.secretsManager.named(secretName);
    if (secret !== null) secret.policy = '{"Statement":[]}';
    expect(await ends(0, ...args)).toContain("it has a policy of its own, which is left");
    expect(secret?.policy).toBe('{"Statement":[]}');
    forget();
  });

  test("deposits the pair of the credentials file, once, and the next look takes it for the current one", async () => {
    expect(await ends(0, ...args, "--deposit", "--pair-from", "deploy")).toContain(`${pair.id} works, and is current`);
    expect(held().current).toEqual({ Version: 1, AccessKeyId: pair.id, SecretAccessKey: pair.secret });
    expect(await ends(0, ...args, "--deposit", "--pair-from", "deploy")).toContain("was current already");
    expect(await json("status", NEWCOMER)).toMatchObject({ users: [{ phase: "at rest" }] });
    forget();
  });

  // Dying before one write is dying after the one before it.
  test.for(["CreateSecret", "PutSecretValue", "UpdateSecretVersionStage", "PutResourcePolicy", "TagUser"])(
    "cut short when %s has taken effect unheard, it is completed by saying it again",
    async (operation) => {
      const deposit = [...args, "--deposit", "--pair-from", "deploy"];
      const service = operation === "TagUser" ? "iam" : "secretsmanager";
      const mend = ground.local.cloud.faults.add({ service, operation, kind: "lost-after", times: "forever" });
      const { code } = await ground.keyturn(deposit);
      // A label whose move was answered by nobody is looked up, and so found moved.
      expect(code).toBe(operation === "UpdateSecretVersionStage" ? 0 : 1);
      mend();
      await ends(0, ...deposit);
      expect(held()).toMatchObject({ current: { AccessKeyId: pair.id }, tag: "flowid" });
      forget();
    },
  );

  test.for<[string, readonly string[], number, RegExp]>([
    ["a profile that is not configured", ["enroll", NEWCOMER, "--as", "flowi"], 2, /did you mean flowid\?/],
    [
      "a user whom the profile does not serve",
      ["enroll", NEWCOMER, "--as", "ai-math-tutor"],
      1,
      /Add new-developer in keyturn\.config\.ts/,
    ],
    ["a user who does not exist", ["enroll", "nobody", "--as", "flowid"], 1, /There is no user nobody/],
    ["a user of another profile", ["enroll", "flowid-dev-user", "--as", "matchmaking"], 1, /may serve/],
    [
      "another user's pair",
      ["enroll", "flowid-dev-user", "--as", "flowid", "--deposit", "--pair-from", "deploy"],
      1,
      /no working key of flowid-dev-user/,
    ],
    [
      "a profile of the file that is not there",
      [...args, "--deposit", "--pair-from", "typo"],
      1,
      /keyturn\s+doctor\s+--profile\s+typo/,
    ],
  ])("refuses %s, and has done nothing", async ([, typed, code, said]) => {
    const before = JSON.stringify(
      ground.local.cloud.secretsManager.secrets.map(({ name, versions }) => [name, versions.size]),
    );
    expect(await ends(code, ...typed)).toMatch(said);
    const after = JSON.stringify(
      ground.local.cloud.secretsManager.secrets.map(({ name, versions }) => [name, versions.size]),
    );
    expect(after).toBe(before);
  });

  test("unenroll takes the tag away and leaves the keys; in the middle of a rotation only when told to", async () => {
    await ends(0, ...args);
    expect(await ends(0, "unenroll", NEWCOMER)).toContain("no longer enrolled");
    expect(held().tag).toBeUndefined();
    expect(await ends(1, "unenroll", ADMIN)).toContain("in the middle of a rotation (soaking)");
    await ends(0, "hold", ADMIN, "--reason", "release week");
    expect(await ends(1, "unenroll", ADMIN)).toContain("in the middle of a rotation (held)");
    await ends(0, "release", ADMIN);
    expect(ground.local.cloud.iam.keysOf(NEWCOMER)).toHaveLength(1);
  });
});

test("nothing that any command wrote has a secret in it", () => {
  const { iam, role } = ground.local.cloud;
  const secrets = [...iam.keys.values()].map(({ secret }) => secret);
  const written = ground.written.join("\n");
  expect(secrets.length).toBeGreaterThan(8);
  expect(written.length).toBeGreaterThan(10_000);
  for (const secret of [...secrets, role.secret, role.sessionToken]) expect(written.includes(secret)).toBe(false);
});
