/** A line of evidence, as the function reports it. */
interface Evidence {
  readonly at: string;
  readonly what: string;
  readonly because?: string;
  readonly lines?: readonly string[];
}

/** The life of one key; instants are ISO texts, null where nobody knows. */
export interface KeyStory {
  readonly id: string;
  readonly status: string;
  readonly createdAt: string | null;
  readonly promotedAt: string | null;
  readonly deactivatedAt: string | null;
  readonly deletedAt: string | null;
  readonly evidence: readonly Evidence[];
}

export interface UserStory {
  readonly user: string;
  readonly profile: string | null;
  readonly maxAgeMs: number | null;
  readonly rotateAfterMs: number | null;
  readonly rotatedAt: string | null;
  readonly keys: readonly KeyStory[];
  readonly error: string | null;
}

/** What the report shows: every user, as of the function's own time. */
export interface Report {
  readonly at: string;
  readonly users: readonly UserStory[];
}

export const DAY_MS = 86_400_000;

/** Whole days; null where it is not known when the key was made. */
export function ageDays({ createdAt, deletedAt }: KeyStory, at: string): number | null {
  if (createdAt === null) return null;
  return Math.floor((Date.parse(deletedAt ?? at) - Date.parse(createdAt)) / DAY_MS);
}

/** Milliseconds by which an active key has outlived its policy; negative while it may live on. Null for any other key. */
export function beyondPolicyMs({ status, createdAt }: KeyStory, { maxAgeMs }: UserStory, at: string): number | null {
  if (status !== "active" || createdAt === null || maxAgeMs === null) return null;
  return Date.parse(at) - Date.parse(createdAt) - maxAgeMs;
}

/** How a user stands, in a word to filter by and a sentence. */
export interface Judgement {
  readonly kind: "unreadable" | "past" | "rotating" | "due" | "fine";
  readonly said: string;
  /** The larger, the sooner somebody wants to see it. */
  readonly urgency: number;
}

export function judgeUser(user: UserStory, at: string): Judgement {
  if (user.error !== null) return { kind: "unreadable", said: "could not be read", urgency: Number.POSITIVE_INFINITY };
  const fine = (said: string, urgency: number): Judgement => ({ kind: "fine", said, urgency });
  if (user.keys.every(({ status }) => status !== "active")) return fine("no active key", Number.NEGATIVE_INFINITY);
  // Nobody's duty, and so what an auditor wants to see next after what is past it.
  if (user.maxAgeMs === null) return fine("under no policy", 0);
  const beyond = user.keys.flatMap((key) => beyondPolicyMs(key, user, at) ?? []);
  if (beyond.length === 0) return fine("of unknown age", 0);
  const worst = Math.max(...beyond);
  const days = (ms: number): string => `${String(Math.floor(Math.abs(ms) / DAY_MS))} d`;
  if (worst >= 0) return { kind: "past", said: `past policy by ${days(worst)}`, urgency: worst };
  if (user.keys.filter(({ status }) => status !== "deleted").length > 1) {
    return { kind: "rotating", said: `in rotation, ${days(worst)} left`, urgency: worst };
  }
  const untilDue = -worst - user.maxAgeMs + (user.rotateAfterMs ?? 0);
  if (untilDue <= 0) return { kind: "due", said: `due, ${days(worst)} left`, urgency: worst };
  return fine(`due in ${days(untilDue)}`, worst);
}
