import { promises } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { env, kill, pid } from "node:process";

/**
 * Loaded before a program: kills it right before the n-th thing that it does to a file (DIE_AT="7"), or before the first
 * that is spelled so (DIE_AT="rename /home/dev/.aws/credentials").
 */
const dieAt = env["DIE_AT"] ?? "";
let done = 0;
const step = (name: string, target: unknown): void => {
  done += 1;
  if (String(done) === dieAt || `${name} ${String(target)}` === dieAt) kill(pid, "SIGKILL");
};

/** The last of a call's paths is what it changes. */
function dying(name: string, call: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
  return (...args) => {
    step(
      name,
      args.findLast((arg) => typeof arg === "string"),
    );
    return call(...args);
  };
}

const { open } = promises;
promises.open = dying("open", async (...args) => {
  const handle = await open(...(args as Parameters<typeof open>));
  for (const name of ["writeFile", "sync", "chmod", "close"] as const) {
    const call = handle[name].bind(handle) as (...given: unknown[]) => unknown;
    Object.assign(handle, { [name]: dying(name, call) });
  }
  return handle;
}) as (...args: Parameters<typeof open>) => Promise<FileHandle>;
for (const name of ["rename", "rm", "mkdir"] as const) {
  Object.assign(promises, { [name]: dying(name, promises[name] as (...args: unknown[]) => unknown) });
}
syncBuiltinESMExports();
