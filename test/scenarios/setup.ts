import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { env, execPath } from "node:process";
import { promisify } from "node:util";
import type { CallBook } from "../../scripts/local-run/calls.ts";
import { START_MS, startLocalCloud } from "../../scripts/local-run/local-cloud.ts";
import type { LocalCloud } from "../../scripts/local-run/local-cloud.ts";
import { createReaders } from "../../scripts/local-run/readers.ts";
import { createWorkerCallers } from "../../scripts/local-run/worker-callers.ts";
import { build, buildCli } from "../../scripts/build.ts";
import { handler } from "../../src/handlers/keyturn.ts";
import { hours } from "../../src/rotation/time.ts";
import type { SystemName } from "../world/five-systems.ts";

const HOURS_BETWEEN_SWEEPS = 6;
/** With one key a user and nothing due there is little to see. */
const HOURS_BETWEEN_IDLE_SWEEPS = 12;

/** The five systems with their consumers on the local cloud. Keyturn is its handler, over the real adapters. */
export interface Scenario {
  readonly local: LocalCloud;
  /** The calls of a system's consumers. */
  booksOf(system: SystemName): readonly CallBook[];
  /** A system's keys as IAM lists them: "id Active". */
  keysOf(system: SystemName): string[];
  /** The key id that custody holds as current; null while it holds none. */
  currentOf(system: SystemName): string | null;
  /** Days in which nobody does anything: no sweep, no call. */
  leap(days: number): void;
  /** Types a command at the built command line, which invokes what is deployed. Gives what it said; a refusal throws it. */
  keyturn(...args: readonly string[]): Promise<string>;
  /** Hour after hour, everybody at work, until something is the case. Throws when it is not so in time. */
  passUntil(isSo: () => boolean, daysMax: number): Promise<void>;
  close(): Promise<void>;
}

interface ScenarioOptions extends NonNullable<Parameters<typeof startLocalCloud>[0]> {
  /** Only these are swept. */
  readonly systems: readonly SystemName[];
  /** Where the bundle of it goes that runs in the place of the sources, as it is deployed, and the command line beside it. */
  readonly bundle?: string;
}

async function functionOf(output: string | undefined): Promise<typeof handler> {
  if (output === undefined) return handler;
  const { file } = await build({ output });
  return (createRequire(import.meta.url)(file) as { readonly handler: typeof handler }).handler;
}

/** The built command line as a shell runs it; tables and sentences are not broken. */
async function typed(file: string, args: readonly string[], environment: LocalCloud["environment"]): Promise<string> {
  const variables = { PATH: "/usr/bin:/bin", HOME: tmpdir(), COLUMNS: "400", ...environment };
  const running = promisify(execFile)(execPath, [file, ...args], { env: variables });
  running.child.stdin?.end();
  try {
    return (await running).stdout.trim();
  } catch (thrown) {
    throw new Error((thrown as { readonly stderr: string }).stderr.trim(), { cause: thrown });
  }
}

export async function setUpScenario({ systems, bundle, ...options }: ScenarioOptions): Promise<Scenario> {
  const invoke = await functionOf(bundle);
  const local = await startLocalCloud(options);
  const line = bundle === undefined ? null : (await buildCli(`${dirname(bundle)}/bin/keyturn.cjs`)).file;
  Object.assign(env, local.environment);
  local.wire.onInvoke("keyturn", async (event) => invoke(event));
  await invoke({ command: "resume" });
  const users = systems.map((system) => local.systems[system].user);
  const callers = createWorkerCallers(local);
  const readers = createReaders(local);
  const books = [...callers.books, ...readers.map(({ book }) => book)];
  let passed = 0;

  const passHour = async (): Promise<void> => {
    const isIdle = users.every((user) => local.cloud.iam.keysOf(user).length === 1);
    const isSweep = passed % (isIdle ? HOURS_BETWEEN_IDLE_SWEEPS : HOURS_BETWEEN_SWEEPS) === 0;
    local.clock.run();
    if (isSweep) callers.open();
    await Promise.all([
      isSweep ? invoke({ command: "sweep", users }) : null,
      ...readers.filter((reader) => reader.isAtWork(passed)).map((reader) => reader.work()),
    ]);
    await local.edge.settled();
    await callers.close();
    local.clock.stop();
    passed += 1;
    local.clock.advance(START_MS + hours(passed) - local.clock.now());
  };
  return {
    local,
    booksOf: (system) => books.filter((book) => book.system === system),
    keysOf: (system) => local.cloud.iam.keysOf(local.systems[system].user).map(({ id, status }) => `${id} ${status}`),
    currentOf: (system) => {
      const text = local.cloud.secretsManager.textOf(`keyturn/${local.systems[system].user}`, "AWSCURRENT");
      const content = JSON.parse(text ?? "{}") as { readonly AccessKeyId?: string };
      return content.AccessKeyId ?? null;
    },
    leap(days) {
      passed += days * 24;
      local.clock.advance(Math.max(0, START_MS + hours(passed) - local.clock.now()));
    },
    async keyturn(...args) {
      if (line === null) throw new Error("the command line was not built");
      local.clock.run();
      const said = await typed(line, args, local.environment).finally(() => local.clock.stop());
      await local.edge.settled();
      return said;
    },
    async passUntil(isSo, daysMax) {
      const last = passed + daysMax * 24;
      while (!isSo()) {
        if (passed >= last) throw new Error(`not so within ${String(daysMax)} days`);
        await passHour();
      }
    },
    close: () => local.close(),
  };
}
