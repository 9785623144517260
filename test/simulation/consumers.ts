import type { SigningPair } from "../world/caller.ts";
import type { SimulatedKey } from "../world/iam-state.ts";
import { worksAt } from "../world/iam-state.ts";
import type { Rhythm } from "./rhythm.ts";
import type { Stage } from "./stage.ts";
import { custodyName, violate } from "./stage.ts";

/** The pair that somebody signs with at an instant, and until when that stands if the world stays as it is. */
interface Held {
  readonly pair: SigningPair | null;
  readonly untilMs: number;
  /** The pair that custody was read with just before. */
  readonly pulledWith?: SigningPair;
}

/** How a workload comes by its pair. `at` may fetch; `peek` tells what `at` would give, and changes nothing. */
export interface Hold {
  readonly kind: "worker" | "cached" | "pulls" | "typed-in";
  readonly at: (nowMs: number) => Held;
  readonly peek: (nowMs: number) => SigningPair | null;
}

export interface CallKind {
  readonly service: string;
  readonly operation: string;
  /** Whether CloudTrail shows it. */
  readonly isManagement: boolean;
  readonly region: string;
}

/** Somebody who needs the pair. Its calls are computed for whole spans in which nothing changes. */
export interface Consumer {
  readonly name: string;
  readonly user: string;
  readonly rhythm: Rhythm;
  readonly hold: Hold;
  readonly call: CallKind;
  /** All calls before this instant have been made. */
  settledMs: number;
  /** Dead keys that a person gave to this consumer; forgotten once such a key works. */
  readonly excused: Set<string>;
  /** Keys that a person gave to it behind Keyturn's back, and which Keyturn therefore may take. */
  readonly forgiven: Set<string>;
}

/** A span in which one consumer signs with one key that works. */
interface Span {
  readonly key: SimulatedKey;
  readonly consumer: Consumer;
  readonly call: CallKind;
  readonly fromMs: number;
  toMs: number;
}

const PULL: CallKind = {
  service: "secretsmanager",
  operation: "GetSecretValue",
  region: "us-east-1",
  isManagement: true,
};

const COLLAPSE_MS = 15 * 60_000;

/** Makes all calls of all consumers that lie before now: to be done before anything changes, and before anybody looks. */
export function settle(stage: Stage): void {
  const toMs = stage.clock.now();
  const spans: Span[] = [];
  for (const { consumers } of stage.subjects) {
    for (const consumer of consumers) {
      if (consumer.settledMs < toMs) settleOne(stage, consumer, { toMs, spans });
    }
  }
  recordUses(stage, spans);
}

function settleOne(
  stage: Stage,
  consumer: Consumer,
  { toMs, spans }: { readonly toMs: number; readonly spans: Span[] },
): void {
  const { rhythm, hold, call } = consumer;
  let atMs = rhythm.next(consumer.settledMs);
  while (atMs < toMs) {
    const { pair, untilMs, pulledWith } = hold.at(atMs);
    if (pulledWith !== undefined) make(stage, consumer, { pair: pulledWith, call: PULL, atMs, toMs: atMs + 1, spans });
    // What it has stored it reads custody with once more, so that it is seen to have it.
    if (pulledWith !== undefined && pair !== null && pair.keyId !== pulledWith.keyId)
      make(stage, consumer, { pair, call: PULL, atMs, toMs: atMs + 1, spans });
    let endMs = Math.min(toMs, untilMs);
    if (pair !== null) endMs = make(stage, consumer, { pair, call, atMs, toMs: endMs, spans });
    atMs = rhythm.next(Math.max(endMs, atMs + 1));
  }
  consumer.settledMs = toMs;
}

interface Making {
  readonly pair: SigningPair;
  readonly call: CallKind;
  readonly atMs: number;
  readonly toMs: number;
  readonly spans: Span[];
}

