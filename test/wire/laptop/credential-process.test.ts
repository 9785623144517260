import { chmod, mkdir, readdir, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execPath } from "node:process";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { parseArgs } from "node:util";
import type { Typed } from "../../../src/cli/command.ts";
import { LAPTOP } from "../../../src/cli/laptop/index.ts";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { SigningPair } from "../../world/caller.ts";
import { aMachine, DEV } from "./ground.ts";
import type { Machine } from "./ground.ts";
import { denied } from "../../world/faults.ts";

const PROCESS = ["credential-process", "--user", DEV, "--profile", "source", "--reader", "laptop-a"];
const sourceOf = ({ keyId, secret }: SigningPair): string =>
  `[source]\naws_access_key_id = ${keyId}\naws_secret_access_key = ${secret}\n`;
const printed = ({ keyId, secret }: SigningPair): unknown => ({
  Version: 1,
  AccessKeyId: keyId,
  SecretAccessKey: secret,
});

let here: Machine;
beforeEach(async () => {
  here = await aMachine();
  await here.write("credentials", sourceOf(here.first));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await here.close();
});

const pairOf = async (more: Readonly<Record<string, string>> = {}): Promise<unknown> => {
  const { exitCode, out } = await here.run(PROCESS, more);
  expect(exitCode).toBe(0);
  return JSON.parse(out);
};
const cacheFile = async (): Promise<string> => {
  const [name = "none"] = (await readdir(join(here.home, ".keyturn"))).filter((file) => file.endsWith(".json"));
  return join(here.home, ".keyturn", name);
};

describe("credential-process", () => {
  test("prints the pair that was typed in, and from the promotion on the new one, also when the old key is gone", async () => {
    expect(await pairOf()).toEqual(printed(here.first));
    const next = here.replace();
    expect(await pairOf()).toEqual(printed(next));
    here.retire();
    expect(await pairOf()).toEqual(printed(next));
    expect(await pairOf({ AWS_ENDPOINT_URL: "http://127.0.0.1:9" })).toEqual(printed(next));
    expect((await stat(await cacheFile())).mode & 0o777).toBe(0o600);
    expect((await stat(join(here.home, ".keyturn"))).mode & 0o777).toBe(0o700);
  });

  test("signs nothing with the old key but one read of custody by name, and by name only what it has stored", async () => {
    await pairOf();
    const next = here.replace();
    here.calls.length = 0;
    await pairOf();
    expect(here.calls).toEqual([
      `GetSecretValue by ${here.first.keyId} as keyturn-laptop-a`,
      `GetCallerIdentity by ${next.keyId} as nobody`,
      `GetSecretValue by ${next.keyId} as keyturn-laptop-a`,
    ]);
  });

  test("keeps the pair that it has where custody holds none yet, cannot be reached, or may not be read", async () => {
    expect(await pairOf()).toEqual(printed(here.first));
    here.enrol();
    expect(await pairOf()).toEqual(printed(here.first));
    expect(await pairOf({ AWS_ENDPOINT_URL: "http://127.0.0.1:9" })).toEqual(printed(here.first));
    here.replace();
    here.cloud.faults.add(denied("secretsmanager", "GetSecretValue"));
    const { exitCode, out, err } = await here.run(PROCESS);
    expect([exitCode, JSON.parse(out)]).toEqual([0, printed(here.first)]);
    expect(err).toContain(`kept ${here.first.keyId}: `);
  });

  test("hands out no pair that it could not store", async () => {
    await pairOf();
    const next = here.replace();
    const inTheWay = `${await cacheFile()}.keyturn-new`;
    await mkdir(inTheWay);
    expect(await pairOf()).toEqual(printed(here.first));
    await rmdir(inTheWay);
    expect(await pairOf()).toEqual(printed(next));
  });

  test("goes on from what was typed in when its cache is lost, broken, or dead", async () => {
    const next = here.replace();
    await pairOf();
    await writeFile(await cacheFile(), "half a fi");
    expect(await pairOf()).toEqual(printed(next));
    await writeFile(await cacheFile(), JSON.stringify(printed(here.first)));
    here.retire();
    await here.write("credentials", sourceOf(next));
    expect(await pairOf()).toEqual(printed(next));
    await rm(join(here.home, ".keyturn"), { recursive: true });
    expect(await pairOf()).toEqual(printed(next));
  });

  test("says what to do when every pair that it has is dead, and prints none", async () => {
    here.replace();
    here.retire();
    const { exitCode, out, err } = await here.run(PROCESS);
    expect([exitCode, out]).toEqual([1, ""]);
    expect(err).toContain(`AWS does not take ${here.first.keyId} any more`);
    expect(err).toContain("aws configure");
    expect(err).not.toContain(here.first.secret);
  });

  test("killed right before it has stored the new pair, it has the old one, and the next run prints the new one", async () => {
    await pairOf();
    const next = here.replace();
    const { exitCode, out } = await here.run(PROCESS, { DIE_AT: `rename ${await cacheFile()}` });
    expect([exitCode, out]).toEqual([null, ""]);
    expect(JSON.parse(await readFile(await cacheFile(), "utf8"))).toEqual(printed(here.first));
    expect(await pairOf()).toEqual(printed(next));
  });

  test("four at once print the new pair or the old one, and leave the new one", async () => {
    await pairOf();
    const next = here.replace();
    const found = await Promise.all(Array.from({ length: 4 }, () => pairOf()));
    for (const pair of found) expect([printed(here.first), printed(next)]).toContainEqual(pair);
    expect(JSON.parse(await readFile(await cacheFile(), "utf8"))).toEqual(printed(next));
  });
});

