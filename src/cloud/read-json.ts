import * as z from "zod/mini";

/**
 * What a text holds, by its schema; null when it is no JSON or has another shape. Neither the parser's nor the schema's
 * complaint leaves this function: both quote what they read, and that may be a secret.
 */
export function readJson<T>(schema: z.core.$ZodType<T>, text: string | undefined): T | null {
  try {
    return z.safeParse(schema, JSON.parse(text ?? "")).data ?? null;
  } catch {
    return null;
  }
}
