import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Patch } from "../../test/simulation/mutants/mutant.ts";
import { patched, ROOT } from "./bundle.ts";

const COPIED = ["src", "test", "scripts", "package.json", "tsconfig.json", "vitest.config.ts", "keyturn.config.ts"];

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Runs tests upon a patched copy of the project. Gives the first that fails, and null when all pass. */
export async function runTests(patches: readonly Patch[], tests: readonly string[]): Promise<string | null> {
  const copy = await mkdtemp(join(tmpdir(), "mutant-"));
  try {
    for (const name of COPIED) await cp(ROOT + name, join(copy, name), { recursive: true });
    await symlink(`${ROOT}node_modules`, join(copy, "node_modules"));
    for (const file of new Set(patches.map((patch) => patch.file))) {
      await writeFile(join(copy, file), await patched(file, patches));
    }
    const folders = tests.filter((name) => existsSync(join(copy, name)));
    return await firstFailure(copy, folders);
  } finally {
    await rm(copy, { recursive: true });
  }
}

async function firstFailure(copy: string, tests: readonly string[]): Promise<string | null> {
  const args = ["node_modules/vitest/vitest.mjs", "run", "--maxWorkers", "1", "--reporter", "json", ...tests];
  const text = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: copy, maxBuffer: 1 << 28 }, (_, out) => {
      resolve(out);
    });
  });
  const { testResults } = JSON.parse(text.slice(text.indexOf("{"))) as Report;
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === "failed");
    if (failed !== undefined) return `${name.slice(name.indexOf("test/"))}: ${failed.fullName}`;
  }
  if (testResults.length === 0) throw new Error(`no test ran: ${tests.join(" ")}`);
  return null;
}