describe("install-profile", () => {
  const INSTALL = ["install-profile", "flowid", "--user", DEV, "--profile", "source", "--reader", "laptop-a"];
  const CONFIG =
    "[default]\nregion=eu-west-1 # mine\n\n[profile other]\r\nrole_arn = arn:aws:iam::123456789012:role/x\r\n";

  test("an SDK that is not ours works through the profile, before, in and after a rotation", async () => {
    await here.write("config", CONFIG);
    expect(await here.run(INSTALL)).toMatchObject({ exitCode: 0, err: "" });
    // A machine starts the program as it is built; here it is a source file, which Node starts.
    const config = await here.read("config");
    await here.write("config", config.replace(/= "(.*program\.ts)"/, `= "${execPath}" "$1"`));
    const variables = { ...here.env, AWS_CONFIG_FILE: join(here.home, ".aws", "config"), AWS_PROFILE: "flowid" };
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
    const signs = async (): Promise<string | undefined> => {
      const client = new STSClient({ profile: "flowid", maxAttempts: 1 });
      here.calls.length = 0;
      expect((await client.send(new GetCallerIdentityCommand({}))).Arn).toMatch(`user/developers/${DEV}`);
      client.destroy();
      return here.calls.at(-1);
    };
    expect(await signs()).toContain(here.first.keyId);
    const next = here.replace();
    expect(await signs()).toContain(next.keyId);
    here.retire();
    expect(await signs()).toContain(next.keyId);
  });

  test("adds its profile at the end, leaves the rest byte for byte, and said twice it acts once", async () => {
    await here.write("config", CONFIG);
    await chmod(join(here.home, ".aws", "config"), 0o644);
    await here.run(INSTALL);
    const config = await here.read("config");
    expect(config.startsWith(CONFIG)).toBe(true);
    const setting = `credential-process --user ${DEV} --profile source --reader laptop-a --region us-east-1`;
    expect(config.slice(CONFIG.length)).toMatch(
      new RegExp(`^\r\n\\[profile flowid\\]\r\ncredential_process = "/.*" ${setting}\r\n$`),
    );
    await here.run(INSTALL);
    expect(await here.read("config")).toBe(config);
    expect((await stat(join(here.home, ".aws", "config"))).mode & 0o777).toBe(0o644);
    await here.run([...INSTALL.slice(0, -1), "laptop-b", "--region", "eu-central-1"]);
    expect(await here.read("config")).toBe(
      config.replace("laptop-a --region us-east-1", "laptop-b --region eu-central-1"),
    );
  });

  test("names a source that is not ASCII as the file has it, and reads it back", async () => {
    const bytes = (text: string): string => Buffer.from(text).toString("latin1");
    const { keyId, secret } = here.first;
    const pair = `aws_access_key_id = ${keyId}\naws_secret_access_key = ${secret}\n`;
    await here.write("credentials", bytes(`[josé]\n${pair}`));
    const { exitCode, err } = await here.run(INSTALL.map((word) => (word === "source" ? "josé" : word)));
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(await here.read("config")).toContain(bytes('--profile "josé"'));
    expect((await here.run(["credential-process", "--user", DEV, "--profile", "josé"])).out).toContain(keyId);
  });

  test.for([
    ["a profile that has a pair of its own", ["install-profile", "source", "--user", DEV], "choose another name"],
    ["a profile that has a role", INSTALL.map((word) => (word === "flowid" ? "other" : word)), "choose another name"],
    ["a source that is not there", INSTALL.map((word) => (word === "source" ? "none" : word)), "is not in it"],
    ["a word that a shell would change", [...INSTALL, "--secret", "keyturn/$HOME"], "cannot stand in it"],
  ] as const)("refuses %s, and changes nothing", async ([, args, said]) => {
    await here.write("config", CONFIG);
    const { exitCode, err } = await here.run(args);
    expect(err).toContain(said);
    expect(exitCode).toBe(1);
    expect(await here.read("config")).toBe(CONFIG);
  });

  test("asks where the secret is when nothing says so, for the environment may say another Region later", async () => {
    const { exitCode, err } = await typed("install-profile", INSTALL.slice(1));
    expect([exitCode, err]).toEqual([2, expect.stringContaining("Say --region")]);
  });

  test.for([["pull"], ["credential-process"], ["install-profile"], ["install-profile", "flowid", "--user", "a/b"]])(
    "%j without what it needs says how it is typed",
    async ([name = "", ...args]) => {
      const { exitCode, err } = await typed(name, args);
      expect([exitCode, err]).toEqual([2, expect.stringContaining(`Usage: keyturn ${name} `)]);
    },
  );
});

async function typed(
  name: string,
  args: string[],
): Promise<{ readonly exitCode: number | undefined; readonly err: string }> {
  const command = LAPTOP.find((known) => known.name === name);
  const { values, positionals } = parseArgs({ args, options: command?.options ?? {}, allowPositionals: true });
  let err = "";
  const silent = { isInteractive: false, columns: 80, env: {}, home: here.home, out: () => undefined };
  const terminal = { ...silent, err: (text: string) => void (err += text), ask: () => Promise.reject(new Error("no")) };
  const exitCode = await command?.run({ values: values as Typed["values"], positionals }, terminal);
  return { exitCode, err };
}
