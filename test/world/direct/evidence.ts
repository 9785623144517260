import type { SearchEvents } from "../../../src/cloud/event-history.ts";
import { askAttachment, askReads } from "../../../src/observe/evidence/reads.ts";
import { userName } from "../../../src/rotation/keys.ts";
import { asRotationError, RotationError } from "../../../src/rotation/errors.ts";
import type { AccessKeyId, UserName } from "../../../src/rotation/keys.ts";
import type {
  Answer,
  Author,
  DerivedSession,
  Question,
  ReadersSeen,
  Sighting,
  Signer,
  Use,
} from "../../../src/rotation/observation.ts";
import { instant } from "../../../src/rotation/time.ts";
import type { Instant } from "../../../src/rotation/time.ts";
import type { EvidenceContext, EvidenceSources, Identity } from "../../../src/rotation/world.ts";
import type { CloudAnswer } from "../call.ts";
import { listIn, msIn, optionalTextIn, partIn, textIn } from "./answers.ts";
import type { Session } from "./session.ts";

/** AWS tracks the last use since 2015-04-22. */
const TRACKED_SINCE = instant(Date.UTC(2015, 3, 22));
const THROTTLE_PAUSE_MS = 600;
const THROTTLES_MAX = 20;
const PAGES_MAX = 1_000;

type CloudTrailQuestion = Extract<Question, { source: "cloudtrail" }>;
type AuthorshipQuestion = Extract<Question, { source: "authorship" }>;

const because = (thrown: unknown, doing: string): string => asRotationError(thrown, doing).message;

async function lastUse({ ask, clock }: Session, keyId: AccessKeyId): Promise<Use> {
  try {
    const answer = await ask(`asking when ${keyId} was last used`, {
      service: "iam",
      operation: "GetAccessKeyLastUsed",
      input: { AccessKeyId: keyId },
    });
    const used = partIn(answer, "AccessKeyLastUsed");
    if (used["LastUsedDate"] === undefined) {
      return { verdict: "unused", from: TRACKED_SINCE, to: clock.now() };
    }
    const region = textIn(used, "Region");
    const latest: Sighting = {
      at: instant(msIn(used, "LastUsedDate")),
      service: textIn(used, "ServiceName"),
      region: region === "N/A" ? null : region,
      detail: null,
    };
    return { verdict: "used", latest };
  } catch (thrown) {
    return { verdict: "unknown", because: because(thrown, "asking for the last use") };
  }
}

/** One page, waiting where two requests a second are too many. */
async function lookUpOnce(
  { ask, clock }: Session,
  region: string,
  input: Readonly<Record<string, unknown>>,
): Promise<CloudAnswer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask(`looking up events in ${region}`, {
        service: "cloudtrail",
        operation: "LookupEvents",
        region,
        input,
      });
    } catch (thrown) {
      const isThrottle = thrown instanceof RotationError && thrown.code === "Throttled";
      if (!isThrottle || tries === THROTTLES_MAX) throw thrown;
      await clock.sleep(THROTTLE_PAUSE_MS);
    }
  }
}

/** All events of a Region, newest first: only a missing token ends the list. */
async function lookUp(
  session: Session,
  region: string,
  asked: { readonly key: string; readonly value: string; readonly from: Instant },
): Promise<CloudAnswer[]> {
  const input = {
    LookupAttributes: [{ AttributeKey: asked.key, AttributeValue: asked.value }],
    // Events are dated in whole seconds.
    StartTime: Math.floor(asked.from / 1_000) * 1_000,
    EndTime: session.clock.now(),
    MaxResults: 50,
  };
  const found: CloudAnswer[] = [];
  let token: string | null = null;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const answer: CloudAnswer = await lookUpOnce(session, region, {
      ...input,
      ...(token === null ? {} : { NextToken: token }),
    });
    found.push(...listIn(answer, "Events"));
    token = optionalTextIn(answer, "NextToken");
    if (token === null) return found;
  }
  throw new RotationError("Unreachable", `looking up events in ${region}, the pages do not end`);
}

const recordIn = (event: CloudAnswer): CloudAnswer => JSON.parse(textIn(event, "CloudTrailEvent")) as CloudAnswer;

/** Every enabled Region, opt-in Regions included. */
async function enabledRegions({ ask }: Session): Promise<string[]> {
  const regions: string[] = [];
  let token: string | null = null;
  do {
    const answer: CloudAnswer = await ask("listing the Regions", {
      service: "account",
      operation: "ListRegions",
      input: {
        RegionOptStatusContains: ["ENABLED", "ENABLED_BY_DEFAULT", "ENABLING", "DISABLING"],
        ...(token === null ? {} : { NextToken: token }),
      },
    });
    regions.push(...listIn(answer, "Regions").map((region) => textIn(region, "RegionName")));
    token = optionalTextIn(answer, "NextToken");
  } while (token !== null);
  return regions;
}

/** The name after "app/keyturn-" in the user agent, which is how a reader of custody says who it is. */
function readerIn(record: CloudAnswer): string {
  const app = (optionalTextIn(record, "userAgent") ?? "").split(" ").find((part) => part.startsWith("app/keyturn-"));
  return app?.slice("app/keyturn-".length) ?? "";
}

