import type { CloudAnswer } from "../call.ts";

/** The members of an answer, read as what the API says they are. */
export const textIn = (answer: CloudAnswer, member: string): string => {
  const value = answer[member];
  if (typeof value !== "string") throw new TypeError(`the answer has no ${member}`);
  return value;
};

export const optionalTextIn = (answer: CloudAnswer, member: string): string | null => {
  const value = answer[member];
  return typeof value === "string" ? value : null;
};

export const msIn = (answer: CloudAnswer, member: string): number => {
  const value = answer[member];
  if (!(value instanceof Date)) throw new TypeError(`the answer has no ${member}`);
  return value.getTime();
};

export const partIn = (answer: CloudAnswer, member: string): CloudAnswer => (answer[member] ?? {}) as CloudAnswer;

export const listIn = (answer: CloudAnswer, member: string): readonly CloudAnswer[] =>
  (answer[member] ?? []) as readonly CloudAnswer[];

/** Tags as a record, keys in lower case where IAM compares them so. */
export function tagsIn(answer: CloudAnswer, spelling: "lower-case" | "as-written"): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const tag of listIn(answer, "Tags")) {
    const key = textIn(tag, "Key");
    tags[spelling === "lower-case" ? key.toLowerCase() : key] = textIn(tag, "Value");
  }
  return tags;
}
