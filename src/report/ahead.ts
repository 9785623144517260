import type { Decision } from "../rotation/decision.ts";
import type { Observation } from "../rotation/observation.ts";
import type { RotationPolicy } from "../rotation/policy.ts";
import { days, type Instant, plus } from "../rotation/time.ts";
import { opensAt, spellIn } from "../rotation/window.ts";
import type { Finding } from "./deadlines.ts";

/** Who has named a window wants to know the day before. */
const AHEAD_MS = days(1);

/** What a profile with a window will do within a day, and when: a delivery, or the old key's deactivation. */
export function ahead(observation: Observation, policy: RotationPolicy, now: Instant, last?: Decision): Finding[] {
  const { window } = policy;
  if (window === null) return [];
  const planned = waitedFor(last) ?? nextRotation(observation, policy);
  if (planned === null) return [];
  const at = opensAt(window, planned.at) ?? planned.at;
  if (at <= now || at - now > AHEAD_MS) return [];
  const text = `On ${spellIn(window, at)}, if nothing is in the way then: ${planned.what}`;
  return [{ code: "WindowAhead", text, subject: subjectOf(observation) }];
}

type Planned = { readonly at: Instant; readonly what: string };

/** What was decided to wait until then. */
function waitedFor(last: Decision | undefined): Planned | null {
  const at = last?.step.kind === "hold" ? last.step.until : null;
  if (last === undefined || at === null) return null;
  if (last.reason === "WindowClosed") return { at, what: last.because };
  return last.reason === "OldKeyQuieting" ? { at, what: `the old key is deactivated (now ${last.because})` } : null;
}

/** A replacement is made when the only key is due, and goes out in the window that is open then, or opens next. */
function nextRotation({ keys }: Observation, { rotateAfterMs }: RotationPolicy): Planned | null {
  const [key, ...others] = keys;
  if (key?.status !== "active" || others.length > 0) return null;
  return { at: plus(key.createdAt, rotateAfterMs), what: `${key.id} is due, and its replacement is delivered` };
}

/** Which key is replaced, and whether it goes: each is told once, however often the wait for it changes its words. */
function subjectOf({ keys, custody }: Observation): string {
  const [oldest] = keys.toSorted((one, other) => one.createdAt - other.createdAt);
  const isDelivery = keys.length < 2 || (custody.kind === "present" && custody.pending !== null);
  return `${isDelivery ? "deliver" : "retire"}:${oldest?.id ?? ""}`;
}