/** Whether an event is a named reader's read of its own custody: by name, or by ARN with its six characters behind. */
function isHandOver(record: CloudAnswer, secretName: string, readers: readonly string[]): boolean {
  if (record["eventName"] !== "GetSecretValue" || !readers.includes(readerIn(record))) return false;
  const id = optionalTextIn(partIn(record, "requestParameters"), "secretId");
  if (id === null) return false;
  const name = id.replace(/^arn:aws[a-z-]*:secretsmanager:[^:]+:\d+:secret:/, "");
  return name === secretName || (name !== id && name.replace(/-[^-]{6}$/, "") === secretName);
}

const sightingOf = (record: CloudAnswer): Sighting => ({
  at: instant(Date.parse(textIn(record, "eventTime"))),
  service: textIn(record, "eventSource").replace(".amazonaws.com", ""),
  region: textIn(record, "awsRegion"),
  detail: `${textIn(record, "eventName")} from ${textIn(record, "sourceIPAddress")} by ${textIn(record, "userAgent")}`,
});

const newest = (sightings: readonly Sighting[]): Sighting | null =>
  sightings.toSorted((a, b) => b.at - a.at)[0] ?? null;

async function trail(
  session: Session,
  question: CloudTrailQuestion,
  about: { readonly context: EvidenceContext; readonly secretName: string },
): Promise<Answer> {
  const { keyId, from, sessionsFrom = null } = question;
  const unasked = about.context.unaskedRegions;
  const asked: string[] = [];
  const answer = (use: Use, handOverAt: Instant | null, sessions: readonly DerivedSession[] = []): Answer => ({
    source: "cloudtrail",
    keyId,
    from,
    use,
    handOverAt,
    sessions,
    sessionsFrom,
    regionsAsked: asked,
    regionsUnasked: unasked,
  });
  try {
    const all: CloudAnswer[] = [];
    for (const region of await enabledRegions(session)) {
      if (region in unasked) continue;
      const events = await lookUp(session, region, { key: "AccessKeyId", value: keyId, from: sessionsFrom ?? from });
      all.push(...events.map(recordIn));
      asked.push(region);
    }
    const records = all.filter((record) => sightingOf(record).at >= Math.floor(from / 1_000) * 1_000);
    const { readers = [] } = about.context;
    const isApart = (record: CloudAnswer): boolean =>
      question.handOversApart && isHandOver(record, about.secretName, readers);
    const handOver = newest(records.filter(isApart).map(sightingOf))?.at ?? null;
    const latest = newest(records.filter((record) => !isApart(record)).map(sightingOf));
    const unused: Use = { verdict: "unused", from, to: session.clock.now() };
    return answer(latest === null ? unused : { verdict: "used", latest }, handOver, all.flatMap(sessionsIn));
  } catch (thrown) {
    return answer({ verdict: "unknown", because: because(thrown, "looking up the uses of a key") }, null);
  }
}

/** The session that an event made: it says when it ends. */
function sessionsIn(record: CloudAnswer): readonly DerivedSession[] {
  const elements = partIn(record, "responseElements");
  const end = optionalTextIn(partIn(elements, "credentials"), "expiration");
  if (end === null) return [];
  const who = optionalTextIn(partIn(elements, "assumedRoleUser"), "arn");
  const principal = who ?? optionalTextIn(partIn(elements, "federatedUser"), "arn");
  const endsAt = instant(Date.parse(`${end} UTC`));
  return [{ event: textIn(record, "eventName"), at: sightingOf(record).at, endsAt, principal }];
}

/** The same call from the same place, once, with how often it is there. */
function signersIn(records: readonly CloudAnswer[]): readonly Signer[] {
  const found = new Map<string, Signer>();
  for (const record of records) {
    const { at, service } = sightingOf(record);
    const where = { region: textIn(record, "awsRegion"), address: textIn(record, "sourceIPAddress") };
    const call = { service, action: textIn(record, "eventName"), ...where, agent: textIn(record, "userAgent") };
    const known = found.get(JSON.stringify(call)) ?? { ...call, hint: null, first: at, last: at, count: 0 };
    const [first, last] = [Math.min(known.first, at), Math.max(known.last, at)].map(instant);
    found.set(JSON.stringify(call), { ...known, first: first ?? at, last: last ?? at, count: known.count + 1 });
  }
  return [...found.values()];
}

/** Which of the readers signed with a key. */
async function readersSeen(
  session: Session,
  { keyId, from }: { readonly keyId: AccessKeyId; readonly from: Instant },
  { unaskedRegions, readers = [] }: EvidenceContext,
): Promise<ReadersSeen> {
  const records: CloudAnswer[] = [];
  let readUntil: Instant | null = session.clock.now();
  try {
    const regions = await enabledRegions(session);
    for (const region of regions.filter((each) => !(each in unaskedRegions))) {
      const events = await lookUp(session, region, { key: "AccessKeyId", value: keyId, from });
      records.push(...events.map(recordIn));
    }
  } catch (thrown) {
    if (!(thrown instanceof RotationError)) throw thrown;
    readUntil = null;
  }
  const seen = readers.map(
    (name) => [name, newest(records.filter((it) => readerIn(it) === name).map(sightingOf))] as const,
  );
  return {
    at: Object.fromEntries(seen.flatMap(([name, last]) => (last === null ? [] : [[name, last.at]]))),
    readUntil,
  };
}

