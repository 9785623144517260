import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { env, execPath } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { freePort } from "../../world/wire/free-port.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** What a reader has after `git clone` and `npm ci`, as far as a line needs it. */
const FOLDER = [
  "keyturn.config.ts",
  "package.json",
  "serverless.yml",
  "tsconfig.json",
  "docs",
  "scripts",
  "src",
  "test",
];
/** The documents' width. */
const COLUMNS = "140";
/** Far more than any takes, also where much else runs. */
const LINE_MS = 180_000;

/** What a line ended with: both outputs, in the order in which they came. */
interface Ended {
  readonly code: number;
  readonly output: readonly string[];
}

/** A reader's terminal: a clean folder and home, `npm run cloud` running, and its variables exported. */
export interface Terminal {
  /** Where the Workers are reached. */
  readonly edge: string;
  readonly home: string;
  type(line: string): Promise<Ended>;
  close(): Promise<void>;
}

/** `$EDITOR` in these hands takes one destination out of a profile, and leaves the rest of the configuration. */
const EDITOR = `#!/bin/sh
exec sed -i -z 's/ *{\\n *kind: "github-actions"[^}]*},\\n//' "$1"
`;

/** What npx does with a name that the folder has, without the second that npm takes to find that out. */
const NPX = `#!/bin/sh
name="$1"; shift
[ "$name" = keyturn ] && exec dist/bin/keyturn.cjs "$@"
exec "node_modules/.bin/$name" "$@"
`;

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-typed-"));
  const there = join(folder, "home", "keyturn");
  await mkdir(join(folder, "bin"));
  await Promise.all(FOLDER.map((name) => cp(join(ROOT, name), join(there, name), { recursive: true })));
  await symlink(join(ROOT, "node_modules"), join(there, "node_modules"));
  for (const [name, script] of Object.entries({ editor: EDITOR, npx: NPX })) {
    await writeFile(join(folder, "bin", name), script);
    await chmod(join(folder, "bin", name), 0o755);
  }
  return folder;
}

export async function openTerminal(): Promise<Terminal> {
  const folder = await makeFolder();
  const home = join(folder, "home");
  const cwd = join(home, "keyturn");
  const told = {
    PATH: [join(folder, "bin"), dirname(execPath), env["PATH"] ?? ""].join(delimiter),
    HOME: home,
    EDITOR: join(folder, "bin", "editor"),
    COLUMNS,
    npm_config_update_notifier: "false",
    WRANGLER_SEND_METRICS: "false",
    NO_COLOR: "1",
  };
  const script = [join("scripts", "cloud.ts"), "--port", await freePort()];
  const cloud = spawn(execPath, script, { cwd, env: told, stdio: ["ignore", "pipe", "inherit"] });
  const exported: Record<string, string> = {};
  let edge = "";
  await new Promise<void>((isUp, hasEnded) => {
    cloud.once("exit", () => hasEnded(new Error("the local cloud ended before it was up")));
    createInterface({ input: cloud.stdout }).on("line", (line) => {
      const [, name, value] = /^export (\w+)='(.*)'$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) exported[name] = value;
      edge = /^ {2}[\w-]+: http:\/\/([\d.:]+)\//.exec(line)?.[1] ?? edge;
      if (line.startsWith("Ctrl-C")) isUp();
    });
  });
  return {
    edge,
    home,
    type: (line) =>
      new Promise((resolve) => {
        const args = ["-o", "pipefail", "-c", `exec 2>&1\n${line}`];
        const options = { cwd, env: { ...told, ...exported }, timeout: LINE_MS, maxBuffer: 2 ** 24 };
        const child = execFile("bash", args, options, (error, out) => {
          const output = out.replace(/\n$/, "").split("\n");
          resolve({ code: error === null ? 0 : Number(error.code), output: out === "" ? [] : output });
        });
        child.stdin?.end();
      }),
    async close() {
      const isEnded = once(cloud, "exit");
      cloud.kill("SIGINT");
      await isEnded;
      await rm(folder, { recursive: true });
    },
  };
}
