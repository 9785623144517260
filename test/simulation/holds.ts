import type { SigningPair } from "../world/caller.ts";
import { worksAt } from "../world/iam-state.ts";
import type { Hold } from "./consumers.ts";
import { custodyName, custodyPair } from "./stage.ts";
import type { Stage } from "./stage.ts";
import type { Workplace } from "./workplaces.ts";

/** In the place of a pair where there was never one. */
export const NO_PAIR: SigningPair = { keyId: "none", secret: "none" };

const usable = (pair: SigningPair | null): SigningPair | null => (pair?.keyId === NO_PAIR.keyId ? null : pair);

/** Reads what is live at its destination, at each call. */
export function workerHold({ heldAt }: Workplace): Hold {
  const at: Hold["at"] = (nowMs) => {
    const { pair, untilMs } = heldAt(nowMs);
    return { pair: usable(pair), untilMs };
  };
  return { kind: "worker", at, peek: (nowMs) => at(nowMs).pair };
}

/** Signs for ever with the pair that somebody typed in. */
export function typedInHold(pair: SigningPair): Hold {
  return { kind: "typed-in", at: () => ({ pair, untilMs: Number.POSITIVE_INFINITY }), peek: () => pair };
}

/** Reads custody with rights of its own, and keeps what it read for a while; while there is no pair it keeps the old one. */
export function cachedHold(stage: Stage, user: string, options: { first: SigningPair | null; cacheMs: number }): Hold {
  let held = options.first;
  let fetchedMs = Number.NEGATIVE_INFINITY;
  const isFresh = (nowMs: number): boolean => nowMs < fetchedMs + options.cacheMs;
  return {
    kind: "cached",
    at: (nowMs) => {
      if (!isFresh(nowMs)) {
        held = custodyPair(stage, user, "AWSCURRENT") ?? held;
        fetchedMs = nowMs;
      }
      return { pair: held, untilMs: fetchedMs + options.cacheMs };
    },
    peek: (nowMs) => (isFresh(nowMs) ? held : (custodyPair(stage, user, "AWSCURRENT") ?? held)),
  };
}

/** A laptop: fetches its pair with the very pair it holds, and keeps the one it has when there is none to fetch. */
export function pullingHold(stage: Stage, user: string, options: { first: SigningPair | null; everyMs: number }): Hold {
  let held = options.first;
  let pulledMs = Number.NEGATIVE_INFINITY;
  const works = (pair: SigningPair, nowMs: number): boolean => {
    const key = stage.cloud.iam.keys.get(pair.keyId);
    return key !== undefined && worksAt(key, nowMs);
  };
  return {
    kind: "pulls",
    at: (nowMs) => {
      const untilMs = Math.max(nowMs + 1, pulledMs + options.everyMs);
      if (nowMs < pulledMs + options.everyMs) return { pair: held, untilMs };
      pulledMs = nowMs;
      const isThere = stage.cloud.secretsManager.named(custodyName(user)) !== null;
      const pulledWith = isThere ? held : null;
      // Before its first pair its owner fetches it for it.
      if (held === null || works(held, nowMs)) held = custodyPair(stage, user, "AWSCURRENT") ?? held;
      const pulled = { pair: held, untilMs: Math.max(nowMs + 1, nowMs + options.everyMs) };
      return pulledWith === null ? pulled : { ...pulled, pulledWith };
    },
    // A pull is signed with the pair that is held: that one is needed.
    peek: () => held,
  };
}
