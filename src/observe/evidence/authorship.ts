import { GLOBAL_REGION } from "../../cloud/clients.ts";
import type { SearchEvents, TrailEvent } from "../../cloud/event-history.ts";
import { principalOf } from "../../cloud/identity.ts";
import { asRotationError } from "../../rotation/errors.ts";
import type { Author, Question } from "../../rotation/observation.ts";
import type { Clock, Identity } from "../../rotation/world.ts";
import { startOfWindow } from "./cloudtrail.ts";

const PAGE_SIZE = 50;

interface AuthorshipSources {
  readonly search: SearchEvents;
  readonly identity: Identity;
  readonly clock: Clock;
}

/**
 * Who made the newest call of this kind that changed the key, by IAM's own events, which lie in us-east-1. Only a
 * record that names the key says anything; its absence says nothing, since events come late or not at all.
 */
export async function askAuthorship(
  { search, identity, clock }: AuthorshipSources,
  { keyId, event: name, from }: Extract<Question, { readonly source: "authorship" }>,
): Promise<Author> {
  try {
    const { principalArn } = await identity.read();
    const start = startOfWindow(from, clock.now());
    const events = search({ region: GLOBAL_REGION, by: "EventName", value: name, from: start, pageSize: PAGE_SIZE });
    for await (const event of events) {
      if (event.errorCode !== null || keyOf(event) !== keyId) continue;
      // The newest call made the key Active: whoever disabled it since is not to be seen yet.
      if (name === "UpdateAccessKey" && event.requestParameters["status"] !== "Inactive") break;
      const who = event.principalArn ?? "somebody whom the event does not name";
      const isOurs = principalOf(who) === principalOf(principalArn);
      return isOurs ? { kind: "ours", at: event.at } : { kind: "other", who, at: event.at };
    }
    return { kind: "unknown", because: `CloudTrail shows no ${name} of ${keyId}` };
  } catch (thrown) {
    return { kind: "unknown", because: asRotationError(thrown, "asking CloudTrail").message };
  }
}

/** The key that an event is about: CreateAccessKey tells its id in the answer, the others in the request. */
function keyOf({ name, responseElements, requestParameters }: TrailEvent): unknown {
  if (name !== "CreateAccessKey") return requestParameters["accessKeyId"];
  return (responseElements["accessKey"] as { readonly accessKeyId?: unknown } | undefined)?.accessKeyId;
}
