import { worksAt } from "../../world/iam-state.ts";
import type { SimulatedKey } from "../../world/iam-state.ts";
import type { CallKind } from "../consumers.ts";
import type { Rhythm } from "../rhythm.ts";

/** Whoever signs with the user's keys. When it signs with which of them is settled beforehand; no time here is stepped. */
export interface Signer {
  readonly name: string;
  readonly kind: SignerKind;
  readonly rhythm: Rhythm;
  readonly call: CallKind;
  /** Its calls before this instant are signed with the old key, later ones with the replacement. Infinity: it never learns. */
  readonly switchesMs: number;
  /** It makes no call at this instant or later. */
  readonly endsMs: number;
  /** Some calls go back to AWSPREVIOUS for a while, although it has the replacement. */
  readonly fallsBack: { readonly untilMs: number; readonly chance: number; readonly seed: number } | null;
  /** The silence after which it must still find its key. */
  readonly promisedMs: number;
  /** Its calls are reads of the user's own custody: those with the old key since the promotion, the last of which arrives. */
  readonly handOversMs: readonly number[];
  /** By what name it signs, where it names itself: CloudTrail then shows who it is. */
  readonly reader: string | null;
  /** The owner counts it among those that hold the pair. */
  readonly isCounted: boolean;
}

export type SignerKind =
  | "worker"
  | "cached"
  | "forgotten"
  | "moved late"
  | "session"
  | "falls back"
  | "laptop's pull"
  | "laptop's check"
  | "laptop"
  | "new only";

export type Which = "old" | "new";

/** At least 0, less than 1; always the same for the same numbers. */
export function hashed(seed: number, value: number): number {
  let mixed = Math.imul((Math.floor(value / 1_000) ^ seed) + 0x9e3779b9, 2_246_822_519) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 3_266_489_917) >>> 0;
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 4_294_967_296;
}

const isFallback = ({ fallsBack }: Signer, atMs: number): boolean =>
  fallsBack !== null && atMs < fallsBack.untilMs && hashed(fallsBack.seed, atMs) < fallsBack.chance;

/** Whether a call that the signer makes at this instant is signed with the old key. */
const isOld = (signer: Signer, atMs: number): boolean => atMs < signer.switchesMs || isFallback(signer, atMs);

/** The first call at an instant or later that the signer signs with this key; Infinity where there is none. */
export function nextCall(signer: Signer, which: Which, fromMs: number): number {
  const { rhythm, switchesMs, endsMs, fallsBack } = signer;
  const latestMs = which === "new" ? endsMs : Math.min(endsMs, Math.max(switchesMs, fallsBack?.untilMs ?? 0));
  if (fromMs >= latestMs || (which === "new" && switchesMs === Number.POSITIVE_INFINITY))
    return Number.POSITIVE_INFINITY;
  let atMs = rhythm.next(which === "new" ? Math.max(fromMs, switchesMs) : fromMs);
  while (atMs < latestMs && isOld(signer, atMs) !== (which === "old")) atMs = rhythm.next(atMs + 1);
  return atMs < latestMs ? atMs : Number.POSITIVE_INFINITY;
}

/** The last call before an instant that it signs with the old key and that `isCounted`; null where there is none since `floorMs`. */
export function lastOldCall(
  signer: Signer,
  beforeMs: number,
  { floorMs, isCounted = () => true }: { readonly floorMs: number; readonly isCounted?: (atMs: number) => boolean },
): number | null {
  const latestMs = Math.max(signer.switchesMs, signer.fallsBack?.untilMs ?? 0);
  let atMs = signer.rhythm.last(Math.min(beforeMs, signer.endsMs, latestMs));
  while (atMs >= floorMs && !(isOld(signer, atMs) && isCounted(atMs))) atMs = signer.rhythm.last(atMs);
  return atMs >= floorMs ? atMs : null;
}

/** The last call before an instant that it signs with the replacement; null where there is none. */
export function lastNewCall(signer: Signer, beforeMs: number): number | null {
  const atMs = signer.rhythm.last(Math.min(beforeMs, signer.endsMs));
  return atMs >= signer.switchesMs ? atMs : null;
}

/** The first instant at which a key works, at this one or later; Infinity where it stays dead. */
export function worksFrom(key: SimulatedKey, atMs: number): number {
  if (worksAt(key, atMs)) return atMs;
  return key.changes.find((change) => change.atMs > atMs && change.works)?.atMs ?? Number.POSITIVE_INFINITY;
}
