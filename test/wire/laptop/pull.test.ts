import { lstat, readdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SigningPair } from "../../world/caller.ts";
import { aMachine, DEV } from "./ground.ts";
import type { Machine } from "./ground.ts";
import { denied } from "../../world/faults.ts";

const PULL = ["pull", "--profile", "flowid", "--user", DEV, "--reader", "laptop-a"];

/** A file as people leave them: comments, other profiles, Windows' line ends, a byte that is no UTF-8. */
const fileWith = ({ keyId, secret }: SigningPair): string =>
  [
    "# mine \u00e9\r\n[default]\naws_access_key_id=AKIAOTHEROTHEROTHER\naws_secret_access_key = other\n\n\n",
    `[ flowid ]\r\nregion = eu-west-1\r\naws_access_key_id = ${keyId}\r\naws_secret_access_key=${secret}\r\n# until May\r\n`,
    "[flowid-two]\naws_access_key_id = AKIATWOTWOTWOTWOTWO\naws_secret_access_key = two",
  ].join("");

let here: Machine;
beforeEach(async () => {
  here = await aMachine();
  await here.write("credentials", fileWith(here.first));
});
afterEach(async () => here.close());

describe("pull", () => {
  test("puts the current pair into its profile, and leaves every other byte as it was", async () => {
    const next = here.replace();
    const { exitCode, out, err } = await here.run(PULL);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(out).toBe(`flowid has ${next.keyId} in the place of ${here.first.keyId}\n`);
    expect(await here.read("credentials")).toBe(fileWith(next));
    expect((await stat(join(here.home, ".aws", "credentials"))).mode & 0o777).toBe(0o600);
    expect((await readdir(join(here.home, ".aws"))).toSorted()).toEqual(["credentials"]);
  });

  test("signs nothing with the old key but one read of custody by name, and by name only what it has stored", async () => {
    await here.run(PULL);
    const next = here.replace();
    here.calls.length = 0;
    await here.run(PULL);
    expect(here.calls).toEqual([
      `GetSecretValue by ${here.first.keyId} as keyturn-laptop-a`,
      `GetCallerIdentity by ${next.keyId} as nobody`,
      `GetSecretValue by ${next.keyId} as keyturn-laptop-a`,
    ]);
  });

  test("changes nothing, and succeeds, where there is no newer pair", async () => {
    const noSecret = await here.run(PULL);
    here.enrol();
    const onlyMarker = await here.run(PULL);
    expect([noSecret.exitCode, onlyMarker.exitCode]).toEqual([0, 0]);
    expect(onlyMarker.out).toContain("holds no pair yet");
    expect(await here.read("credentials")).toBe(fileWith(here.first));
    const next = here.replace();
    await here.run(PULL);
    expect((await here.run(PULL)).out).toBe(`flowid keeps ${next.keyId}: it is the current pair\n`);
  });

  test.for([
    ["AWS cannot be reached", { AWS_ENDPOINT_URL: "http://127.0.0.1:9" }],
    ["it may not read the secret", {}],
  ] as const)("keeps its pair and succeeds where %s", async ([why, more]) => {
    here.replace();
    if (why.includes("may not")) {
      here.cloud.faults.add(denied("secretsmanager", "GetSecretValue"));
    }
    const { exitCode, out } = await here.run(PULL, more);
    expect(exitCode).toBe(0);
    expect(out).toContain(`flowid keeps ${here.first.keyId}: `);
    expect(await here.read("credentials")).toBe(fileWith(here.first));
  });

  test("does not take a pair that AWS does not know everywhere yet", async () => {
    const next = here.replace();
    const settle = here.cloud.faults.add({
      service: "sts",
      operation: "GetCallerIdentity",
      kind: "error-before",
      code: "InvalidClientTokenId",
      status: 403,
      times: "forever",
      when: ({ signer }) => signer?.keyId === next.keyId,
    });
    expect((await here.run(PULL)).out).toContain("everywhere yet");
    expect(await here.read("credentials")).toBe(fileWith(here.first));
    settle();
    await here.run(PULL);
    expect(await here.read("credentials")).toBe(fileWith(next));
  });

  test("says what to do when its pair is dead", async () => {
    await here.run(PULL);
    here.replace();
    here.retire();
    const { exitCode, err } = await here.run(PULL);
    expect(exitCode).toBe(1);
    expect(err).toContain(`AWS does not take ${here.first.keyId} any more`);
    expect(err).toContain("aws configure");
    expect(err).not.toContain(here.first.secret);
  });

  test.for([
    ["another user's pair", (text: string) => text, "and not to the user somebody-else"],
    ["a session", (text: string) => `${text}\n[flowid-s]\naws_session_token=x\n`, "holds a session"],
    ["no pair", (text: string) => `${text}\n[flowid-s]\nregion=x\n`, "holds no pair"],
    ["two profiles of its name", (text: string) => `${text}\n[flowid]\n`, "there twice"],
  ] as const)("refuses a profile that holds %s, and changes nothing", async ([what, change, said]) => {
    here.replace();
    const before = change(fileWith(here.first));
    await here.write("credentials", before);
    const args = what.startsWith("another")
      ? ["pull", "--profile", "flowid", "--user", "somebody-else", "--secret", `keyturn/${DEV}`]
      : PULL.map((word) => (word === "flowid" && before.includes("flowid-s]") ? "flowid-s" : word));
    const { exitCode, err } = await here.run(args);
    expect(err).toContain(said);
    expect(exitCode).toBe(1);
    expect(await here.read("credentials")).toBe(before);
  });

  test("says that there is no file, and not that a profile is missing in it", async () => {
    const { exitCode, err } = await here.run(PULL, { AWS_SHARED_CREDENTIALS_FILE: join(here.home, "nowhere") });
    expect([exitCode, err]).toEqual([1, expect.stringMatching(/it is not there: .*aws configure/)]);
  });

  test("finds the file where the environment says, and keeps a link a link", async () => {
    const next = here.replace();
    const link = join(here.home, "elsewhere");
    await symlink(join(here.home, ".aws", "credentials"), link);
    await here.run(PULL, { AWS_SHARED_CREDENTIALS_FILE: link });
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await here.read("credentials")).toBe(fileWith(next));
  });

  test("six at once leave one whole file", async () => {
    const next = here.replace();
    const ran = await Promise.all(Array.from({ length: 6 }, () => here.run(PULL)));
    expect(await here.read("credentials")).toBe(fileWith(next));
    // Whoever came second finds another pair than the one that it had asked with, and says so.
    for (const { exitCode, err } of ran) expect([exitCode === 0, err.includes("run it again")]).toContain(true);
    expect(await readdir(join(here.home, ".aws"))).toEqual(["credentials"]);
  });

  test.for(["rename", "rm"])("killed right before the %s of its work, it is taken up by the next run", async (what) => {
    const next = here.replace();
    const target = join(here.home, ".aws", what === "rename" ? "credentials" : "credentials.keyturn-lock");
    expect((await here.run(PULL, { DIE_AT: `${what} ${target}` })).exitCode).toBe(null);
    expect(await here.read("credentials")).toBe(fileWith(what === "rename" ? here.first : next));
    expect((await here.run(PULL)).exitCode).toBe(0);
    expect(await here.read("credentials")).toBe(fileWith(next));
    // Whoever has stored it reads custody by name with it, also when the first that did so died.
    expect(here.calls).toContain(`GetSecretValue by ${next.keyId} as keyturn-laptop-a`);
  });
});
