import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { pageOf } from "../../src/report/notifiers/parts/words.ts";
import { type NoticeCode, NOTICES } from "../../src/rotation/notice.ts";

const SEVERITIES = ["urgent", "warning", "info"] as const;
const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const headingsOf = (path: string) => [...read(path).matchAll(/^## (\w+)\n(.+)\n\*\*Do:\*\* (.+)$/gm)];

test.for(Object.keys(NOTICES) as NoticeCode[])("the runbook has a page for %s, where its notice says", (code) => {
  const [path = "", anchor] = pageOf(code).split("#");
  // As GitHub makes an anchor of a heading.
  const found = headingsOf(path).filter(([, heading = ""]) => heading.toLowerCase() === anchor);
  expect(found.map(([, heading]) => heading)).toEqual([code]);
});

test("the runbook has no page that no notice leads to", () => {
  const pages = SEVERITIES.flatMap((severity) => headingsOf(`docs/runbook/${severity}.md`));
  expect(pages.filter(([, heading = ""]) => !Object.hasOwn(NOTICES, heading))).toEqual([]);
  expect(pages.length).toBe(Object.keys(NOTICES).length);
});

test.for(["docs/runbook.md", ...SEVERITIES.map((severity) => `docs/runbook/${severity}.md`)])(
  "%s is shorter than 150 lines",
  (path) => {
    expect(read(path).split("\n").length).toBeLessThan(150);
  },
);
