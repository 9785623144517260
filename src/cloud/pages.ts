import { RotationError } from "../rotation/errors.ts";
import { asking } from "./translate-error.ts";

/** No listing of ours is as long as this; a longer one is a fault of the service that would never end. */
const PAGES_MAX = 1_000;

interface Page<T, Token> {
  readonly items: readonly T[] | undefined;
  /** Undefined on the last page. An empty page with a token is not the last one. */
  readonly next: Token | undefined;
}

/** All items of a listing, all pages. Throws, translated, rather than return a part. */
export async function readPages<T, Token = string>(
  doing: string,
  ask: (token: Token | undefined) => Promise<Page<T, Token>>,
): Promise<readonly T[]> {
  const items: T[] = [];
  let token: Token | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await asking(doing, ask(token));
    items.push(...(answer.items ?? []));
    token = answer.next;
    if (token === undefined) return items;
  }
  throw new RotationError("Unreachable", `${doing}, more than ${String(PAGES_MAX)} pages`);
}

/** The token of IAM's listings: a Marker counts only while IsTruncated says so. */
export const markerOf = (answer: {
  readonly IsTruncated?: boolean | undefined;
  readonly Marker?: string | undefined;
}): string | undefined => (answer.IsTruncated === true ? answer.Marker : undefined);