/** Of the newest page of every Region. */
async function attribution(session: Session, keyId: AccessKeyId, from: Instant): Promise<Answer> {
  const at = session.clock.now();
  const asked = { from, at, isCut: false };
  try {
    const regions = await enabledRegions(session);
    const found = await Promise.all(
      regions.map(async (region) =>
        lookUpOnce(session, region, {
          LookupAttributes: [{ AttributeKey: "AccessKeyId", AttributeValue: keyId }],
          StartTime: Math.floor(from / 1_000) * 1_000,
        }),
      ),
    );
    const records = found.flatMap((page) => listIn(page, "Events")).map(recordIn);
    const signers = signersIn(records).toSorted((one, other) => other.last - one.last);
    const told = { ...asked, signers, sessions: records.flatMap(sessionsIn), because: null };
    return { source: "attribution", keyId, attribution: told };
  } catch (thrown) {
    const told = { ...asked, signers: [], sessions: [], because: because(thrown, "looking up who signs") };
    return { source: "attribution", keyId, attribution: told };
  }
}

function keyIn(record: CloudAnswer, event: AuthorshipQuestion["event"]): string | null {
  if (event === "UpdateAccessKey") {
    return optionalTextIn(partIn(record, "requestParameters"), "accessKeyId");
  }
  return optionalTextIn(partIn(partIn(record, "responseElements"), "accessKey"), "accessKeyId");
}

/** The role behind a session, or the principal itself. */
function principalIn(record: CloudAnswer): string {
  const identity = partIn(record, "userIdentity");
  const issuer = partIn(partIn(identity, "sessionContext"), "sessionIssuer");
  return optionalTextIn(issuer, "arn") ?? optionalTextIn(identity, "arn") ?? "nobody named";
}

async function author(session: Session, question: AuthorshipQuestion, identity: Identity): Promise<Author> {
  try {
    const { principalArn } = await identity.read();
    const { event, from } = question;
    const events = await lookUp(session, "us-east-1", { key: "EventName", value: event, from });
    const record = events
      .map(recordIn)
      .find((candidate) => candidate["errorCode"] === undefined && keyIn(candidate, event) === question.keyId);
    if (record === undefined) {
      return { kind: "unknown", because: `CloudTrail shows no ${event} of ${question.keyId}` };
    }
    const isUndone = event === "UpdateAccessKey" && partIn(record, "requestParameters")["status"] !== "Inactive";
    if (isUndone) return { kind: "unknown", because: "the newest call made the key active" };
    const at = instant(Date.parse(textIn(record, "eventTime")));
    const who = principalIn(record);
    return who === principalArn ? { kind: "ours", at } : { kind: "other", who, at };
  } catch (thrown) {
    return { kind: "unknown", because: because(thrown, "looking up an author") };
  }
}

/** Event history as the two rarer questions read it: by the very code of the service. */
function searching(session: Session): SearchEvents {
  return async function* ({ region, by, value, from }) {
    for (const event of await lookUp(session, region, { key: by, value, from })) {
      const record = recordIn(event);
      yield {
        name: textIn(record, "eventName"),
        at: instant(Date.parse(textIn(record, "eventTime"))),
        service: textIn(record, "eventSource").replace(/\..*/, ""),
        sourceAddress: null,
        userAgent: null,
        errorCode: optionalTextIn(record, "errorCode"),
        principalArn: principalIn(record),
        requestParameters: { ...partIn(record, "requestParameters") },
        responseElements: { ...partIn(record, "responseElements") },
      };
    }
  };
}

/** `secretNameOf` names a user's custody secret. */
export function directEvidence(
  session: Session,
  identity: Identity,
  secretNameOf: (user: UserName) => string,
): EvidenceSources {
  const sources = {
    search: searching(session),
    enabledRegions: async () => enabledRegions(session),
    clock: session.clock,
    custodyPrefix: secretNameOf(userName("")),
  };
  return {
    async answer(question, context) {
      switch (question.source) {
        case "last-used":
          return {
            source: "last-used",
            keyId: question.keyId,
            use: await lastUse(session, question.keyId),
          };
        case "cloudtrail":
          return trail(session, question, { context, secretName: secretNameOf(context.user) });
        case "attribution":
          return attribution(session, question.keyId, question.from);
        case "readers":
          return { source: "readers", keyId: question.keyId, seen: await readersSeen(session, question, context) };
        case "reads": {
          const { keyId } = question;
          return { source: "reads", keyId, from: question.from, reads: await askReads(sources, question, context) };
        }
        case "quarantine":
          return { source: "quarantine", attachedAt: await askAttachment(sources, question, context) };
        case "authorship":
          return {
            source: "authorship",
            keyId: question.keyId,
            event: question.event,
            author: await author(session, question, identity),
          };
      }
    },
  };
}
