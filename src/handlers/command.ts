import * as z from "zod";
import { RotationError } from "../rotation/errors.ts";
import { accessKeyId, userName } from "../rotation/keys.ts";

const USER = "the name of an IAM user";
const KEY = "an access key id, in full";
const DESTINATION = "the name of a destination, as the notice spells it";
const LINE = "a number of lines, as the page before gave it";
const PROFILE = "the name of a profile; leave it out for all";
const USERS = "a list of one user name or more; leave it out for all";

/** Source: IAM API, CreateUser (UserName). */
const User = z
  .string(USER)
  .regex(/^[\w+=,.@-]{1,64}$/, USER)
  .transform(userName);
/** Source: IAM API, accessKeyIdType. */
const Key = z
  .string(KEY)
  .regex(/^\w{16,128}$/, KEY)
  .transform(accessKeyId);
const Users = z.array(User, USERS).min(1, USERS).optional();

const command = <Name extends string, Fields extends z.ZodRawShape>(name: Name, fields: Fields) => {
  const allowed = `with ${name}, only ${["command", ...Object.keys(fields)].join(" and ")}`;
  return z.strictObject({ command: z.literal(name), ...fields }, allowed);
};

const COMMANDS = [
  command("sweep", { users: Users }),
  command("plan", { users: Users }),
  command("explain", { user: User }),
  command("release", { user: User, key: Key }),
  command("forget", { user: User, destination: z.string(DESTINATION).min(1, DESTINATION) }),
  command("status", { users: Users, from: User.optional() }),
  command("history", { user: User, from: z.int(LINE).min(0, LINE).optional() }),
  command("report", { from: User.optional() }),
  command("doctor", { profile: z.string(PROFILE).min(1, PROFILE).optional() }),
  command("resume", {}),
  command("pause", {}),
] as const;
const NAMES = COMMANDS.map(({ shape }) => shape.command.value).join(", ");

/** What the function can be asked to do. `plan` decides and reports as `sweep` does, and does nothing else. */
export type Command = z.infer<typeof Command>;
const Command = z.discriminatedUnion("command", COMMANDS, {
  error: ({ code }) => (code === "invalid_union" ? NAMES : 'an object such as {"command":"sweep"}'),
});

const REFUSALS_MAX = 5;
const SHOWN_LENGTH_MAX = 200;

/** Reads a command; EventBridge's own event means a sweep. `Misconfigured` says what was found and what is allowed. */
export function parseCommand(event: unknown): Command {
  if (Scheduled.safeParse(event).success) return { command: "sweep" };
  const read = Command.safeParse(event);
  if (read.success) return read.data;
  const refusals = read.error.issues.slice(0, REFUSALS_MAX).map((issue) => {
    const path = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : issue.path;
    const found = path.reduce<unknown>((held, part) => (held as Readonly<Record<PropertyKey, unknown>>)[part], event);
    const shown = found === undefined ? "nothing" : JSON.stringify(found).slice(0, SHOWN_LENGTH_MAX);
    return `${path.join(".") || "the event"}: found ${shown}; allowed: ${issue.message}`;
  });
  throw new RotationError("Misconfigured", `reading the event, ${refusals.join("; ")}`);
}

/** What EventBridge sends of itself when no input was set. Source: EventBridge User Guide, events of scheduled rules. */
const Scheduled = z.union([
  z.object({ command: z.never().optional(), source: z.literal("aws.scheduler") }),
  z.object({ command: z.never().optional(), "detail-type": z.literal("Scheduled Event") }),
]);
