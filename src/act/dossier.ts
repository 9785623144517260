import { adoptionOf } from "../decide/adoption.ts";
import { partsOf } from "../decide/parts.ts";
import { quietClock } from "../decide/quiet.ts";
import type { AccessKeyId } from "../rotation/keys.ts";
import type { Evidence, Use } from "../rotation/observation.ts";
import { LAST_USED_LAG_MS, type Profile } from "../rotation/policy.ts";
import { describeMs, type Instant } from "../rotation/time.ts";
import type { HistoryEntry } from "../rotation/world.ts";
import type { Second } from "./recheck.ts";

const spell = (at: Instant): string => `${new Date(at).toISOString().slice(0, 16)}Z`;

/**
 * All that a deactivation or a deletion rests on, line by line for people, and whole for the history: what was observed,
 * with the evidence apart, the profile, the instant and the decision. It can be judged again by these alone, when no
 * source remembers. Never a secret.
 */
export function dossierOf(
  second: Second,
  profile: Profile,
  keyId: AccessKeyId,
): { readonly lines: readonly string[]; readonly details: HistoryEntry["details"] } {
  const { fresh, decision, now } = second;
  const { rule, reason, because } = decision;
  const { evidence, ...seen } = fresh;
  const { quietForMs, idleAtMostMs, soakForMs, cacheForMs, adoption } = profile.policy;
  const idle = idleAtMostMs === null ? "" : `, idle at most ${describeMs(idleAtMostMs)}`;
  const waits = `quiet ${describeMs(quietForMs)}${idle}, lag ${describeMs(LAST_USED_LAG_MS)}, cache ${describeMs(cacheForMs)}`;
  // An exposed key is cut without waiting: what is said of silence would only mislead.
  const waited = [
    ...describeSilence(second, profile, keyId),
    `profile ${profile.name}: ${waits}, soak ${describeMs(soakForMs)}, adoption ${adoption}`,
  ];
  const lines = [
    ...evidence.flatMap((entry) => describeEvidence(entry)),
    ...describeDeliveries(second),
    ...(reason === "KeyExposed" ? [] : waited),
  ];
  // What was told to people says nothing of the key.
  const observation = { ...seen, record: { ...seen.record, notices: {} } };
  return { lines, details: { rule, reason, because, lines, evidence, observation, profile, now } };
}

function describeEvidence({ askedAt, answeredAt, answer }: Evidence): readonly string[] {
  const when = `asked ${spell(askedAt)}, answered ${spell(answeredAt)}`;
  if (answer.source === "destination") return [`live at ${answer.destination}, ${when}: ${answer.live}`];
  if (answer.source === "health") {
    const { verdict, because } = answer.health;
    return [`consumer at ${answer.destination}, ${when}: ${because === null ? verdict : `${verdict}, ${because}`}`];
  }
  if (answer.source === "last-used") return [`last-used (IAM) of ${answer.keyId}, ${when}: ${describeUse(answer.use)}`];
  if (answer.source !== "cloudtrail") return [];
  const { keyId, use, from, sessions, regionsAsked, regionsUnasked, deeper } = answer;
  const unasked = Object.entries(regionsUnasked).map(([region, why]) => `${region} (${why})`);
  const made = sessions.map(({ event, endsAt }) => `${event} until ${spell(endsAt)}`);
  const trail = deeper === undefined ? "" : `, then the trail by ${deeper}`;
  const regions = `${String(regionsAsked.length)} Regions asked, ${unasked.join(", ") || "none"} unasked${trail}`;
  const shown = `${describeUse(use)}; sessions: ${made.join(", ") || "none"}`;
  return [`CloudTrail of ${keyId} since ${spell(from)}, ${when}: ${regions}; ${shown}`];
}

function describeUse(use: Use): string {
  if (use.verdict === "unknown") return `unknown: ${use.because}`;
  if (use.verdict === "unused") return `no use from ${spell(use.from)} to ${spell(use.to)}`;
  const { at, service, region, detail } = use.latest;
  return `last use ${spell(at)}, ${[service, region, detail].filter((part) => part !== null).join(", ")}`;
}

function describeDeliveries({ fresh: { destinations, record } }: Second): readonly string[] {
  return destinations.map(({ name, readsCustody }) => {
    if (readsCustody) return `${name} shows what custody has`;
    const delivered = record.deliveries.filter((it) => it.destination === name && it.deliveredAt !== null);
    const times = delivered.map((it) => `${it.keyId} ${spell(it.confirmedAt ?? it.deliveredAt ?? it.attemptedAt)}`);
    return `${name} was given: ${times.join(", ") || "nothing"}`;
  });
}

/** How the silence of an old key was counted, and how it was proved that the other is in its place. */
function describeSilence({ fresh, now }: Second, profile: Profile, keyId: AccessKeyId): readonly string[] {
  const { current, old: all } = partsOf(fresh);
  const old = all.find(({ id }) => id === keyId);
  if (current === null || old === undefined) return [];
  const replaced = { observation: fresh, profile, now, old, current };
  const { [keyId]: memory, [current.id]: its } = fresh.record.keys;
  const clock = quietClock(replaced);
  const adopted = its?.adoptedAt ? `seen ${spell(its.adoptedAt)}` : adoptionOf(replaced);
  return [
    clock === null ? [] : `everybody could have ${current.id} since ${spell(clock.base)}, adoption: ${adopted}`,
    clock === null ? [] : `${keyId} silent since ${spell(clock.quietSince)}, long enough at ${spell(clock.readyAt)}`,
    memory?.inactiveSince ? `${keyId} Inactive since ${spell(memory.inactiveSince)}` : [],
  ].flat();
}
