import type { CloudAnswer } from "../call.ts";

type Input = Readonly<Record<string, unknown>>;

/** Reads a form of the query protocol: `Tags.member.1.Key=…` is the first member's Key in the list Tags. */
export function parseForm(body: string): { readonly action: string; readonly input: Input } {
  const { Action: action = "", Version: _version, ...fields } = Object.fromEntries(new URLSearchParams(body));
  const root: Tree = {};
  for (const [name, value] of Object.entries(fields)) {
    const path = name.split(".").filter((part) => part !== "member" && part !== "entry");
    plant(root, path, value);
  }
  return { action, input: ripen(root) as Input };
}

interface Tree {
  [name: string]: Tree | string;
}

function plant(tree: Tree, [name = "", ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) {
    tree[name] = value;
    return;
  }
  const below = tree[name];
  const branch = typeof below === "object" ? below : {};
  tree[name] = branch;
  plant(branch, rest, value);
}

/** A branch whose names are all numbers is a list. */
function ripen(tree: Tree | string): unknown {
  if (typeof tree === "string") return tree;
  const entries = Object.entries(tree);
  const isList = entries.length > 0 && entries.every(([name]) => /^\d+$/.test(name));
  if (!isList) return Object.fromEntries(entries.map(([name, below]) => [name, ripen(below)]));
  return entries.toSorted(([one], [other]) => Number(one) - Number(other)).map(([, below]) => ripen(below));
}

/** The answer as IAM, STS, SNS and CloudFormation spell it. */
export function queryAnswer(action: string, answer: CloudAnswer, requestId: string): string {
  const result = `<${action}Result>${xml(answer, "member")}</${action}Result>`;
  const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
  return `<${action}Response>${result}${metadata}</${action}Response>`;
}

export function queryError(code: string, message: string, requestId: string): string {
  const error = `<Type>Sender</Type>${xml({ Code: code, Message: message }, "member")}`;
  return `<ErrorResponse><Error>${error}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
}

/** Members as XML. Items of a list are named `itemTag`, or with null like the list itself, as S3 has it. */
export function xml(members: Input, itemTag: "member" | null): string {
  return Object.entries(members)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => element(name, value, itemTag))
    .join("");
}

function element(name: string, value: unknown, itemTag: "member" | null): string {
  if (!Array.isArray(value)) return `<${name}>${content(value, itemTag)}</${name}>`;
  const items = value.map((item) => element(itemTag ?? name, item, itemTag)).join("");
  return itemTag === null ? items : `<${name}>${items}</${name}>`;
}

function content(value: unknown, itemTag: "member" | null): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (typeof value === "object" && value !== null) return xml(value as Input, itemTag);
  return String(value)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
