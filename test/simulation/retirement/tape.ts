import { minutes } from "../../../src/rotation/time.ts";
import type { Cloud } from "../../world/cloud.ts";
import type { SimulatedKey } from "../../world/iam-state.ts";
import { worksAt } from "../../world/iam-state.ts";
import { lastNewCall, lastOldCall, nextCall, worksFrom } from "./signers.ts";
import type { Signer, Which } from "./signers.ts";
import { isEventLost, lastUsedKnowsUntil, trailKnowsUntil } from "./troubles.ts";
import type { Troubles } from "./troubles.ts";

const COLLAPSE_MS = minutes(15);

/** Makes the calls of all signers known to IAM and CloudTrail, as late and as incompletely as they learn of them. */
export interface Tape {
  /** To be done before one of them is asked: IAM about a key, or CloudTrail where no key is named. */
  readonly settle: (nowMs: number, keyId: string | null) => void;
}

export interface Taped {
  readonly cloud: Cloud;
  readonly keys: Readonly<Record<Which, SimulatedKey>>;
  readonly signers: readonly Signer[];
  readonly troubles: Troubles;
  /** No call of before this instant can change anything. */
  readonly fromMs: number;
  readonly custodyName: string;
}

export function tapeOf(taped: Taped): Tape {
  const { cloud, troubles } = taped;
  const uses = { old: usesOf(taped, "old"), new: usesOf(taped, "new") };
  const record = eventsOf(taped);
  return {
    settle: (nowMs, keyId) => {
      cloud.lags.lastUsedMs = nowMs - lastUsedKnowsUntil(troubles, nowMs);
      cloud.lags.cloudTrailMs = nowMs - trailKnowsUntil(troubles, nowMs);
      if (keyId === null) record(nowMs);
      else uses[keyId === taped.keys.old.id ? "old" : "new"](nowMs);
    },
  };
}

/** Of all signers of a key the first use of each span of 15 minutes, exactly as IAM keeps them. */
function usesOf({ cloud, keys, signers, fromMs }: Taped, which: Which): (nowMs: number) => void {
  const key = keys[which];
  const able = signers.filter(
    (signer) => nextCall(signer, which, fromMs) < Number.POSITIVE_INFINITY || which === "old",
  );
  // Whoever is slow was here before.
  const earlier = able.map((signer) => ({ signer, atMs: lastOldCall(signer, fromMs, { floorMs: key.createdAtMs }) }));
  const [newest] = earlier
    .filter(({ atMs }) => atMs !== null)
    .toSorted((one, other) => (other.atMs ?? 0) - (one.atMs ?? 0));
  if (which === "old" && newest !== undefined) {
    const { service, region } = newest.signer.call;
    cloud.iam.recordUse(key.id, { atMs: newest.atMs ?? 0, service, region });
  }
  let cursorMs = Math.max(fromMs, (key.uses.at(-1)?.atMs ?? 0) + COLLAPSE_MS);
  return (nowMs) => {
    while (cursorMs < nowMs) {
      let [firstMs, first]: [number, Signer | null] = [Number.POSITIVE_INFINITY, null];
      for (const signer of able) {
        const atMs = nextCall(signer, which, cursorMs);
        if (atMs < firstMs) [firstMs, first] = [atMs, signer];
      }
      if (first === null || firstMs >= nowMs) return;
      const worksMs = worksFrom(key, firstMs);
      if (worksMs > firstMs) {
        // It may be given back; until it is, nothing more is known.
        cursorMs = Math.min(worksMs, nowMs);
        continue;
      }
      cloud.iam.recordUse(key.id, { atMs: firstMs, service: first.call.service, region: first.call.region });
      cursorMs = firstMs + COLLAPSE_MS;
    }
  };
}

const agentOf = ({ name, reader }: Signer): string => (reader === null ? name : `Botocore/1.42 app/keyturn-${reader}`);

/** Of each signer the newest call that CloudTrail can show by now: its answers begin with the newest. */
function eventsOf({ cloud, keys, signers, troubles, fromMs, custodyName }: Taped): (nowMs: number) => void {
  const shown = signers
    .filter(({ call }) => call.isManagement && troubles.trail.lost < 1)
    .map((signer) => ({ signer, atMs: fromMs, newMs: fromMs }));
  const isCounted = (atMs: number): boolean => worksAt(keys.old, atMs) && !isEventLost(troubles, atMs);
  return (nowMs) => {
    const knownUntilMs = trailKnowsUntil(troubles, nowMs);
    const news: { readonly signer: Signer; readonly atMs: number; readonly which: Which }[] = [];
    // With the replacement only those are looked for that name themselves.
    for (const entry of shown.filter(({ signer }) => signer.reader !== null)) {
      const atMs = lastNewCall(entry.signer, knownUntilMs + 1);
      if (atMs === null || atMs <= entry.newMs || isEventLost(troubles, atMs)) continue;
      entry.newMs = atMs;
      news.push({ signer: entry.signer, atMs, which: "new" });
    }
    for (const entry of shown) {
      const atMs = lastOldCall(entry.signer, knownUntilMs + 1, { floorMs: entry.atMs + 1, isCounted });
      if (atMs === null) continue;
      entry.atMs = atMs;
      news.push({ signer: entry.signer, atMs, which: "old" });
    }
    for (const { signer, atMs, which } of news.toSorted((one, other) => one.atMs - other.atMs)) {
      const { service, operation, region } = signer.call;
      const where = { signer: null, sourceAddress: "203.0.113.9", userAgent: agentOf(signer) };
      const input = signer.call.operation === "GetSecretValue" ? { SecretId: custodyName } : {};
      const call = { service, operation, region, input, ...where };
      cloud.cloudTrail.record({ ...call, caller: keys[which].caller, nowMs: atMs }, null, null);
    }
  };
}
