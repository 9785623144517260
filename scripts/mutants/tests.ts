import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Patch } from "../../test/simulation/mutants/mutant.ts";
import { patched, ROOT } from "./bundle.ts";

const COPIED = [
  "src",
  "test",
  "scripts",
  "serverless.yml",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts",
  "keyturn.config.ts",
];

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** By file, the failure without any mistake; null where there is none. */
const unmutated = new Map<string, Promise<string | null>>();

/** Runs tests upon a patched copy of the project. Gives the first that fails; null when all pass. */
export async function runTests(patches: readonly Patch[], tests: readonly string[]): Promise<string | null> {
  for (const path of tests) {
    const failure = await inCopy(patches, path);
    if (failure === null) continue;
    // One that fails without the mistake says nothing about it.
    const file = failure.slice(0, failure.indexOf(": "));
    const control = unmutated.get(file) ?? inCopy([], file);
    unmutated.set(file, control);
    const broken = await control;
    if (broken !== null) throw new Error(`a test fails without any mistake: ${broken}`);
    return failure;
  }
  return null;
}

async function inCopy(patches: readonly Patch[], path: string): Promise<string | null> {
  const copy = await mkdtemp(join(tmpdir(), "mutant-"));
  try {
    for (const name of COPIED) await cp(ROOT + name, join(copy, name), { recursive: true });
    await symlink(`${ROOT}node_modules`, join(copy, "node_modules"));
    for (const file of new Set(patches.map((patch) => patch.file))) {
      await writeFile(join(copy, file), await patched(file, patches));
    }
    return await firstFailure(copy, path);
  } finally {
    await rm(copy, { recursive: true });
  }
}

async function firstFailure(copy: string, path: string): Promise<string | null> {
  // However busy the machine is: a time-out is no mistake that was noticed.
  const how = [
    "--maxWorkers",
    "1",
    "--bail",
    "1",
    "--testTimeout",
    "120000",
    "--reporter",
    "json",
    "--outputFile",
    "report.json",
  ];
  const args = ["node_modules/vitest/vitest.mjs", "run", ...how, path];
  await new Promise<void>((resolve) => {
    execFile(process.execPath, args, { cwd: copy, maxBuffer: 1 << 28 }, () => {
      resolve();
    });
  });
  const { testResults } = JSON.parse(await readFile(join(copy, "report.json"), "utf8")) as Report;
  for (const { name, status, message, assertionResults } of testResults) {
    const failed = assertionResults.find((result) => result.status === "failed");
    const file = name.slice(name.indexOf("test/"));
    if (failed !== undefined) return `${file}: ${failed.fullName}`;
    if (status === "failed" && message !== "") throw new Error(`${file} could not run: ${message}`);
  }
  if (testResults.length === 0) throw new Error(`no test ran: ${path}`);
  return null;
}
