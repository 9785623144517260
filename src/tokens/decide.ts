import type { NoticeCode } from "../rotation/notice.ts";
import { days, describeMs, hours, type Instant } from "../rotation/time.ts";

/** A new token is made current within this time, or not at all: so its age tells how long it is in use. Two sweeps may fail. */
const PROMOTED_WITHIN_MS = hours(3);
/** A token that is in use no more goes this long after its last use: a warm function may hold it, and times are told late. */
const SILENT_FOR_MS = hours(25);
/** Whoever uses one after this is somebody else, and must be found. */
const STILL_USED_AFTER_MS = days(3);
/** A token that expires is replaced this long before, or after three quarters of its life if that is short. */
const BEFORE_EXPIRY_MS = days(7);

/** A token as it is listed, in our words. */
export interface KnownToken {
  readonly id: string;
  readonly name: string;
  readonly isActive: boolean;
  readonly issuedAt: Instant;
  readonly lastUsedAt: Instant | null;
  readonly expiresAt: Instant | null;
}

/** What is seen of one token and its secret at one moment. Nothing of it is remembered. */
export interface TokenSight {
  readonly now: Instant;
  readonly rotateAfterMs: number;
  /** What the names of the tokens bear that we made for this secret. */
  readonly mark: string;
  readonly tokens: readonly KnownToken[];
  readonly issuerId: string;
  /** `tokenId`: null where Cloudflare refuses the value. */
  readonly current: { readonly versionId: string; readonly tokenId: string | null };
  /** The version with AWSPENDING; `tokenId` is null where that is not one of ours. */
  readonly pending: { readonly versionId: string; readonly tokenId: string | null } | null;
}

export type TokenStep =
  | { readonly kind: "rest" }
  | { readonly kind: "wait"; readonly code: NoticeCode; readonly because: string }
  | { readonly kind: "promote" | "withdraw"; readonly versionId: string; readonly because: string }
  | { readonly kind: "issue"; readonly like: string; readonly expiresAt: Instant | null; readonly because: string }
  | { readonly kind: "delete"; readonly tokenId: string; readonly because: string };

/**
 * What is to be done next with a service's own token. The order is the policy: first what was left half way, then what
 * makes everything else idle, then what is left behind, and only with nothing left behind a new one.
 *
 *   A current ──────────────── due ─┬──────────── A silent for 25 h ─┬─ A deleted
 *   B                               └ issued · verified · AWSPENDING · current
 */
export function decideToken(sight: TokenSight): TokenStep {
  const { now, current, tokens, issuerId } = sight;
  const token = tokens.find(({ id }) => id === current.tokenId);
  return (
    halfDone(sight) ??
    unusable(sight, token) ??
    (token === undefined ? null : (leftBehind(sight, token, issuerId) ?? renewal(sight, token, now))) ?? {
      kind: "rest",
    }
  );
}

function halfDone({ now, mark, tokens, current, pending }: TokenSight): TokenStep | null {
  if (pending === null) return null;
  const { versionId, tokenId } = pending;
  if (versionId === current.versionId) {
    return { kind: "withdraw", versionId, because: "the new token is current, and still marked as pending" };
  }
  if (tokenId === null) {
    return wait("TokenNotRotated", "the secret has an AWSPENDING that Keyturn did not make. Take it away");
  }
  const token = tokens.find(({ id }) => id === tokenId);
  if (token === undefined) {
    return wait(
      "TokenNotRotated",
      `the stored token ${tokenId} is not listed. If it was deleted, take AWSPENDING away`,
    );
  }
  // Whatever somebody made current since then is theirs to choose, but for one that Cloudflare refuses.
  const isNext = current.tokenId === null || token.name.endsWith(nameEnd(mark, current.tokenId));
  const isFresh = token.isActive && isOurs(token, mark) && isNext && now - token.issuedAt < PROMOTED_WITHIN_MS;
  if (isFresh) return { kind: "promote", versionId, because: `token ${tokenId} is stored, and takes the place` };
  return {
    kind: "withdraw",
    versionId,
    because: isNext
      ? `token ${tokenId} was stored and did not become current in time`
      : `token ${tokenId} was to take the place of another, and somebody made a token of theirs current`,
  };
}

function unusable({ current, issuerId }: TokenSight, token: KnownToken | undefined): TokenStep | null {
  if (current.tokenId === null) {
    return wait("TokenRefused", "Cloudflare refuses the token that is current, or it is not of the issuer's kind");
  }
  if (current.tokenId === issuerId) {
    return wait("TokenNotRotated", "the token is the issuer itself. Give the destinations one of their own");
  }
  if (token !== undefined) return null;
  return wait(
    "TokenNotRotated",
    `the issuer does not see token ${current.tokenId}: it is another account's, or a user's`,
  );
}

/** Tokens that we made and that are not current, whatever became of them, and the one that the current took the place of. */
function leftBehind({ now, mark, tokens }: TokenSight, current: KnownToken, issuerId: string): TokenStep | null {
  const left = tokens.filter(
    (token) =>
      ![current.id, issuerId].includes(token.id) &&
      (isOurs(token, mark) || current.name.endsWith(nameEnd(mark, token.id))),
  );
  const heldUntil = ({ issuedAt, lastUsedAt }: KnownToken): number =>
    Math.max(issuedAt, current.issuedAt, lastUsedAt ?? 0) + SILENT_FOR_MS;
  const silent = left.find((token) => heldUntil(token) <= now);
  if (silent !== undefined) {
    const because = `token ${silent.id} is not current, and was not used for ${describeMs(SILENT_FOR_MS)}`;
    return { kind: "delete", tokenId: silent.id, because };
  }
  const used = left.find((token) => now - Math.max(token.issuedAt, current.issuedAt) >= STILL_USED_AFTER_MS);
  if (used !== undefined) {
    return wait("TokenStillUsed", `token ${used.id} is not current, and somebody uses it. It stays until nobody does`);
  }
  // A try that failed has left it: another would leave another.
  return left.length > 0 ? { kind: "rest" } : null;
}

function renewal({ rotateAfterMs }: TokenSight, token: KnownToken, now: Instant): TokenStep | null {
  const { id, issuedAt, expiresAt } = token;
  const lifeMs = expiresAt === null ? null : expiresAt - issuedAt;
  const isOld = now - issuedAt >= rotateAfterMs;
  const endsSoon = lifeMs !== null && now >= issuedAt + Math.max(lifeMs - BEFORE_EXPIRY_MS, (lifeMs * 3) / 4);
  if (!isOld && !endsSoon) return null;
  const because = `token ${id} is ${describeMs(now - issuedAt)} old${endsSoon ? ", and expires soon" : ""}`;
  return { kind: "issue", like: id, expiresAt: lifeMs === null ? null : ((now + lifeMs) as Instant), because };
}

const wait = (code: NoticeCode, because: string): TokenStep => ({ kind: "wait", code, because });

const isOurs = ({ name }: KnownToken, mark: string): boolean => name.includes(` [${mark} for `);

/** What the name of a token ends with that takes another's place. */
const nameEnd = (mark: string, former: string): string => ` [${mark} for ${former}]`;

const NAME_MAX = 120;

/** The name of a token that takes another's place, by which it is found again. Source: Cloudflare API, a name's length. */
export function successorName({ name, id }: Pick<KnownToken, "name" | "id">, mark: string): string {
  const end = nameEnd(mark, id);
  return name.replace(/ \[keyturn [\da-f]{12} for [^\]]*\]$/, "").slice(0, NAME_MAX - end.length) + end;
}
