import { execFile } from "node:child_process";
import { execPath } from "node:process";
import { describe, expect, test } from "vitest";
import type { Report } from "../../scripts/local-run/report.ts";

/** What `npm start` runs, in a process of its own. */
const start = (...options: readonly string[]): Promise<{ exitCode: number; report: Report }> =>
  new Promise((resolve, reject) => {
    const args = ["scripts/start.ts", "--json", ...options];
    const child = execFile(execPath, args, { maxBuffer: 16_000_000 }, (error, stdout, stderr) => {
      if (stdout === "") reject(new Error(stderr, { cause: error }));
      else resolve({ exitCode: child.exitCode ?? -1, report: JSON.parse(stdout) as Report });
    });
  });

describe("npm start", () => {
  test("rotates all five systems, and no consumer's call fails", async () => {
    const { exitCode, report } = await start();
    expect(report.summary).toBe(`5 of 5 systems rotated · ${String(report.calls)} consumer calls · 0 failed`);
    expect(exitCode).toBe(0);
    expect(report.systems.map(({ isRotated }) => isRotated)).toEqual([true, true, true, true, true]);
    expect(report.systems.flatMap(({ consumers }) => consumers).every(({ calls }) => calls > 10)).toBe(true);
    expect(report.timeline.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  });

  test("fails with a mistake built in: a pair that is set by two single writes", async () => {
    const { exitCode, report } = await start("--break", "two-puts");
    expect(exitCode).toBe(1);
    expect(report.failed).toBeGreaterThan(0);
    const codes = report.systems.flatMap(({ consumers }) => consumers.flatMap(({ failures }) => failures));
    expect(new Set(codes.map(({ code }) => code))).toEqual(new Set(["SignatureDoesNotMatch"]));
  });
});
