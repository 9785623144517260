import type { Subject } from "../observe/observe.ts";
import type { Serving } from "../observe/subjects.ts";
import { asRotationError } from "../rotation/errors.ts";
import type { AccessKey, AccessKeyId, UserName } from "../rotation/keys.ts";
import { type Instant, instant } from "../rotation/time.ts";
import type { HistoryEntry, World } from "../rotation/world.ts";
import { lineOf } from "./history.ts";
import { everybody, iso, type Page } from "./status.ts";

/** Each costs a listing of keys and a query of the journal: so many are read within a minute or two. */
const USERS_MAX = 500;
/** Of 6 MB. Source: Lambda quotas, invocation payload. */
const BYTES_MAX = 4_000_000;
const bytesOf = (told: unknown): number => Buffer.byteLength(JSON.stringify(told));

/** The life of one key, as IAM lists it now and the journal's history tells it. */
interface KeyStory {
  readonly id: AccessKeyId;
  /** `deleted` where only the history still knows it. */
  readonly status: AccessKey["status"] | "deleted";
  /** Null where neither IAM nor the history says when it was made. */
  readonly createdAt: string | null;
  readonly promotedAt: string | null;
  readonly deactivatedAt: string | null;
  readonly deletedAt: string | null;
  /** What its deactivation and its deletion rested on. */
  readonly evidence: readonly ReturnType<typeof lineOf>[];
}

/** The auditor's table: each user's keys with their ages, its last rotation, and the evidence of each retirement. */
export async function audit(world: World, { from = "" as UserName, ...serving }: Serving & Page): Promise<unknown> {
  const { subjects, unread } = await everybody(world, serving);
  const rest = subjects.filter(({ user }) => user >= from);
  const failed = from === "" ? unread.map(({ user, error }) => ({ user, profile: null, error: error.message })) : [];
  const told = await Promise.all(rest.slice(0, USERS_MAX).map((subject) => storyOf(world, subject)));
  const users: unknown[] = [];
  for (let bytes = bytesOf(failed); users.length < told.length; users.push(told[users.length])) {
    bytes += bytesOf(told[users.length]);
    if (bytes > BYTES_MAX && users.length > 0) break;
  }
  const done = `Reported ${String(users.length)} of ${String(subjects.length)} users.`;
  const next = rest[users.length]?.user ?? null;
  const total = subjects.length + unread.length;
  return { done, at: iso(world.clock.now()), total, users: [...failed, ...users], next };
}

async function storyOf(world: World, { user, iamUser, profile, standing }: Subject): Promise<unknown> {
  const { maxAgeMs = null, rotateAfterMs = null } = profile?.policy ?? {};
  const known = { user, profile: standing.profile, maxAgeMs, rotateAfterMs };
  try {
    const [listed, lines] = await Promise.all([
      iamUser === null ? [] : world.accessKeys.list(user),
      world.journal.history(user),
    ]);
    const ids = [...listed.map(({ id }) => id), ...lines.flatMap(({ keyId }) => keyId ?? [])];
    const keys = [...new Set(ids)].map((id) => keyStory(id, listed, lines));
    const rotatedAt = lines.findLast(({ what }) => what === "promoted")?.at ?? null;
    return { ...known, rotatedAt: iso(rotatedAt), keys, error: null };
  } catch (thrown) {
    const error = asRotationError(thrown, `reporting ${user}`).message;
    return { ...known, rotatedAt: null, keys: [], error };
  }
}

/** An act is on record before its call, and so is one that failed: what IAM lists now decides between them. */
function keyStory(id: AccessKeyId, listed: readonly AccessKey[], history: readonly HistoryEntry[]): KeyStory {
  const own = history.filter(({ keyId }) => keyId === id);
  const lastOf = (what: string): Instant | null => own.findLast((entry) => entry.what === what)?.at ?? null;
  const key = listed.find((each) => each.id === id);
  const [offAt, onAt] = [lastOf("deactivating"), lastOf("reactivated")];
  const isOff = key?.status !== "active" && offAt !== null && (onAt === null || onAt < offAt);
  return {
    id,
    status: key?.status ?? "deleted",
    createdAt: iso(key?.createdAt ?? createdAtOf(id, own)),
    promotedAt: iso(lastOf("promoted")),
    deactivatedAt: iso(isOff ? offAt : null),
    deletedAt: iso(key === undefined ? lastOf("deleting") : null),
    evidence: own.filter(({ details }) => Array.isArray(details["lines"])).map((entry) => lineOf(entry)),
  };
}

/** When a key that is gone was made, by what was observed when it was taken away. */
function createdAtOf(id: AccessKeyId, own: readonly HistoryEntry[]): Instant | null {
  for (const { details } of own) {
    const seen = (details["observation"] as { readonly keys?: readonly AccessKey[] } | undefined)?.keys;
    const createdAt = seen?.find((key) => key.id === id)?.createdAt;
    if (typeof createdAt === "number") return instant(createdAt);
  }
  return null;
}
