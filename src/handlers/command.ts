import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import { keysLeakedBy } from "./health-event.ts";
import { type AccessKeyId, accessKeyId, userName } from "../rotation/keys.ts";

const USER = "the name of an IAM user";
const KEY = "an access key id, in full";
const DESTINATION = "the name of a destination, as the notice spells it";
const REASON = "up to 256 letters, digits, spaces and _.:/=+-@, and nothing that looks like a secret";
const LINE = "a number of lines, as the page before gave it";
const PROFILE = "the name of a profile; leave it out for all";
const USERS = "a list of one user name or more; leave it out for all";

/** Source: IAM API, CreateUser (UserName). */
const User = z.pipe(z.string(USER).check(z.regex(/^[\w+=,.@-]{1,64}$/, USER)), z.transform(userName));
/** Source: IAM API, accessKeyIdType. */
const Key = z.pipe(z.string(KEY).check(z.regex(/^\w{16,128}$/, KEY)), z.transform(accessKeyId));
/** Source: IAM API, Tag (Value). What looks like a secret access key is none: everybody may read a user's tags. */
const Reason = z.string(REASON).check(z.regex(/^(?=.*\S)(?!.*[\w/+]{40})[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u, REASON));
const Users = z.optional(z.array(User, USERS).check(z.minLength(1, USERS)));

const command = <Name extends string, Fields extends z.core.$ZodShape>(name: Name, fields: Fields) => {
  const allowed = `with ${name}, only ${["command", ...Object.keys(fields)].join(" and ")}`;
  return z.strictObject({ command: z.literal(name), ...fields }, allowed);
};

const COMMANDS = [
  command("sweep", { users: Users }),
  command("plan", { users: Users }),
  command("explain", { user: User }),
  command("revoke", { user: User, key: Key }),
  command("release", { user: User, key: z.optional(Key) }),
  command("forget", { user: User, destination: z.string(DESTINATION).check(z.minLength(1, DESTINATION)) }),
  command("status", { users: Users, from: z.optional(User) }),
  command("history", { user: User, from: z.optional(z.int(LINE).check(z.minimum(0, LINE))) }),
  command("report", { from: z.optional(User) }),
  command("doctor", { profile: z.optional(z.string(PROFILE).check(z.minLength(1, PROFILE))) }),
  command("resume", {}),
  command("pause", { reason: Reason }),
  command("rotate", { user: User }),
  command("hold", { user: User, reason: Reason }),
  command("rollback", { user: User, key: z.optional(Key) }),
  command("reactivate", { user: User, key: Key }),
  command("retire", { user: User, key: Key }),
  command("adopt", { user: User, key: Key }),
] as const;
const NAMES = COMMANDS.map(({ shape }) => shape.command.def.values[0]).join(", ");

/** What the function can be asked to do. `plan` decides and reports as `sweep` does, and does nothing else. */
export type Command = z.infer<typeof Command> | Leaked;
/** Not to be typed: it is how an event of AWS Health is read. */
type Leaked = { readonly command: "leaked"; readonly keys: readonly AccessKeyId[] };
const Command = z.discriminatedUnion("command", COMMANDS, {
  error: ({ code }) => (code === "invalid_union" ? NAMES : 'an object such as {"command":"sweep"}'),
});

const REFUSALS_MAX = 5;
const SHOWN_LENGTH_MAX = 200;

/** Reads a command; EventBridge's own event means a sweep. `Misconfigured` says what was found and what is allowed. */
export function parseCommand(event: unknown): Command {
  if (Scheduled.safeParse(event).success) return { command: "sweep" };
  const keys = keysLeakedBy(event);
  if (keys !== null) return { command: "leaked", keys };
  const read = Command.safeParse(event);
  if (read.success) return read.data;
  const refusals = read.error.issues.slice(0, REFUSALS_MAX).map((issue) => {
    const path = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : issue.path;
    const found = path.reduce<unknown>((held, part) => (held as Readonly<Record<PropertyKey, unknown>>)[part], event);
    const isHidden = typeof found === "string" && path[0] === "reason";
    const text = isHidden ? `${String(found.length)} characters` : JSON.stringify(found)?.slice(0, SHOWN_LENGTH_MAX);
    const shown = text ?? "nothing";
    return `${path.join(".") || "the event"}: found ${shown}; allowed: ${issue.message}`;
  });
  throw new RotationError("Misconfigured", `reading the event, ${refusals.join("; ")}`);
}

/** What EventBridge sends of itself when no input was set. Source: EventBridge User Guide, events of scheduled rules. */
const Scheduled = z.union([
  z.object({ command: z.optional(z.never()), source: z.literal("aws.scheduler") }),
  z.object({ command: z.optional(z.never()), "detail-type": z.literal("Scheduled Event") }),
]);
