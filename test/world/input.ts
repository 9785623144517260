import { ServiceError } from "./call.ts";

type Input = Readonly<Record<string, unknown>>;

/** A member that must be a text. The code of the refusal is the one that query and JSON services share in substance. */
export function text(input: Input, member: string): string {
  const value = input[member];
  if (typeof value === "string" && value !== "") return value;
  throw new ServiceError("ValidationError", `1 validation error detected: ${member} is missing`);
}

export function optionalText(input: Input, member: string): string | null {
  const value = input[member];
  return typeof value === "string" && value !== "" ? value : null;
}

/** A number, also where a query protocol left it as text. */
export function optionalNumber(input: Input, member: string): number | null {
  const value = input[member];
  if (value === undefined || value === null || value === "") return null;
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  throw new ServiceError("ValidationError", `${member} is not a number`);
}

export function texts(input: Input, member: string): string[] {
  const value = input[member];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** A list of structures. */
export function structures(input: Input, member: string): Input[] {
  const value: unknown = input[member];
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is Input => typeof item === "object" && item !== null);
}

/** One page of a list, and the token of the next. A token is the offset: opaque to callers. */
export function page<T>(all: readonly T[], token: string | null, size: number): [T[], string | null] {
  const start = token === null ? 0 : Number.parseInt(token.replace(/^page-/, ""), 10);
  const end = start + size;
  return [all.slice(start, end), end < all.length ? `page-${String(end)}` : null];
}
