import { QUARANTINE } from "../../cloud/authorization-details.ts";
import { GLOBAL_REGION } from "../../cloud/clients.ts";
import type { TrailEvent } from "../../cloud/event-history.ts";
import { asRotationError } from "../../rotation/errors.ts";
import type { Question, Reads } from "../../rotation/observation.ts";
import { SESSION_MAX_MS } from "../../rotation/policy.ts";
import { type Instant, plus } from "../../rotation/time.ts";
import type { EvidenceContext } from "../../rotation/world.ts";
import { type CloudTrailSources, isCustodyRead, PAGE_SIZE_MAX, startOfWindow } from "./cloudtrail.ts";
import { sessionOf } from "./sessions.ts";

/** Who made more sessions than this with a key has to be taken to have read with one of them. */
const SESSIONS_MAX = 20;

/** Whether a key, or a session made with it, read the user's custody since. What cannot be asked to its end is unknown. */
export async function askReads(
  { search, enabledRegions, clock, custodyPrefix }: CloudTrailSources,
  { keyId, from }: Extract<Question, { readonly source: "reads" }>,
  { user }: EvidenceContext,
): Promise<Reads> {
  const name = custodyPrefix + user;
  const sessions = new Set<string>();
  try {
    const regions = await enabledRegions();
    const start = startOfWindow(plus(from, -SESSION_MAX_MS), clock.now());
    const readBy = async (value: string, region: string): Promise<boolean> => {
      for await (const event of search({ region, by: "AccessKeyId", value, from: start, pageSize: PAGE_SIZE_MAX })) {
        // Several secrets can be read by one call, which is not asked which.
        const isRead = isCustodyRead(event, name) || event.name === "BatchGetSecretValue";
        if (isRead && event.at >= from) return true;
        const made = sessionOf(event);
        const id = (event.responseElements["credentials"] as { readonly accessKeyId?: unknown } | undefined)
          ?.accessKeyId;
        if (made !== null && made.endsAt > from) sessions.add(String(id));
      }
      return false;
    };
    const isReadBy = async (value: string) =>
      (await Promise.all(regions.map((region) => readBy(value, region)))).includes(true);
    if (await isReadBy(keyId)) return { verdict: "read", because: `CloudTrail shows a read by ${keyId}` };
    // A session may make another: a set shows what is added to it meanwhile.
    for (const session of sessions) {
      if (sessions.size > SESSIONS_MAX) return { verdict: "unknown", because: `${keyId} made too many sessions` };
      if (await isReadBy(session))
        return { verdict: "read", because: `CloudTrail shows a read by a session of ${keyId}` };
    }
    return { verdict: "none", because: "CloudTrail shows no read" };
  } catch (thrown) {
    return { verdict: "unknown", because: asRotationError(thrown, "asking CloudTrail").message };
  }
}

/**
 * When the newest of some quarantine policies was attached to the user, by IAM's own events. Null where none tells: also where the
 * one that is told was detached since, for then it is attached once more, and CloudTrail does not tell of that yet.
 */
export async function askAttachment(
  { search, clock }: Pick<CloudTrailSources, "search" | "clock">,
  { policies, from }: Extract<Question, { readonly source: "quarantine" }>,
  { user }: EvidenceContext,
): Promise<Instant | null> {
  const newest = async (value: string, since: Instant): Promise<TrailEvent | null> => {
    const asked = { region: GLOBAL_REGION, by: "EventName", value, pageSize: PAGE_SIZE_MAX } as const;
    for await (const event of search({ ...asked, from: startOfWindow(since, clock.now()) })) {
      const { userName, policyArn } = event.requestParameters;
      const policy = QUARANTINE.exec(String(policyArn))?.[0] ?? "";
      if (event.errorCode === null && userName === user && policies.includes(policy)) return event;
    }
    return null;
  };
  try {
    const attached = await newest("AttachUserPolicy", from);
    const detached = attached === null ? null : await newest("DetachUserPolicy", attached.at);
    const isOver =
      detached !== null && detached.requestParameters["policyArn"] === attached?.requestParameters["policyArn"];
    return isOver ? null : (attached?.at ?? null);
  } catch {
    // The sweep that first saw it counts then.
    return null;
  }
}
