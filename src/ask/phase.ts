import { memoryOf } from "../decide/answers.ts";
import { partsOf } from "../decide/parts.ts";
import type { Decision, Step } from "../rotation/decision.ts";
import type { AccessKeyId } from "../rotation/keys.ts";
import type { Observation } from "../rotation/observation.ts";
import { instant, type Instant } from "../rotation/time.ts";

/** Where a user stands in the life of its keys, in one word. `docs/commands.md` tells people what each means. */
type Phase = "at rest" | "due" | "replacing" | "waiting" | "soaking" | "held" | "unreadable";

/** A phase, since when as far as anybody knows, and the step that ends it. */
export interface Stage {
  readonly phase: Phase;
  readonly since: Instant | null;
  readonly next: { readonly step: Step["kind"]; readonly at: Instant | null };
}

/** Tells the stage by what was seen and decided. */
export function stageOf(observation: Observation, decision: Decision): Stage {
  const { step, rule, reason } = decision;
  const at = step.kind === "hold" ? step.until : null;
  if (observation.blindSpots.length > 0) return { phase: "unreadable", since: null, next: { step: "hold", at } };
  if (rule === "not-ours-to-touch" && reason !== "NothingDue") {
    return { phase: "held", since: null, next: { step: "hold", at } };
  }
  if (rule === "exposed") {
    const since = Math.min(...observation.notes.exposures.map(({ at: markedAt }) => markedAt));
    const next = { step: step.kind === "hold" ? "deactivate" : step.kind, at } as const;
    return { phase: "replacing", since: Number.isFinite(since) ? instant(since) : null, next };
  }
  const { pendingId, current, old } = partsOf(observation);
  const since = (id: AccessKeyId, of: "firstSeenAt" | "promotedAt" | "inactiveSince"): Instant | null =>
    memoryOf(observation, id)?.[of] ?? null;
  const then = (usual: Step["kind"]): Stage["next"] => ({ step: step.kind === "hold" ? usual : step.kind, at });
  if (pendingId !== null) return { phase: "replacing", since: since(pendingId, "firstSeenAt"), next: then("deliver") };
  const soaking = old.find(({ status }) => status === "inactive");
  if (soaking !== undefined) {
    return { phase: "soaking", since: since(soaking.id, "inactiveSince"), next: then("delete") };
  }
  if (current !== null && old.length > 0) {
    return { phase: "waiting", since: since(current.id, "promotedAt"), next: then("deactivate") };
  }
  if (reason === "NothingDue") return { phase: "at rest", since: null, next: then("create-replacement") };
  // A build that is under way is nobody's move.
  if (reason === "DestinationStored") return { phase: "replacing", since: null, next: then("deliver") };
  return { phase: step.kind === "hold" ? "held" : "due", since: null, next: { step: step.kind, at } };
}
