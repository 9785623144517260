import type { Ruling } from "../rotation/decision.ts";
import type { Attribution, Sighting } from "../rotation/observation.ts";
import { days, describeMs, type Instant } from "../rotation/time.ts";
import { type Judged, memoryOf } from "./answers.ts";
import { look } from "./rulings.ts";

/** A consumer that goes on and on makes a new use an hour, and stays the same consumer. */
const ASKED_AGAIN_MS = days(1);

/**
 * Asks who signs with a key that is used after the delivery, once for each use that newly shows, and at most once a day:
 * it takes a look-up in every Region. Null when it is known, or was found not to be.
 */
export function signersUnasked({ observation, now, old }: Judged, use: Sighting, since: Instant): Ruling | null {
  const known = memoryOf(observation, old.id)?.attribution;
  if (known && known.from >= since && (known.at >= use.at || now - known.at < ASKED_AGAIN_MS)) return null;
  return look([{ source: "attribution", keyId: old.id, from: since }], `who still signs with ${old.id}`);
}

/** Who signs, in lines for people. */
export function describeSigners({ observation, now, old }: Judged, use: Sighting): readonly string[] {
  const attribution = memoryOf(observation, old.id)?.attribution;
  if (attribution === undefined) return [];
  const { signers, sessions, isCut, because } = attribution;
  const lines = signers.map((signer) => {
    const { service, action, region, address, agent, count, hint } = signer;
    const often = `${isCut ? "at least " : ""}${count === 1 ? "once" : `${String(count)} times`}`;
    const when = `first ${describeMs(now - signer.first)} ago, last ${describeMs(now - signer.last)} ago`;
    const what = `${service} ${action} in ${region}, from ${address} by ${agent}: ${often}, ${when}`;
    return hint === null ? what : `${what}. Look at: ${hint}`;
  });
  const unknown = because === null ? [] : [`Not all is known: ${because}`];
  return [...lines, ...unseen(attribution, use), ...sessions.map((made) => describeSession(made, now)), ...unknown];
}

/** What last-used knows of, and CloudTrail does not show. */
function unseen({ signers, because }: Attribution, { service, region }: Sighting): readonly string[] {
  if (signers.some((signer) => signer.service === service)) return [];
  const where = region === null ? service : `${service} in ${region}`;
  const why = "a data event, such as a Lambda Invoke or a read of S3, which only last-used tells of, or it is late";
  return because === null ? [`CloudTrail shows no call to ${where} since the delivery: it was ${why}`] : [];
}

export function describeSession({ event, principal, endsAt }: Attribution["sessions"][number], now: Instant): string {
  const who = principal === null ? "" : ` as ${principal}`;
  const when = endsAt > now ? `goes on for ${describeMs(endsAt - now)}` : `ended ${describeMs(now - endsAt)} ago`;
  return `A session that it made by ${event}${who} ${when}; the key's deactivation stops the next, and not this one`;
}
