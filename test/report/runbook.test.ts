import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { NOTICES } from "../../src/rotation/notice.ts";

const runbook = readFileSync(new URL("../../docs/runbook.md", import.meta.url), "utf8");

test.for(Object.keys(NOTICES))("the runbook has a row for %s", (code) => {
  const rows = runbook.split("\n").filter((line) => line.startsWith("| `"));
  expect(rows.filter((row) => row.split("|")[1]?.includes(`\`${code}\``))).toHaveLength(1);
});
