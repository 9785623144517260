import type { LiveShare, WorkerVersion } from "../../cloud/cloudflare.ts";
import type { LiveState } from "../../rotation/observation.ts";
import type { Receipt } from "../../rotation/record.ts";

/** The version that has all the traffic, with nothing newer but what Keyturn itself has staged; or why that is not so. */
export type Standing =
  | {
      readonly kind: "clean";
      readonly live: WorkerVersion;
      /** The newest version: the live one, or one of ours that was left undeployed, or at 0 %. */
      readonly newest: WorkerVersion;
      readonly shares: readonly LiveShare[];
    }
  | { readonly kind: "unclean"; readonly because: string };

/**
 * What is live, and whether a version made of the newest one would have the live one's code. Versions that Keyturn
 * staged differ from it by their secrets alone, where their numbers follow the live one's without a gap.
 */
export function judgeStanding(
  live: readonly LiveShare[],
  versions: readonly WorkerVersion[],
  isOurs: (version: WorkerVersion) => boolean = () => false,
): Standing {
  const unclean = (because: string): Standing => ({ kind: "unclean", because });
  if (live.length === 0) return unclean("the Worker was never deployed. Deploy it once");
  const byNumber = versions.toSorted((one, other) => one.number - other.number);
  const whole = live.find(({ percentage }) => percentage === 100);
  const standsBy = (share: LiveShare): boolean => versions.some((it) => it.id === share.versionId && isOurs(it));
  if (whole === undefined || live.some((share) => share !== whole && !standsBy(share))) {
    return unclean("a gradual deployment is under way. Finish it, or take it back");
  }
  const at = byNumber.findIndex(({ id }) => id === whole.versionId);
  const carrier = byNumber[at];
  const newer = byNumber.slice(at + 1);
  const follows = (version: WorkerVersion, index: number): boolean =>
    isOurs(version) && version.number === (carrier?.number ?? 0) + index + 1;
  const isCopyOfLive = newer.every((version, index) => follows(version, index));
  if (carrier !== undefined && isCopyOfLive) {
    return { kind: "clean", live: carrier, newest: newer.at(-1) ?? carrier, shares: live };
  }
  return unclean(
    "the newest version is not the live one, and would go live with the pair. Deploy it, or upload the live one again",
  );
}

/** The versions that can be deployed and were made before ours: each, and its preview, holds the pair of its time. */
export function describeOlder(receipt: Receipt | null, versions: readonly WorkerVersion[]): string | null {
  const ours = versions.find(({ id }) => id === receipt?.version)?.number;
  const anchor = versions.find(({ id }) => id === receipt?.anchor)?.number;
  const before = ours ?? (anchor === undefined ? 0 : anchor + 1);
  const older = versions.map(({ number }) => number).filter((number) => number < before);
  if (older.length === 0) return null;
  const [from, to] = [Math.min(...older), Math.max(...older)].map(String);
  const which = from === to ? `version ${from ?? ""}` : `versions ${from ?? ""} to ${to ?? ""}`;
  return `${which} with an older pair, and so do their previews: who goes back to one brings an old key back`;
}

/**
 * Every version keeps the secrets that it was made with, so an anchor or an older version, brought back, brings an older
 * pair back. A newer one that is not known to be ours is presumed to have inherited the pair, and is `foreign`.
 */
export function judgeLive(
  receipt: Receipt | null,
  live: readonly LiveShare[],
  versions: readonly WorkerVersion[],
): LiveState {
  const ids = live.filter((share) => share.percentage > 0).map((share) => share.versionId);
  if (receipt === null || ids.length === 0) return "unknown";
  if (ids.every((id) => id === receipt.version)) return "ours";
  const numberOf = (id: string | null): number | undefined => versions.find((version) => version.id === id)?.number;
  const anchor = numberOf(receipt.anchor);
  const isBefore = (id: string): boolean => {
    const number = numberOf(id);
    return id === receipt.anchor || (number !== undefined && anchor !== undefined && number < anchor);
  };
  return ids.some(isBefore) ? "previous" : "foreign";
}
