import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sls } from "./artifact.ts";
import { freePort } from "../../world/wire/free-port.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const NODE = "node_modules/.bin/node";
const run = promisify(execFile);

const cloudScript = (...args: string[]) => run(NODE, ["scripts/cloud.ts", ...args], { cwd: ROOT });

describe("the local cloud that stays up", () => {
  let port: string;
  let cloud: ChildProcess;
  const variables: Record<string, string> = {};
  /** All that it wrote, the function's log included. */
  const lines: string[] = [];

  /** Started as its own users start it; the variables are those that it tells them to export. */
  beforeAll(async () => {
    port = await freePort();
    const args = ["scripts/cloud.ts", "--port", port];
    cloud = spawn(NODE, args, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
    await new Promise<void>((isUp) => {
      createInterface({ input: cloud.stdout as Readable }).on("line", (line) => {
        lines.push(line);
        const [, name, value] = /^export (\w+)='(.*)'$/.exec(line) ?? [];
        if (name !== undefined && value !== undefined) variables[name] = value;
        if (line.startsWith("Ctrl-C")) isUp();
      });
    });
  }, 30_000);
  afterAll(async () => {
    cloud.kill("SIGINT");
    if (cloud.exitCode === null) await once(cloud, "exit");
  });

  test("serves sls invoke, which runs the deployed function", async () => {
    const plan = await sls(["invoke", "-f", "keyturn", "-d", '{"command":"plan"}'], variables);
    expect(JSON.parse(plan)).toMatchObject({ command: "plan", status: "ok", isPaused: true });
  });

  test("shows the line that a sweep ends with as the alarms' filters read it: JSON from its first character", async () => {
    await sls(["invoke", "-f", "keyturn", "-d", '{"command":"sweep"}'], variables);
    const ends = lines.filter((line) => line.includes('"sweep ended"'));
    expect(ends.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { message: "sweep ended", command: "plan", status: "ok" },
      { message: "sweep ended", command: "sweep", status: "ok" },
    ]);
  });

  test("serves sls invoke local, which runs the bundle in a process of its own", async () => {
    const args = ["invoke", "local", "-f", "keyturn", "-d", '{"command":"plan"}'];
    const plan = await sls(args, { ...variables, AWS_LAMBDA_LOG_LEVEL: "FATAL" });
    const { users } = JSON.parse(plan.slice(plan.indexOf("{\n"))) as { readonly users: unknown };
    expect(users).toHaveLength(5);
  });

  test("lets its time leap when it is told to", async () => {
    const first = (await cloudScript("--port", port, "--advance", "30d")).stdout;
    expect(first).toMatch(/^The local cloud's time is 2027-02-03T\S+Z\.\n$/);
  });

  test("says that none is running where none is", async () => {
    const elsewhere = await freePort();
    await expect(cloudScript("--port", elsewhere, "--advance", "1d")).rejects.toMatchObject({
      code: 1,
      stderr: `no local cloud is running on port ${elsewhere}: start one with "npm run cloud"\n`,
    });
  });

  test("says that its port is taken, and what a duration is", async () => {
    const taken = cloudScript("--port", port);
    await expect(taken).rejects.toMatchObject({ stderr: expect.stringContaining("port is taken") });
    const odd = cloudScript("--advance", "soon");
    await expect(odd).rejects.toMatchObject({ stderr: expect.stringContaining('such as "30d"') });
  });
});
