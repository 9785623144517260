import type { Profile } from "../../../src/rotation/policy.ts";
import { quietMs } from "../../../src/rotation/policy.ts";
import { days, hours, minutes } from "../../../src/rotation/time.ts";
import { isManagementEvent } from "../../world/event-kind.ts";
import type { CallKind } from "../consumers.ts";
import { count } from "../coverage.ts";
import type { Coverage } from "../coverage.ts";
import type { Dice } from "../dice.ts";
import { rhythmOf } from "../rhythm.ts";
import type { Rhythm } from "../rhythm.ts";
import { rhythmShape } from "../shapes.ts";
import { promisedSilenceMs } from "./policies.ts";
import type { Signer, SignerKind } from "./signers.ts";

/** The last of them is an opt-in Region. */
export const REGIONS = ["us-east-1", "eu-central-1", "af-south-1"] as const;

const callOf = (service: string, operation: string, region: string): CallKind => ({
  service,
  operation,
  region,
  isManagement: isManagementEvent(service, operation),
});

const DATA: readonly CallKind[] = [
  callOf("lambda", "InvokeFunction", "us-east-1"),
  callOf("s3", "GetObject", "us-east-1"),
  callOf("dynamodb", "PutItem", "eu-central-1"),
];
const MANAGEMENT: readonly CallKind[] = [
  callOf("ec2", "DescribeInstances", "us-east-1"),
  callOf("cognito-idp", "AdminGetUser", "eu-central-1"),
  callOf("kms", "Encrypt", "af-south-1"),
  callOf("textract", "DetectDocumentText", "af-south-1"),
];
const SESSION = callOf("sts", "GetSessionToken", "us-east-1");
const PULL = callOf("secretsmanager", "GetSecretValue", "us-east-1");
/** What nobody can tell from our own probes. */
const IDENTITY = callOf("sts", "GetCallerIdentity", "us-east-1");

/** What is known before the signers are drawn: the profile, and when the pair went where. */
export interface Script {
  readonly dice: Dice;
  readonly coverage: Coverage;
  readonly profile: Profile;
  readonly consumers: number;
  readonly createdMs: number;
  readonly promotedMs: number;
  /** When each destination of its own was given the pair. */
  readonly deliveredMs: readonly number[];
}

/** Everybody who signs, or will sign, with one of the two keys. */
export function castSigners(script: Script): readonly Signer[] {
  const { dice, profile, consumers, deliveredMs } = script;
  // Two consumers of one machine are one: whoever is not declared beside it is out of the owner's sight.
  const declared = dice.between(1, consumers);
  const isForgotten = dice.chance(consumers === 1 && !profile.isPulled ? 0.15 : 0.3);
  const isAlone = consumers === 1 && declared === 1 && !isForgotten;
  const signers: Signer[] = [];
  if (!dice.chance(0.04)) {
    for (let at = 0; at < declared; at += 1) {
      signers.push(...member(script, { at, isAlone, deliveredMs: deliveredMs[at] ?? null }));
    }
  }
  if (isForgotten) {
    const other = forgotten(script, dice.chance(0.5) ? "forgotten" : "moved late", besideOf(dice, signers));
    // Names are as many as the holders that the owner knows of: only then is everybody named handed over.
    signers.push({ ...other, isCounted: profile.readers.length === 0 || declared < consumers });
  }
  return signers;
}

interface Seat {
  readonly at: number;
  readonly isAlone: boolean;
  readonly deliveredMs: number | null;
}

/** At times a second holder signs right before somebody pulls: last-used tells of the later use only. */
function besideOf(dice: Dice, signers: readonly Signer[]): number | null {
  const [atMs] = signers.flatMap(({ handOversMs }) => handOversMs.slice(-1));
  return atMs !== undefined && dice.chance(0.15) ? atMs - dice.between(0, minutes(50)) : null;
}