/** Makes the calls of a span; gives the instant until which they all go the same way. */
function make(stage: Stage, consumer: Consumer, { pair, call, atMs, toMs, spans }: Making): number {
  const key = stage.cloud.iam.keys.get(pair.keyId);
  let endMs = toMs;
  for (const change of key?.changes ?? []) if (change.atMs > atMs && change.atMs < endMs) endMs = change.atMs;
  const calls = consumer.rhythm.count(atMs, endMs);
  stage.stats.consumerCalls += calls;
  if (key !== undefined && key.secret === pair.secret && worksAt(key, atMs)) {
    const last = spans.at(-1);
    const isSame = last?.consumer === consumer && last.key === key && last.call === call;
    // A reader that fetches the same pair every few seconds goes on as before.
    if (isSame && consumer.rhythm.next(last.toMs) === atMs) last.toMs = endMs;
    else spans.push({ key, consumer, call, fromMs: atMs, toMs: endMs });
    // A change that is on its way to all of AWS may still take it away for some seconds.
    if ((key.changes.at(-1)?.atMs ?? 0) <= atMs) consumer.excused.delete(key.id);
  } else {
    failed(stage, consumer, { pair, atMs, calls });
  }
  return endMs;
}

function failed(
  stage: Stage,
  consumer: Consumer,
  { pair, atMs, calls }: { readonly pair: SigningPair; readonly atMs: number; readonly calls: number },
): void {
  const { name, user, rhythm, hold } = consumer;
  stage.stats.failedCalls += calls;
  const isComingBack = atMs < (stage.comingBackMs.get(pair.keyId) ?? Number.NEGATIVE_INFINITY);
  if (isComingBack || isExcused(consumer, pair.keyId) || stage.takenByPeople.has(pair.keyId)) return;
  violate(
    stage,
    "PROMISE",
    user,
    `${name} (${hold.kind}, ${rhythm.name}) failed with ${pair.keyId} at ${new Date(atMs).toISOString()}`,
  );
}

/** Whether it is a person's doing that this consumer holds this key. */
export const isExcused = ({ excused, forgiven }: Consumer, keyId: string): boolean =>
  excused.has(keyId) || forgiven.has(keyId);

/** Exactly as IAM keeps them: of all consumers of a key, the first use of each span of 15 minutes. */
function recordUses(stage: Stage, spans: readonly Span[]): void {
  for (const key of new Set(spans.map((span) => span.key))) {
    const own = spans.filter((span) => span.key === key);
    for (;;) {
      const freeMs = (key.uses.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) + COLLAPSE_MS;
      const first = firstUse(own, freeMs);
      if (first === null) break;
      const { service, region } = first.span.call;
      stage.cloud.iam.recordUse(key.id, { atMs: first.atMs, service, region });
    }
    for (const span of own) if (span.call.isManagement) recordEvents(stage, span);
  }
}

function firstUse(spans: readonly Span[], freeMs: number): { readonly span: Span; readonly atMs: number } | null {
  let first: { readonly span: Span; readonly atMs: number } | null = null;
  for (const span of spans) {
    const atMs = freeMs <= span.fromMs ? span.fromMs : span.consumer.rhythm.next(freeMs);
    if (atMs < span.toMs && atMs < (first?.atMs ?? Number.POSITIVE_INFINITY)) first = { span, atMs };
  }
  return first;
}

/** CloudTrail answers with the newest: the last two calls of a span tell all that a lookup could learn from it. */
function recordEvents(stage: Stage, { key, consumer, call, fromMs, toMs }: Span): void {
  const lastMs = Math.max(fromMs, consumer.rhythm.last(toMs));
  const beforeMs = Math.max(fromMs, consumer.rhythm.last(lastMs));
  for (const atMs of beforeMs < lastMs ? [beforeMs, lastMs] : [lastMs]) {
    const where = { signer: null, sourceAddress: "203.0.113.9", userAgent: agentOf(consumer) };
    const input = call === PULL ? { SecretId: custodyName(consumer.user) } : {};
    stage.cloud.cloudTrail.record({ ...call, ...where, input, caller: key.caller, nowMs: atMs }, null, null);
  }
}

/** A reader of custody names itself, as its profile may ask for: "app/keyturn-reader-0". */
function agentOf({ name }: Consumer): string {
  const reader = /^reader \d+/.exec(name)?.[0].replace(" ", "-");
  return reader === undefined ? name : `${name} app/keyturn-${reader}`;
}

/** The pair that a consumer would sign its next call with, as the world is now. */
export function nextPair(consumer: Consumer, nowMs: number): SigningPair | null {
  return consumer.hold.peek(consumer.rhythm.next(nowMs));
}
