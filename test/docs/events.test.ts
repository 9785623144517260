import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toldOf } from "../../src/report/notifiers/parts/words.ts";
import { type Notice, type NoticeCode, NOTICES } from "../../src/rotation/notice.ts";
import { plus } from "../../src/rotation/time.ts";
import { NOW, USER } from "../report/builders.ts";

interface Property {
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string | readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}
interface Schema {
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, Property>>;
}

const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
const schema = JSON.parse(read("events.schema.json")) as Schema;

/** What of a document does not keep to the schema, by the words of JSON Schema that it uses. */
function objections(document: Readonly<Record<string, unknown>>): string[] {
  const names = Object.keys(document);
  const missing = schema.required.filter((name) => !names.includes(name)).map((name) => `${name} is missing`);
  const unknown = names.filter((name) => schema.properties[name] === undefined).map((name) => `${name} is unknown`);
  const wrong = Object.entries(schema.properties).filter(([name, property]) => !isGood(property, document[name]));
  return [...missing, ...unknown, ...wrong.map(([name]) => `${name} is not as it should be`)];
}

function isGood(property: Property, value: unknown): boolean {
  if ("const" in property) return value === property.const;
  if (property.enum !== undefined) return property.enum.includes(value);
  const types = [property.type].flat();
  if (value === null) return types.includes("null");
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern = "", format } = property;
  return (
    typeof value === "string" &&
    types.includes("string") &&
    value.length >= minLength &&
    value.length <= maxLength &&
    new RegExp(pattern, "u").test(value) &&
    (format === undefined || !Number.isNaN(Date.parse(value)))
  );
}

const notice = (code: NoticeCode, more: Partial<Notice> = {}): Notice => {
  const { severity = "info", advice = "" } = NOTICES[code] ?? {};
  return { code, severity, user: USER, at: NOW, text: "a text", advice, dedupeKey: code, ...more };
};

describe.for(Object.keys(NOTICES) as NoticeCode[])("an event of %s", (code) => {
  test.for<[string, Partial<Notice>]>([
    ["as it is", {}],
    ["of the service itself", { user: null }],
    ["that is over", { isOver: true, move: "nobody", since: plus(NOW, -1) }],
    ["with an owner and a command", { owner: "team-a", command: "npx sls invoke" }],
    ["with a long text", { text: "x".repeat(10_000) }],
  ])("keeps to the documented schema, %s", ([, more]) => {
    expect(objections(toldOf(notice(code, more)))).toEqual([]);
  });
});

test.for<[string, (told: Record<string, unknown>) => void]>([
  ["a field that is missing", (told) => delete told["since"]],
  ["a field that nobody documented", (told) => (told["extra"] = 1)],
  ["another version", (told) => (told["version"] = 2)],
  ["a severity of its own", (told) => (told["severity"] = "fatal")],
  ["a text that is too long", (told) => (told["text"] = "x".repeat(2_501))],
  ["a time that is none", (told) => (told["at"] = "soon")],
  ["an owner that is no text", (told) => (told["owner"] = 1)],
])("the schema finds %s", ([, spoil]) => {
  const told: Record<string, unknown> = { ...toldOf(notice("Stranger")) };
  spoil(told);
  expect(objections(told)).not.toEqual([]);
});

test("the page on events explains each field of the schema, and no other", () => {
  const rows = read("events.md").split("\n## An event bus")[1]?.split("\n## ")[0]?.split("\n") ?? [];
  const names = rows.filter((row) => row.startsWith("| `")).flatMap((row) => row.split("|")[1]?.match(/\w+/g) ?? []);
  expect(names.toSorted()).toEqual(Object.keys(schema.properties).toSorted());
});