/** One declared consumer; a laptop is two signers, since it pulls with the pair that it holds. */
function member(script: Script, seat: Seat): readonly Signer[] {
  const { dice, profile, promotedMs } = script;
  const { isAlone, deliveredMs } = seat;
  const name = `consumer ${String(seat.at)}`;
  if (profile.isPulled) return laptop(script, name);
  if (isAlone && dice.chance(0.25)) return [forgotten(script, dice.pick(["forgotten", "moved late"]), "alone")];
  if (deliveredMs !== null) return [signer(script, { name, kind: "worker", isAlone, switchesMs: deliveredMs })];
  const cached = promotedMs + Math.floor(dice.fraction() * cacheMs(script));
  switch (dice.pick(["cached", "cached", "cached", "session", "falls back", "new only"] as const)) {
    case "cached":
      return [signer(script, { name, kind: "cached", isAlone, switchesMs: cached })];
    case "session":
      return [session(script, { name, isAlone, switchesMs: cached })];
    case "falls back": {
      const untilMs = promotedMs + dice.pick([hours(6), days(2), days(15), days(200)]);
      const fallsBack = { untilMs, chance: dice.pick([0.05, 0.3, 0.8]), seed: dice.between(0, 1_000_000_000) };
      // It has its replacement, and nobody waits for it any more.
      return [{ ...signer(script, { name, kind: "falls back", isAlone: false, switchesMs: cached }), fallsBack }];
    }
    case "new only":
      return [signer(script, { name, kind: "new only", isAlone, switchesMs: promotedMs })];
  }
}

/** Most keep to the cache time that the profile declares; who keeps a pair for longer is seen to. */
function cacheMs({ dice, profile }: Script): number {
  return dice.chance(0.7) ? profile.policy.cacheForMs : dice.pick([minutes(30), hours(10), days(1), days(5), days(20)]);
}

interface Member {
  readonly name: string;
  readonly kind: SignerKind;
  readonly isAlone: boolean;
  readonly switchesMs: number;
}

function rhythmWithin({ dice, coverage, createdMs }: Script, allowedMs: number, at: Partial<Timing> = {}): Rhythm {
  const shape = rhythmShape(dice, allowedMs, { atLeastMs: at.atLeastMs ?? 0, startMs: createdMs - days(40) });
  count(coverage, "rhythm", shape.name);
  return rhythmOf({ ...shape, phaseMs: at.phaseMs ?? shape.phaseMs });
}

interface Timing {
  readonly atLeastMs: number;
  /** An instant at which a call is made. */
  readonly phaseMs: number;
}

function signer(script: Script, { name, kind, isAlone, switchesMs }: Member, rhythm?: Rhythm): Signer {
  const { dice, coverage, profile } = script;
  const promisedMs = promisedSilenceMs(profile, isAlone);
  // Most of those who may be silent for months are not.
  const allowedMs = isAlone && dice.chance(0.6) ? Math.min(promisedMs, quietMs(profile.policy)) : promisedMs;
  const call = dice.chance(0.02) ? IDENTITY : dice.pick(dice.chance(0.5) ? DATA : MANAGEMENT);
  count(coverage, "signer", kind);
  return {
    name: `${name} (${kind})`,
    kind,
    rhythm: rhythm ?? rhythmWithin(script, allowedMs),
    call,
    switchesMs,
    endsMs: Number.POSITIVE_INFINITY,
    fallsBack: null,
    promisedMs,
    handOversMs: [],
    reader: null,
    isCounted: true,
  };
}

/** Trades its key for a session of up to 36 h, and shows nothing of itself until the next one (STS API). */
function session(script: Script, member: Omit<Member, "kind">): Signer {
  const { dice, profile, createdMs } = script;
  const longestMs = Math.min(hours(36), promisedSilenceMs(profile, member.isAlone));
  const periodMs = Math.floor(longestMs * dice.pick([1 / 36, 1 / 3, 0.95]));
  const phaseMs = createdMs - dice.between(0, periodMs);
  const shape = { name: "by session", periodMs, jitterMs: 0, isOnWeekdays: false, phaseMs, seed: 0 };
  return { ...signer(script, { ...member, kind: "session" }, rhythmOf(shape)), call: SESSION };
}

