import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const RUNNER = fileURLToPath(new URL("child.ts", import.meta.url));

/** How an invocation ended. */
export type Ending =
  | { readonly kind: "returned"; readonly result: unknown }
  | { readonly kind: "threw"; readonly error: string }
  | { readonly kind: "killed" };

/** What the child tells of an invocation that it lived through. */
export type ChildSays = Exclude<Ending, { readonly kind: "killed" }>;

type Environment = Readonly<Record<string, string>>;
export type ChildHears = { readonly event: unknown; readonly environment: Environment };

/** The bundle as a child process: kept between invocations as Lambda keeps it warm; after a kill it is another one. */
export interface BundleProcess {
  invoke(event: unknown): Promise<Ending>;
  /** SIGKILL, at once. */
  kill(): void;
  /** All that the processes have written, both streams. */
  written(): string;
  close(): Promise<void>;
}

/** Those that have served one rotation serve another: what takes longest is to get warm. */
const idle: { readonly file: string; readonly child: ChildProcess }[] = [];

export function startBundle(file: string, environment: Environment): BundleProcess {
  let running: ChildProcess | null = null;
  let written = "";
  const write = (text: string): void => {
    written += text;
  };
  return {
    written: () => written,
    async invoke(event) {
      if (running !== null && !isAlive(running)) running = null;
      running ??= take(file, write);
      return ask(running, { event, environment });
    },
    kill() {
      running?.kill("SIGKILL");
    },
    async close() {
      // What it wrote before its last answer is read by then.
      await setImmediate();
      if (running !== null && isAlive(running)) giveBack(file, running);
    },
  };
}

const isAlive = (child: ChildProcess): boolean => child.connected && child.exitCode === null && !child.killed;

function take(file: string, write: (text: string) => void): ChildProcess {
  const found = idle.findIndex((other) => other.file === file && isAlive(other.child));
  const child = idle.splice(found, found < 0 ? 0 : 1)[0]?.child ?? start(file);
  child.ref();
  child.channel?.ref();
  for (const stream of streamsOf(child)) stream.ref().on("data", write);
  return child;
}

/** Such a child has no environment but what each invocation gives it. */
function start(file: string): ChildProcess {
  const child = fork(RUNNER, [file], { env: {}, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  for (const stream of streamsOf(child)) stream.setEncoding("utf8");
  return child;
}

/** Its two pipes, which are sockets of this process. */
const streamsOf = ({ stdout, stderr }: ChildProcess): Socket[] => [stdout as Socket, stderr as Socket];

/** An idle child ends with this process, and does not keep it. */
function giveBack(file: string, child: ChildProcess): void {
  for (const stream of streamsOf(child)) stream.unref().removeAllListeners("data");
  child.unref();
  child.channel?.unref();
  idle.push({ file, child });
}

async function ask(child: ChildProcess, heard: ChildHears): Promise<Ending> {
  const over = new AbortController();
  const said = once(child, "message", { signal: over.signal }).then(([message]) => message as ChildSays);
  const died = once(child, "exit", { signal: over.signal }).then((): Ending => ({ kind: "killed" }));
  // The one that loses is called off, which it tells by rejecting.
  for (const end of [said, died]) end.catch(() => undefined);
  try {
    child.send(heard);
    return await Promise.race([said, died]);
  } finally {
    over.abort();
  }
}
