import { execFile } from "node:child_process";
import { execPath } from "node:process";
import type { Report } from "../../scripts/local-run/report.ts";

/** Runs what `npm start -- --json` runs, in a process of its own. */
export function start(...options: readonly string[]): Promise<{ exitCode: number; report: Report }> {
  return new Promise((resolve, reject) => {
    const args = ["scripts/start.ts", "--json", ...options];
    const child = execFile(execPath, args, { maxBuffer: 16_000_000 }, (error, stdout, stderr) => {
      if (stdout === "") reject(new Error(stderr, { cause: error }));
      else resolve({ exitCode: child.exitCode ?? -1, report: JSON.parse(stdout) as Report });
    });
  });
}
