import { worksAt } from "../world/iam-state.ts";
import { nextPair } from "./consumers.ts";
import { custodyPair, subjectOf } from "./stage.ts";
import type { Stage } from "./stage.ts";

/** After a person's deed: whoever now holds, or would fetch, a pair that does not work was given it by that person. */
export function excuseTheDead(stage: Stage, user: string): void {
  const nowMs = stage.clock.now();
  const { keys } = stage.cloud.iam;
  const works = (keyId: string): boolean => {
    const key = keys.get(keyId);
    return key !== undefined && worksAt(key, nowMs) && key.status === "Active" && !key.isDeleted;
  };
  const current = custodyPair(stage, user, "AWSCURRENT");
  for (const consumer of subjectOf(stage, user)?.consumers ?? []) {
    const isReader = consumer.hold.kind === "cached" || consumer.hold.kind === "pulls";
    for (const pair of [nextPair(consumer, nowMs), isReader ? current : null]) {
      if (pair !== null && !works(pair.keyId)) consumer.excused.add(pair.keyId);
    }
  }
}
