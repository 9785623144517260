import { expect, test } from "vitest";
import { start } from "./start.ts";

test("npm start rotates all five systems, and no consumer's call fails", async () => {
  const { exitCode, report } = await start();
  expect(report.summary).toBe(`5 of 5 systems rotated · ${String(report.calls)} consumer calls · 0 failed`);
  expect(exitCode).toBe(0);
  expect(report.systems.map(({ isRotated }) => isRotated)).toEqual([true, true, true, true, true]);
  const silent = report.systems.flatMap(({ consumers }) => consumers).filter(({ calls }) => calls < 10);
  expect(silent).toEqual([]);
  expect(report.timeline.filter(({ outcome }) => outcome === "failed")).toEqual([]);
});
