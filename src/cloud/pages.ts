import { RotationError } from "../rotation/errors.ts";
import { translateError } from "./translate-error.ts";

/** No listing of ours is as long as this; a longer one is a fault of the service that would never end. */
const PAGES_MAX = 1_000;

/** All pages of a listing, by the SDK's own paginator. Throws, translated, rather than return a part. */
export async function readPages<Page>(doing: string, listing: AsyncIterable<Page>): Promise<readonly Page[]> {
  const pages: Page[] = [];
  try {
    for await (const page of listing) {
      pages.push(page);
      if (pages.length > PAGES_MAX) break;
    }
  } catch (thrown) {
    throw translateError(thrown, doing);
  }
  if (pages.length <= PAGES_MAX) return pages;
  throw new RotationError("Unreachable", `${doing}, more than ${String(PAGES_MAX)} pages`);
}
