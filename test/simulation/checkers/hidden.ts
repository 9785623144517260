import { LAST_USED_COLLAPSE_MS } from "../../../src/rotation/policy.ts";
import type { SimulatedKey } from "../../world/iam-state.ts";
import type { CallEvent } from "../checker.ts";
import { nextPair } from "../consumers.ts";
import type { Consumer } from "../consumers.ts";
import type { SimulatedSubject, Stage } from "../stage.ts";

/** What last-used was heard to tell, and whether it ever told of a use. */
export interface Hearsay {
  readonly hear: (event: Pick<CallEvent, "name" | "input" | "answer" | "isHeard">) => void;
  readonly isHidden: (
    subject: Pick<SimulatedSubject, "profile" | "consumers">,
    consumer: Consumer,
    key: Pick<SimulatedKey, "id" | "uses">,
  ) => boolean;
}

/**
 * A holder whom the profile's `readers` leave out, although all that it names have the new pair (decision 19, "Not covered"),
 * may have signed where no source tells: for data, and beside a reader that fetched its pair with the same key.
 */
export function hearsay(stage: Pick<Stage, "clock">): Hearsay {
  const toldMs = new Map<string, number>();
  return {
    hear: ({ name, input, answer, isHeard }) => {
      if (name !== "iam.GetAccessKeyLastUsed" || !isHeard || answer === null) return;
      const { LastUsedDate, ServiceName } = answer["AccessKeyLastUsed"] as Readonly<Record<string, unknown>>;
      if (!(LastUsedDate instanceof Date) || ServiceName === "secretsmanager") return;
      const keyId = String(input["AccessKeyId"]);
      toldMs.set(keyId, Math.max(toldMs.get(keyId) ?? 0, LastUsedDate.getTime()));
    },
    isHidden: ({ profile, consumers }, { hold, call, rhythm }, key) => {
      if (profile.readers.length === 0 || hold.kind !== "typed-in" || call.isManagement) return false;
      const nowMs = stage.clock.now();
      const usedMs = rhythm.last(nowMs) - LAST_USED_COLLAPSE_MS;
      const readMs = key.uses.findLast(({ service }) => service === "secretsmanager")?.atMs ?? Number.NEGATIVE_INFINITY;
      const isBeside = readMs >= usedMs && nowMs - readMs >= profile.policy.quietForMs;
      const areOthersThere = consumers.every(
        (other) => other.hold.kind !== "pulls" || nextPair(other, nowMs)?.keyId !== key.id,
      );
      return isBeside && areOthersThere && (toldMs.get(key.id) ?? 0) < usedMs;
    },
  };
}
