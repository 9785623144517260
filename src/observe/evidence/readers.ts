import type { Question, ReadersSeen } from "../../rotation/observation.ts";
import { type Instant, latest } from "../../rotation/time.ts";
import type { EvidenceContext } from "../../rotation/world.ts";
import { type CloudTrailSources, PAGE_SIZE_MAX, readerOf, startOfWindow } from "./cloudtrail.ts";

/** So many calls of a Region are looked at. Not to have seen a reader only makes the old key stay. */
const EVENTS_MAX = 1_000;

/** Who of the profile's readers signed with a key since an instant, in whatever Region. Never throws. */
export async function askReaders(
  { search, enabledRegions, clock }: CloudTrailSources,
  { keyId: value, from }: Extract<Question, { readonly source: "readers" }>,
  { unaskedRegions, readers = [] }: EvidenceContext,
): Promise<ReadersSeen> {
  const at: Record<string, Instant> = {};
  const now = clock.now();
  const readOne = async (region: string): Promise<void> => {
    let read = 0;
    const asked = {
      region,
      by: "AccessKeyId",
      value,
      from: startOfWindow(from, now),
      pageSize: PAGE_SIZE_MAX,
    } as const;
    for await (const event of search(asked)) {
      const name = readerOf(event) ?? "";
      if (readers.includes(name)) at[name] = latest(at[name] ?? null, event.at) ?? event.at;
      read += 1;
      if (read === EVENTS_MAX || readers.every((each) => at[each] !== undefined)) return;
    }
  };
  try {
    const regions = (await enabledRegions()).filter((region) => !Object.hasOwn(unaskedRegions, region));
    const asked = await Promise.allSettled(regions.map(readOne));
    return { at, readUntil: asked.every(({ status }) => status === "fulfilled") ? now : null };
  } catch {
    return { at, readUntil: null };
  }
}
