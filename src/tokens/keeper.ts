import { createHash } from "node:crypto";
import { freshRecord } from "../observe/remember.ts";
import { report } from "../report/report.ts";
import { remember } from "../report/remember.ts";
import { asRotationError, RotationError } from "../rotation/errors.ts";
import { userName, type UserName } from "../rotation/keys.ts";
import { type Notice, type NoticeCode, NOTICES } from "../rotation/notice.ts";
import type { Secret } from "../rotation/secret.ts";
import { type Instant, minutes, plus, seconds } from "../rotation/time.ts";
import type { HistoryEntry, Revision, Upkeep, World } from "../rotation/world.ts";
import type { ApiToken, TokenIssuer } from "../cloud/cloudflare-tokens.ts";
import type { TokenSecret } from "../cloud/token-secret.ts";
import { decideToken, type KnownToken, successorName, type TokenSight, type TokenStep } from "./decide.ts";

/** Withdraw, issue, promote, withdraw, and one to see that nothing is left. */
const STEPS_MAX = 6;
const LEASE_MS = minutes(5);
/** Less time than this is not enough to see a token through, and the next sweep begins with all of its own. */
const TIME_FOR_A_TOKEN_MS = minutes(3);
/** A new token is known everywhere within seconds. */
const VERIFY_WAITS_MS = [0, 1, 2, 4, 8, 15].map(seconds);

/** One token of the service's own: the secret that holds it, and who may issue another. */
export interface KeptToken {
  readonly secret: string;
  readonly rotateAfterMs: number;
  readonly issuer: TokenIssuer;
  readonly versions: TokenSecret;
}

type Keeping = Pick<World, "journal" | "clock" | "random" | "identity" | "notifiers" | "log">;

/** Rotates the service's own tokens, one after the other. What they are is read anew; the journal knows only what was told. */
export function createTokenKeeper(world: Keeping, tokens: readonly KeptToken[]): Upkeep {
  return {
    async run() {
      for (const token of tokens) {
        if (world.clock.remainingMs() < TIME_FOR_A_TOKEN_MS) return;
        await keep(world, token).catch((thrown: unknown) => {
          const error = asRotationError(thrown, `keeping the token in ${token.secret}`);
          world.log.event("error", "a token could not be kept", { secret: token.secret, error });
        });
      }
    },
  };
}

/** Looks, and takes a lease only where there is something to do or to say. */
async function keep(world: Keeping, token: KeptToken): Promise<void> {
  const { journal, clock } = world;
  const { account } = await world.identity.read();
  const mark = markOf(account, token.secret);
  const first = await attempt(world, token, { mark, isLook: true });
  if (first.notices.length === 0 && first.isAtRest) return;
  const user = userName(`cloudflare-token:${token.secret}`);
  const revision = await journal.read(user);
  const now = clock.now();
  if (revision.lease !== null && revision.lease.until > now) return;
  const record = revision.record ?? freshRecord({ user, account, userId: "" }, now);
  const lease = { user, holder: world.random.token(), until: plus(now, LEASE_MS) };
  const leased = await journal.write(revision, { record, lease, now, history: [] });
  const done = await attempt(world, token, { mark, isLook: false });
  await tell(world, leased, { record, done, user });
}

type Turn = { readonly code: NoticeCode | null; readonly what: string; readonly because: string };

/** What came of it: what was done, what is to be told, and whether nothing was to be done at all. */
interface Attempt {
  readonly history: readonly Turn[];
  readonly notices: readonly Turn[];
  readonly isAtRest: boolean;
}

/** Decides, and acts where that is not just a look, step after step. A failure ends it, and is told. */
async function attempt(
  { clock }: Keeping,
  token: KeptToken,
  { mark, isLook }: { readonly mark: string; readonly isLook: boolean },
): Promise<Attempt> {
  const history: Turn[] = [];
  try {
    for (let taken = 0; taken < STEPS_MAX; taken += 1) {
      const seen = await look(token, mark, clock.now());
      const step = decideToken(seen.sight);
      if (step.kind === "rest") return { history, notices: [], isAtRest: history.length === 0 };
      if (step.kind === "wait") {
        const { code, because } = step;
        return { history, notices: [{ code, what: "waits", because }], isAtRest: false };
      }
      if (isLook) return { history, notices: [], isAtRest: false };
      await act({ token, mark, clock, seen }, step);
      history.push({ code: null, what: `token: ${step.kind}`, because: step.because });
    }
  } catch (thrown) {
    const { message } = asRotationError(thrown, `rotating the token in ${token.secret}`);
    return { history, notices: [{ code: "TokenNotRotated", what: "failed", because: message }], isAtRest: false };
  }
  return { history, notices: [], isAtRest: false };
}

interface Seen {
  readonly sight: TokenSight;
  readonly listed: readonly ApiToken[];
}