/** Somebody whom no delivery reaches: for ever, or until a person thinks of it. Many are slower than the profile declares. */
function forgotten(script: Script, kind: "forgotten" | "moved late", beside: "alone" | number | null): Signer {
  const isAlone = beside === "alone";
  const { dice, profile, promotedMs } = script;
  const switchesMs = kind === "forgotten" ? Number.POSITIVE_INFINITY : promotedMs + dice.between(hours(1), days(45));
  const promisedMs = promisedSilenceMs(profile, isAlone);
  const isSlower = !isAlone && dice.chance(0.15);
  const at = typeof beside === "number" ? { phaseMs: beside } : {};
  const rhythm = rhythmWithin(script, isSlower ? Math.max(promisedMs, days(35)) : promisedMs, at);
  return signer(script, { name: "second holder", kind, isAlone, switchesMs }, rhythm);
}

/** Fetches its pair with the pair it holds, and may go on with the old one for a while. */
function laptop(script: Script, name: string): readonly Signer[] {
  const { dice, profile, createdMs, promotedMs } = script;
  const { idleAtMostMs, quietForMs } = profile.policy;
  // At times it fetched the old pair once more, while the replacement waited for its promotion.
  const isUnlucky = dice.chance(0.3);
  const phaseMs = createdMs + Math.floor((promotedMs - createdMs) * dice.fraction());
  const pulls = rhythmWithin(script, idleAtMostMs ?? 0, { atLeastMs: hours(1), ...(isUnlucky ? { phaseMs } : {}) });
  const askedMs = pulls.next(promotedMs);
  // The answer may be lost after CloudTrail has noted the call: it asks again when it is used again.
  const handOversMs = dice.chance(0.03) ? [askedMs, pulls.next(askedMs + 1)] : [askedMs];
  const fetchedMs = handOversMs.at(-1) ?? askedMs;
  const pull = signer(script, { name, kind: "laptop's pull", isAlone: false, switchesMs: fetchedMs + 1 }, pulls);
  // An owner who counts on names may have left one laptop without: then nobody is ever taken for handed over.
  const reader = profile.readers.length > 0 && !dice.chance(0.05) ? name.replace(" ", "-") : null;
  const reads = { ...pull, call: PULL, handOversMs, reader };
  // What it has stored it reads custody with once more.
  const checkedMs = fetchedMs + 1_000;
  const check = signer(
    script,
    { name, kind: "laptop's check", isAlone: false, switchesMs: checkedMs },
    once(checkedMs),
  );
  // A laptop that fetches its pair at each use works right after.
  const isAtOnce = dice.chance(0.5);
  const goesOnMs = isAtOnce ? 0 : Math.floor(quietForMs * dice.fraction());
  const works = isAtOnce ? later(pulls, 2_000) : rhythmWithin(script, idleAtMostMs ?? 0);
  const switchesMs = fetchedMs + 1 + goesOnMs;
  const laptopWorks = signer(script, { name, kind: "laptop", isAlone: false, switchesMs }, works);
  return [reads, laptopWorks, { ...check, call: PULL, reader, endsMs: checkedMs + 1 }];
}

/** One call, and no other. */
const once = (onceMs: number): Rhythm => ({
  name: "once",
  gapMs: 0,
  next: (atMs) => (atMs <= onceMs ? onceMs : Number.POSITIVE_INFINITY),
  last: (atMs) => (atMs > onceMs ? onceMs : Number.NEGATIVE_INFINITY),
  count: (fromMs, toMs) => (fromMs <= onceMs && onceMs < toMs ? 1 : 0),
});

const later = (rhythm: Rhythm, byMs: number): Rhythm => ({
  name: rhythm.name,
  gapMs: rhythm.gapMs,
  next: (atMs) => rhythm.next(atMs - byMs) + byMs,
  last: (atMs) => rhythm.last(atMs - byMs) + byMs,
  count: (fromMs, toMs) => rhythm.count(fromMs - byMs, toMs - byMs),
});
