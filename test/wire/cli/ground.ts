import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env, execPath } from "node:process";
import { build, buildCli } from "../../../scripts/build.ts";
import { startLocalCloud } from "../../../scripts/local-run/local-cloud.ts";
import type { LocalCloud } from "../../../scripts/local-run/local-cloud.ts";

/** What a command left behind when it ended. */
interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** An installation on the local cloud, its function packaged as it is deployed, and the built `keyturn` beside it. */
export interface Ground {
  readonly local: LocalCloud;
  /** A home of its own, with nothing in it. */
  readonly home: string;
  /** Everything that any command has written. */
  readonly written: string[];
  /** Runs the built file as a shell would. */
  keyturn(args: readonly string[], variables?: Readonly<Record<string, string>>): Promise<Ended>;
  close(): Promise<void>;
}

type Handler = (event: unknown) => Promise<unknown>;

export async function setUpCli(): Promise<Ground> {
  const local = await startLocalCloud();
  const [{ file }, cli] = await Promise.all([
    build({ output: "dist/cli-test/keyturn.cjs" }),
    buildCli("dist/cli-test/bin/keyturn.cjs"),
  ]);
  const before = { ...env };
  Object.assign(env, local.environment);
  const { handler } = createRequire(import.meta.url)(file) as { readonly handler: Handler };
  local.wire.onInvoke("keyturn", handler);
  local.clock.run();
  const home = await mkdtemp(join(tmpdir(), "keyturn-home-"));
  const written: string[] = [];
  return {
    local,
    home,
    written,
    async keyturn(args, variables = {}) {
      const { AWS_LAMBDA_LOG_LEVEL: _, KEYTURN_TABLE: __, KEYTURN_TOPIC: ___, ...told } = local.environment;
      const variablesOfChild = {
        PATH: "/usr/bin:/bin",
        HOME: home,
        USERPROFILE: home,
        COLUMNS: "120",
        ...told,
        ...variables,
      };
      const ended = await new Promise<Ended>((resolve) => {
        const child = execFile(execPath, [cli.file, ...args], { env: variablesOfChild }, (error, out, err) => {
          resolve({ code: error === null ? 0 : Number(error.code), out, err });
        });
        child.stdin?.end();
      });
      written.push(ended.out, ended.err);
      return ended;
    },
    async close() {
      for (const name of Object.keys(local.environment)) {
        if (before[name] === undefined) delete env[name];
        else env[name] = before[name];
      }
      await local.close();
      await rm(home, { recursive: true });
    },
  };
}
