import { days, minutes } from "../../src/rotation/time.ts";
import type { Destination } from "../../src/rotation/world.ts";
import type { SigningPair } from "../world/caller.ts";
import type { SimulatedKey } from "../world/iam-state.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import type { Hold } from "./consumers.ts";
import { count } from "./coverage.ts";
import type { ConsumerPlan, UserPlan } from "./draw-user.ts";
import { cachedHold, NO_PAIR, pullingHold, typedInHold, workerHold } from "./holds.ts";
import { rhythmOf } from "./rhythm.ts";
import type { SimulatedSubject, Stage } from "./stage.ts";
import type { Workplace } from "./workplaces.ts";
import { atomicWorkplace, storedWorkplace } from "./workplaces.ts";

/** What a user may send mail by. */
export const MAIL_POLICY = { Statement: [{ Effect: "Allow", Action: "ses:*", Resource: "*" }] };

/** Makes one user as it was drawn, its destinations and whoever calls with its keys. */
export function castUser(stage: Stage, plan: UserPlan): SimulatedSubject {
  const { name, profile, keys } = plan;
  const user = `user-${name}`;
  stage.cloud.iam.createUser({
    name: user,
    tags: { [plan.tagKey]: name, ...(plan.isEnrolledTwice ? { "keyturn-other": "x" } : {}) },
    ...(plan.mayMail ? { inline: { mail: MAIL_POLICY } } : {}),
  });
  const active = keys
    .map((key) => makeKey(stage, user, key))
    .filter(({ status }) => status === "Active")
    .map(pairOf);
  const first = active[0] ?? null;
  const workers = Array.from({ length: plan.workers }, (_, at): Workplace => {
    const stored = plan.stored?.[at] ?? null;
    const place = { name: `worker-${name}-${String(at)}`, first: first ?? NO_PAIR };
    count(
      stage.coverage,
      "place",
      stored === null ? "atomic" : stored.isGit ? "stored, and built" : "stored, and uploaded",
    );
    if (stored === null) return atomicWorkplace(stage, place.name, place.first);
    return storedWorkplace(stage, { ...place, plan: stored });
  });
  const destinations: Destination[] = [...workers, ...(plan.hasReaders ? [custodyReader(user)] : [])];
  const { mayMail } = plan;
  const subject: SimulatedSubject = { user, profile, mayMail, workers, destinations, consumers: [], first };
  count(stage.coverage, "shape", keys.map(({ isActive }) => (isActive ? "active" : "inactive")).join(", ") || "none");
  for (const consumer of plan.consumers) addConsumer(stage, subject, { plan: consumer, active });
  return subject;
}

/** Two profiles that name the same place: nobody may be delivered there, whoever is enrolled. */
export function shareSlot(subjects: readonly SimulatedSubject[]): void {
  const shared = memoryDestination("shared", NO_PAIR);
  for (const subject of subjects.slice(0, 2)) subject.destinations = [...subject.destinations, shared];
}

const pairOf = ({ id, secret }: SimulatedKey): SigningPair => ({ keyId: id, secret });

function makeKey(stage: Stage, user: string, { ageMs, isActive }: UserPlan["keys"][number]): SimulatedKey {
  const createdAtMs = stage.clock.now() - ageMs;
  const key = stage.cloud.iam.createKey(user, { createdAtMs });
  if (isActive) return key;
  key.status = "Inactive";
  key.changes.push({ atMs: createdAtMs, works: false });
  return key;
}

/** Custody itself, seen as a destination: filled by promotion. */
function custodyReader(user: string): Destination {
  const name = `secrets-manager:${user}`;
  const never = (): never => {
    throw new Error("custody is filled by promotion, and never delivered to");
  };
  return {
    name,
    slots: [name],
    readsCustody: true,
    preflight: async () => ({ kind: "ready", anchor: null }),
    deliver: async () => never(),
    live: async () => "unknown",
  };
}

interface Casting {
  readonly plan: ConsumerPlan;
  readonly active: readonly SigningPair[];
}

function addConsumer(stage: Stage, subject: SimulatedSubject, { plan, active }: Casting): void {
  const { user, profile, consumers, first } = subject;
  const startMs = stage.clock.now();
  const rhythm = rhythmOf(plan.rhythm);
  const hold = holdOf(stage, subject, { plan, active });
  // They have been at work for as long as their key is there.
  const pair = hold.peek(startMs);
  const createdAtMs = pair === null ? startMs : (stage.cloud.iam.keys.get(pair.keyId)?.createdAtMs ?? startMs);
  const settledMs = Math.max(createdAtMs, startMs - rhythm.gapMs - days(1));
  const forgiven = new Set(plan.isForgiven && first !== null ? [first.keyId] : []);
  count(stage.coverage, "rhythm", rhythm.name);
  consumers.push({ name: plan.name, user, rhythm, hold, call: plan.call, settledMs, excused: new Set(), forgiven });
  // Whoever typed it in tried it. A key that was never used in its whole life counts as nobody's (rule 13).
  if (plan.hold.kind !== "typed-in" || profile.policy.idleAtMostMs !== null || pair === null) return;
  stage.cloud.iam.recordUse(pair.keyId, { atMs: createdAtMs + minutes(30), service: "lambda", region: "us-east-1" });
}

function holdOf(stage: Stage, { user, workers, first }: SimulatedSubject, { plan, active }: Casting): Hold {
  const { hold } = plan;
  switch (hold.kind) {
    case "cached":
      return cachedHold(stage, user, { first, cacheMs: hold.cacheMs });
    case "pulls":
      return pullingHold(stage, user, { first, everyMs: hold.everyMs });
    case "typed-in":
      return typedInHold(active[hold.key] ?? NO_PAIR);
    case "worker": {
      const worker = workers[hold.worker];
      if (worker === undefined) throw new RangeError(`${plan.name} has no worker ${String(hold.worker)}`);
      return workerHold(worker);
    }
  }
}
