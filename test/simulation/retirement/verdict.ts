import type { Profile } from "../../../src/rotation/policy.ts";
import { LAST_USED_COLLAPSE_MS as COLLAPSE_MS, LAST_USED_LAG_MS, quietMs } from "../../../src/rotation/policy.ts";
import { describeMs } from "../../../src/rotation/time.ts";
import type { Times } from "./ground.ts";
import { lastOldCall, nextCall } from "./signers.ts";
import type { Signer } from "./signers.ts";
import type { Sweeps } from "./sweeps.ts";
import { isBeyondDocumented, lastUsedKnowsUntil, refusalOf } from "./troubles.ts";
import type { Troubles } from "./troubles.ts";

/** What the world alone says of a deactivation: who would have signed with the key next. */
export interface Verdict {
  /**
   * `right`: nobody. `false unused`: somebody who keeps to what was declared. `slower than declared`: somebody whose
   * silence is longer than the policy allows. `no source could show it`: last-used did worse than its documentation says,
   * and CloudTrail shows no such call. `not counted`: a holder whom the profile does not count, although each that it
   * counts names itself, signed beside a read of custody, CloudTrail shows no such call, and no sweep could look in between.
   */
  readonly kind: (typeof WORST)[number];
  readonly signer: Signer | null;
  readonly text: string;
}

export interface Judging {
  readonly signers: readonly Signer[];
  readonly troubles: Troubles;
  readonly profile: Profile;
  readonly times: Times;
  readonly sweeps: Sweeps;
}

const WORST = ["false unused", "not counted", "no source could show it", "slower than declared", "right"] as const;

/** Judges a deactivation at an instant. */
export function judgeDeactivation(judging: Judging, atMs: number): Verdict {
  const found = judging.signers.flatMap((signer) => judgeFor(judging, signer, atMs) ?? []);
  const right: Verdict = { kind: "right", signer: null, text: "nobody would sign with it any more" };
  return WORST.flatMap((kind) => found.find((verdict) => verdict.kind === kind) ?? [])[0] ?? right;
}

function judgeFor(judging: Judging, signer: Signer, atMs: number): Verdict | null {
  const { troubles, profile } = judging;
  const nextMs = nextCall(signer, "old", atMs);
  if (nextMs === Number.POSITIVE_INFINITY) return null;
  const lastMs = lastOldCall(signer, nextMs, { floorMs: nextMs - signer.promisedMs - signer.rhythm.gapMs });
  const silenceMs = silenceBefore(signer, nextMs, atMs - LAST_USED_LAG_MS - COLLAPSE_MS);
  const silence = silenceMs === Number.POSITIVE_INFINITY ? "without end" : `of ${describeMs(silenceMs)}`;
  const text = `${signer.name}, ${signer.rhythm.name}, ${signer.call.service}, would sign with it in ${describeMs(nextMs - atMs)}, after a silence ${silence}; promised are ${describeMs(signer.promisedMs)}`;
  if (silenceMs > signer.promisedMs) return { kind: "slower than declared", signer, text };
  const isShown =
    signer.call.isManagement && !(signer.call.region in profile.unaskedRegions) && troubles.trail.lost === 0;
  if (!signer.isCounted && lastMs !== null && !isShown && isHidden(judging, lastMs)) {
    return { kind: "not counted", signer, text };
  }
  const kind = isBeyondDocumented(troubles) && !isShown ? "no source could show it" : "false unused";
  return { kind, signer, text };
}

/** The longest silence up to a call, back to before an instant: what was used after it nobody could know of yet. */
function silenceBefore(signer: Signer, callMs: number, knownMs: number): number {
  let longestMs = 0;
  for (let atMs = callMs; ;) {
    const before = lastOldCall(signer, atMs, { floorMs: atMs - signer.promisedMs - signer.rhythm.gapMs });
    if (before === null) return Number.POSITIVE_INFINITY;
    longestMs = Math.max(longestMs, atMs - before);
    if (before < knownMs) return longestMs;
    atMs = before;
  }
}

const isBlind = (troubles: Troubles, atMs: number): boolean =>
  refusalOf(troubles, { operation: "GetAccessKeyLastUsed", region: "us-east-1", page: 0 }, atMs) !== null;

/** Whether last-used never told of a use but by a hand-over: in the same quarter of an hour, or before anybody was told. */
function isHidden({ signers, troubles, sweeps }: Judging, usedMs: number): boolean {
  const handOvers = signers.flatMap(({ handOversMs }) => handOversMs).filter((atMs) => atMs >= usedMs - COLLAPSE_MS);
  let sweptMs = sweeps.next(usedMs);
  while (isBlind(troubles, sweptMs) || lastUsedKnowsUntil(troubles, sweptMs) < usedMs)
    sweptMs = sweeps.next(sweptMs + 1);
  return handOvers.some((atMs) => atMs <= lastUsedKnowsUntil(troubles, sweptMs));
}

/** The earliest deactivation that the policy allows, whoever judges: quiet and lag after the last use or delivery. */
export function leastMs({ signers, profile, times }: Judging): number {
  const { policy } = profile;
  const base = times.everywhereMs + policy.cacheForMs + quietMs(policy);
  const ends = signers.map((signer) => {
    const isForEver = signer.switchesMs === Number.POSITIVE_INFINITY;
    const lastMs = isForEver
      ? signer.switchesMs
      : lastOldCall(signer, Number.POSITIVE_INFINITY, { floorMs: times.createdMs });
    // A hand-over restarts quietFor alone.
    return lastMs === null ? base : lastMs + (signer.handOversMs.length > 0 ? policy.quietForMs : quietMs(policy));
  });
  return Math.max(base, ...ends) + LAST_USED_LAG_MS;
}
