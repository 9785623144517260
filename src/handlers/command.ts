import { RotationError } from "../rotation/errors.ts";
import { type AccessKeyId, accessKeyId, type UserName, userName } from "../rotation/keys.ts";

/** What the function can be asked to do. */
export type Command =
  /** `plan` decides and reports, and does nothing else. Null: all users. */
  | {
      readonly kind: "sweep";
      readonly mode: "act" | "plan";
      readonly users: readonly UserName[] | null;
    }
  | { readonly kind: "explain"; readonly user: UserName }
  | { readonly kind: "release"; readonly user: UserName; readonly keyId: AccessKeyId }
  | { readonly kind: "resume" }
  | { readonly kind: "pause" };

/** Each command, and the fields that it may bear. */
const FIELDS = {
  sweep: ["users"],
  plan: ["users"],
  explain: ["user"],
  release: ["user", "key"],
  resume: [],
  pause: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type CommandName = keyof typeof FIELDS;
type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the event: a command, as the Scheduler's own input or an operator gives it, or a scheduled event of
 * EventBridge, which means a sweep. Throws `Misconfigured`, naming the field, what was found and what is allowed.
 */
export function parseCommand(event: unknown): Command {
  if (!isFields(event)) throw refused("the event", event, 'an object such as {"command":"sweep"}');
  if (isScheduled(event)) return { kind: "sweep", mode: "act", users: null };
  const name = nameOf(event);
  const allowed: readonly string[] = ["command", ...FIELDS[name]];
  const unknown = Object.keys(event).find((field) => !allowed.includes(field));
  if (unknown !== undefined) throw refused(unknown, event[unknown], `with ${name}, only ${allowed.join(" and ")}`);
  switch (name) {
    case "sweep":
      return { kind: "sweep", mode: "act", users: usersOf(event) };
    case "plan":
      return { kind: "sweep", mode: "plan", users: usersOf(event) };
    case "explain":
      return { kind: "explain", user: parseUser("user", event["user"]) };
    case "release":
      return { kind: "release", user: parseUser("user", event["user"]), keyId: parseKey(event["key"]) };
    case "resume":
    case "pause":
      return { kind: name };
  }
}

/** What EventBridge sends of itself when no input was set. Source: EventBridge User Guide, events of scheduled rules. */
function isScheduled(event: Fields): boolean {
  if ("command" in event) return false;
  return event["source"] === "aws.scheduler" || event["detail-type"] === "Scheduled Event";
}

function nameOf(event: Fields): CommandName {
  const found = event["command"];
  const name = Object.keys(FIELDS).find((known): known is CommandName => known === found);
  if (name === undefined) throw refused("command", found, Object.keys(FIELDS).join(", "));
  return name;
}

function usersOf(event: Fields): readonly UserName[] | null {
  const found = event["users"];
  if (found === undefined) return null;
  if (!Array.isArray(found) || found.length === 0)
    throw refused("users", found, "a list of one user name or more; leave it out for all");
  return found.map((name: unknown, index) => parseUser(`users.${String(index)}`, name));
}

/** A name as IAM accepts it. Source: IAM API, CreateUser (UserName). */
function parseUser(field: string, found: unknown): UserName {
  if (typeof found !== "string" || !/^[\w+=,.@-]{1,64}$/.test(found))
    throw refused(field, found, "the name of an IAM user");
  return userName(found);
}

/** Source: IAM API, accessKeyIdType. */
function parseKey(found: unknown): AccessKeyId {
  if (typeof found !== "string" || !/^\w{16,128}$/.test(found))
    throw refused("key", found, "an access key id, in full");
  return accessKeyId(found);
}

function isFields(event: unknown): event is Fields {
  return typeof event === "object" && event !== null && !Array.isArray(event);
}

const SHOWN_LENGTH_MAX = 200;

function refused(field: string, found: unknown, allowed: string): RotationError {
  const shown = found === undefined ? "nothing" : JSON.stringify(found).slice(0, SHOWN_LENGTH_MAX);
  return new RotationError("Misconfigured", `reading the event, ${field}: found ${shown}; allowed: ${allowed}`);
}
