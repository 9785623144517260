import { expect, test } from "vitest";
import { start } from "./start.ts";

const BREAKS = [
  { mistake: "two-puts", hurts: "the Workers", codes: ["SignatureDoesNotMatch"] },
  { mistake: "no-quiet", hurts: "who reads custody", codes: ["InvalidClientTokenId", "InvalidAccessKeyId"] },
  { mistake: "delete-first", hurts: "everybody", codes: ["InvalidClientTokenId", "InvalidAccessKeyId"] },
];

test.for(BREAKS)("npm start fails with $mistake built in, which $hurts must notice", async ({ mistake, codes }) => {
  const { exitCode, report } = await start("--break", mistake);
  expect(exitCode).toBe(1);
  expect(report.failed).toBeGreaterThan(0);
  const failures = report.systems.flatMap(({ consumers }) => consumers.flatMap((consumer) => consumer.failures));
  expect(failures).toHaveLength(report.failed);
  expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(codes));
});
