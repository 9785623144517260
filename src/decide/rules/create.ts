import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import { days, describeMs, hours, plus } from "../../rotation/time.ts";
import { healthOpen } from "../answers.ts";
import { partsOf } from "../parts.ts";
import { hold } from "../rulings.ts";

/** After an orphan, creation waits: something refused to store a secret, and would again. */
const WAIT_AFTER_ORPHAN_MS = [hours(1), hours(4), days(1)] as const;
const KEYS_PER_USER_MAX = 2;

/** Rule 12. The current (or only hand-made) key is due and a slot is free. Without a slot, rules 13 and 14 make the room. */
export const create: Rule = {
  name: "create",
  judge(situation) {
    const ruling = creation(situation);
    return ruling === null ? null : (afterOrphan(situation) ?? usesAnother(situation) ?? ruling);
  },
};

function creation({ observation, profile, now }: Situation): Ruling | null {
  const { isCustodyEmpty, pendingId, current, old } = partsOf(observation);
  if (profile === null || pendingId !== null || observation.keys.length >= KEYS_PER_USER_MAX) return null;
  if (observation.keys.length === 0) {
    const because = "the user has no key and never had custody";
    return { step: { kind: "create-replacement", replaces: null }, reason: "FirstKey", because };
  }
  const { rotateAsked } = observation.record;
  const key = isCustodyEmpty ? old[0] : current;
  if (key === null || key === undefined) return null;
  const ageMs = now - key.createdAt;
  const step = { kind: "create-replacement", replaces: key.id } as const;
  const because = `${key.id} is ${describeMs(ageMs)} old`;
  if (rotateAsked?.replaces === key.id) {
    return { step, reason: "RotateAsked", because: `an operator asked to rotate ${key.id}` };
  }
  const isAtOnce = isCustodyEmpty && profile.policy.adopt === "at-once";
  if (!isAtOnce && ageMs < profile.policy.rotateAfterMs) return null;
  return { step, reason: "KeyDue", because };
}

/** A consumer that signs with another key than the current one was given it by somebody, and keeps it. */
function usesAnother({ observation }: Situation): Ruling | null {
  const { current } = partsOf(observation);
  return current === null ? null : healthOpen(observation, current.id, current.status !== "active");
}

function afterOrphan({ observation, now }: Situation): Ruling | null {
  const { count, lastAt } = observation.record.orphans;
  if (count === 0) return null;
  const waitMs = WAIT_AFTER_ORPHAN_MS[Math.min(count, WAIT_AFTER_ORPHAN_MS.length) - 1] ?? days(1);
  const until = plus(lastAt, waitMs);
  if (now >= until) return null;
  const because = `storing the last replacement failed; the next is made in ${describeMs(until - now)}`;
  return hold("WaitingAfterOrphan", because, until);
}