async function look({ secret, issuer, versions, rotateAfterMs }: KeptToken, mark: string, now: Instant): Promise<Seen> {
  const { current, pending } = await versions.labels();
  const value = await versions.read(current);
  const tokenId = await issuer.verify(value);
  const issuerId = await issuer.verify(null);
  if (issuerId === null) {
    throw new RotationError("Denied", `rotating the token in ${secret}, Cloudflare refuses the issuer token`);
  }
  const listed = await issuer.list();
  const ours = pending === null ? null : { versionId: pending, tokenId: versions.tokenOf(pending) };
  const currently = { versionId: current, tokenId };
  const sight = { now, rotateAfterMs, mark, tokens: listed.map(known), issuerId, current: currently, pending: ours };
  return { sight, listed };
}

const known = ({ id, name, status, ...times }: ApiToken): KnownToken => ({
  id,
  name,
  isActive: status === "active",
  issuedAt: times.issued_on,
  lastUsedAt: times.last_used_on,
  expiresAt: times.expires_on,
});

interface Acting {
  readonly token: KeptToken;
  readonly mark: string;
  readonly clock: World["clock"];
  readonly seen: Seen;
}

type Deed = Exclude<TokenStep, { readonly kind: "rest" | "wait" }>;

/** Takes one step. Each may die at any point: the next look finds what it left. */
async function act({ token, mark, clock, seen }: Acting, step: Deed): Promise<void> {
  const { issuer, versions } = token;
  const { current } = seen.sight;
  switch (step.kind) {
    case "withdraw":
      await versions.withdraw(step.versionId);
      return;
    case "delete":
      await issuer.remove(step.tokenId);
      return;
    case "promote": {
      // What is about to be everybody's is tried once more, as it is stored.
      const id = versions.tokenOf(step.versionId);
      await mustWork(issuer, clock, { id, value: await versions.read(step.versionId) });
      await versions.promote(step.versionId, current.versionId);
      return;
    }
    case "issue": {
      const like = seen.listed.find(({ id }) => id === step.like);
      if (like === undefined) throw new RotationError("Bug", `issuing a token like ${step.like}, it is not listed`);
      const expiresOn = step.expiresAt === null ? null : new Date(step.expiresAt).toISOString().replace(/\.\d+Z$/, "Z");
      const made = await issuer.issue(like, successorName(like, mark), expiresOn);
      await mustWork(issuer, clock, made);
      await mustBeListed(issuer, clock, made.id);
      await versions.store(made.id, made.value);
    }
  }
}

/** Throws unless Cloudflare knows the value for that very token, within a time. */
async function mustWork(
  issuer: TokenIssuer,
  clock: World["clock"],
  { id, value }: { readonly id: string | null; readonly value: Secret },
): Promise<void> {
  for (const waitMs of VERIFY_WAITS_MS) {
    if (waitMs > 0) await clock.sleep(waitMs);
    if (id !== null && (await issuer.verify(value)) === id) return;
  }
  throw new RotationError("Unreachable", `verifying token ${String(id)}, Cloudflare does not know it`);
}

/** Throws unless the list shows it, within a time: from then on every look is made by the list. */
async function mustBeListed(issuer: TokenIssuer, clock: World["clock"], id: string): Promise<void> {
  for (const waitMs of VERIFY_WAITS_MS) {
    if (waitMs > 0) await clock.sleep(waitMs);
    if ((await issuer.list()).some((token) => token.id === id)) return;
  }
  throw new RotationError("Unreachable", `looking for token ${id}, Cloudflare does not list it`);
}

/** Says what is new, gives the lease back, and writes the history. */
async function tell(
  world: Keeping,
  leased: Revision,
  { record, done, user }: { record: NonNullable<Revision["record"]>; done: Attempt; user: UserName },
): Promise<void> {
  const { journal, clock } = world;
  const now = clock.now();
  const isSwitched = done.history.some(({ what }) => what === "token: promote");
  const turns: readonly Turn[] = isSwitched
    ? [...done.notices, { code: "TokenRotated", what: "rotated", because: "a new token is current" }]
    : done.notices;
  const { toSay, records } = remember(record.notices, turns.flatMap(noticeOf(user, now)), { now, isWhole: true });
  const failed = await report(world, toSay);
  const isUnsaid = toSay.length > 0 && failed.length === world.notifiers.length;
  const history = done.history.map(({ what, because }): HistoryEntry => ({
    at: now,
    user,
    what,
    keyId: null,
    details: { because },
  }));
  const next = { ...record, notices: isUnsaid ? record.notices : records };
  await journal.write(leased, { record: next, lease: null, now, history });
}

const noticeOf =
  (user: UserName, at: Instant) =>
  ({ code, because }: Turn): Notice[] => {
    const entry = code === null ? undefined : NOTICES[code];
    if (code === null || entry === undefined) return [];
    return [{ code, user, at, text: because, severity: entry.severity, advice: entry.advice, dedupeKey: code }];
  };

/** Tells our tokens for this secret from those of another installation, stage or secret in the same Cloudflare account. */
const markOf = (account: string, secret: string): string =>
  `keyturn ${createHash("sha256").update(`${account} ${secret}`).digest("hex").slice(0, 12)}`;
