import { judge } from "../judge.ts";
import { observe, type Subject } from "../observe/observe.ts";
import { isAtRest } from "../observe/rest.ts";
import { findSubjects, type Found, type Serving } from "../observe/subjects.ts";
import { asRotationError } from "../rotation/errors.ts";
import type { AccessKeyId, UserName } from "../rotation/keys.ts";
import { NOTICES } from "../rotation/notice.ts";
import { type Instant, plus } from "../rotation/time.ts";
import type { SweepState, World } from "../rotation/world.ts";
import { stageOf } from "./phase.ts";

/** At some 500 bytes a line a page stays far below the 6 MB that Lambda answers. Source: Lambda quotas, invocation payload. */
const LINES_MAX = 2_000;
/** Each of these costs several calls, CloudTrail's two a second among them: so many are looked at within minutes. */
const LOOKS_MAX = 200;

/** Where one user stands. Instants are ISO texts; plain JSON, no secret. */
interface StatusLine {
  readonly user: string;
  readonly profile: string | null;
  readonly phase: string;
  readonly since: string | null;
  /** Of a user at rest as the credential report has its key: since when it is as it is. */
  readonly keys: readonly { readonly id: string | null; readonly status: string; readonly createdAt: string }[];
  readonly next: { readonly step: string; readonly at: string | null };
  readonly because: string;
  /** Whether that is in the way, and no ordinary wait: the reasons of which people get a notice. */
  readonly isBlocked: boolean;
}

/** One page, and the name that the next begins with. */
export interface Page {
  readonly from?: UserName | undefined;
}

export const iso = (at: Instant | null): string | null => (at === null ? null : new Date(at).toISOString());

/** All users of this deployment in the order of their names, with what can be read of all of them at once. */
export async function everybody(world: World, serving: Serving): Promise<Found & { readonly state: SweepState }> {
  const [state] = await Promise.all([world.journal.sweepState(), world.identity.read()]);
  const found = await findSubjects(world, serving, state);
  const byName = <T extends { readonly user: string }>(all: readonly T[]): readonly T[] =>
    all.toSorted((one, other) => (one.user < other.user ? -1 : 1));
  return { ...found, subjects: byName(found.subjects), unread: byName(found.unread), state };
}

/** Every user's standing: of those at rest by bulk readings alone, of the others by the look that a plan takes. */
export async function status(world: World, { from = "" as UserName, ...serving }: Serving & Page): Promise<unknown> {
  const { subjects, unread, state } = await everybody(world, serving);
  const now = world.clock.now();
  const rest = subjects.filter(({ user }) => user >= from);
  const resting = new Set(rest.filter((subject) => isAtRest(subject, now)));
  const page = rest.slice(0, LINES_MAX);
  const moving = page.filter((subject) => !resting.has(subject));
  const beyond = moving[LOOKS_MAX] ?? rest[LINES_MAX] ?? null;
  const shown = page.filter(({ user }) => beyond === null || user < beyond.user);
  const lines = await Promise.all(shown.map((subject) => movingOrResting(world, subject, resting)));
  const failed = from === "" ? unread.map(({ user, error }) => unreadable(user, null, error.message)) : [];
  const done = `Told where ${String(lines.length)} of ${String(subjects.length)} users stand.`;
  const told = { done, at: iso(now), runningSince: iso(state.runningSince), enrolmentTag: serving.enrolmentTag };
  return { ...told, total: subjects.length + unread.length, users: [...failed, ...lines], next: beyond?.user ?? null };
}

const movingOrResting = async (world: World, subject: Subject, resting: ReadonlySet<Subject>): Promise<StatusLine> =>
  resting.has(subject) ? restingLine(subject) : movingLine(world, subject);

function restingLine({ user, profile, reported, revision }: Subject): StatusLine {
  const madeAt = reported?.[0]?.changedAt ?? null;
  const dueAt = madeAt === null || profile === null ? null : plus(madeAt, profile.policy.rotateAfterMs);
  const known = Object.entries(revision?.record?.keys ?? {}).filter(([, key]) => key.missingSince === null);
  const [id = null] = known.length === 1 ? known.map(([only]) => only as AccessKeyId) : [];
  const keys = madeAt === null ? [] : [{ id, status: "active", createdAt: new Date(madeAt).toISOString() }];
  const next = { step: "create-replacement", at: iso(dueAt) };
  const because = "nothing is due, and nothing has changed since the last look";
  return { user, profile: profile?.name ?? null, phase: "at rest", since: null, keys, next, because, isBlocked: false };
}

async function movingLine(world: World, subject: Subject): Promise<StatusLine> {
  const { user, profile } = subject;
  try {
    const sight = await observe(world, subject, { proved: [], revision: subject.revision, isThorough: true });
    const { observation, decision } = await judge(world, subject, sight.observation);
    const { phase, since, next } = stageOf(observation, decision);
    const keys = observation.keys.map(({ id, status: its, createdAt }) => {
      return { id, status: its, createdAt: new Date(createdAt).toISOString() };
    });
    const [only] = observation.keys;
    const isIdle = phase === "at rest" && only !== undefined && profile !== null;
    const dueAt = isIdle ? plus(only.createdAt, profile.policy.rotateAfterMs) : next.at;
    const stage = { phase, since: iso(since), next: { step: next.step, at: iso(dueAt) } };
    const isBlocked = phase === "unreadable" || NOTICES[decision.reason] !== undefined;
    return { user, profile: subject.standing.profile, ...stage, keys, because: decision.because, isBlocked };
  } catch (thrown) {
    return unreadable(user, subject.standing.profile, asRotationError(thrown, `looking at ${user}`).message);
  }
}

function unreadable(user: UserName, profile: string | null, because: string): StatusLine {
  const nothing = { since: null, keys: [], next: { step: "hold", at: null } };
  return { user, profile, phase: "unreadable", ...nothing, because, isBlocked: true };
}
