import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import type { NotifierOptions } from "../report/notifiers/index.ts";
import { CloudtrailPace, NotifyInput } from "./notify-input.ts";
import { type ConfiguredProfile, ProfileInput, profileOf } from "./profile-input.ts";
import { type NamedProfile, profileRefusals, type Refusal, sharedUsers } from "./refusals.ts";
import { TokenInput } from "./token-input.ts";
import { TrailInput } from "./trail-input.ts";

/** A profile's name stands as the value of the enrolment tag. Source: IAM API, Tag (Value), less its white space. */
const ProfileName = z
  .string()
  .check(z.regex(/^[\p{L}\p{N}_.:/=+\-@]{1,256}$/u, "a tag's value: letters, digits and _.:/=+-@"));

const Path = z.string().check(z.regex(/^\/([\u0021-\u007E]{1,510}\/)?$/, "a path that begins and ends with a slash"));
const Discovery = z.discriminatedUnion("by", [
  z.strictObject({ by: z.literal("tags") }),
  z.strictObject({ by: z.literal("path"), prefix: Path }),
]);

const ConfigInput = z.strictObject({
  profiles: z.record(ProfileName, z.unknown()),
  discovery: z._default(Discovery, { by: "tags" }),
  trail: z.optional(TrailInput),
  cloudflareTokens: z._default(z.array(TokenInput), []),
  notify: z.prefault(NotifyInput, [{ kind: "sns" }]),
  cloudtrailPerSecond: z.prefault(CloudtrailPace, 1.5),
});

const Profiles = z.object({ profiles: z.record(z.string(), z.unknown()) });

/** What `keyturn.config.ts` says. */
export interface ConfigInput {
  readonly profiles: Readonly<Record<string, ProfileInput>>;
  /** How users are found: all of the account by their tags, or only those under a path. Default: by tags. */
  readonly discovery?: z.input<typeof Discovery>;
  /** A trail of the account's, asked too before a key is taken away. Default: Event history alone. */
  readonly trail?: z.input<typeof TrailInput>;
  /** Cloudflare API tokens of Keyturn's own that it rotates. Default: none. */
  readonly cloudflareTokens?: readonly z.input<typeof TokenInput>[];
  /** Who is told, and how. Default: the stack's SNS topic. */
  readonly notify?: z.input<typeof NotifyInput>;
  /** CloudTrail look-ups a second in each Region, of the two that all of the account have together. Default: 1.5. */
  readonly cloudtrailPerSecond?: number;
}

/** The configuration as the program uses it: read, weighed, complete and frozen. */
export interface Config {
  readonly profiles: Readonly<Record<string, ConfiguredProfile>>;
  readonly discovery: Readonly<z.output<typeof Discovery>>;
  readonly trail?: Readonly<z.output<typeof TrailInput>>;
  readonly cloudflareTokens?: readonly Readonly<z.output<typeof TokenInput>>[];
  readonly notify: readonly NotifierOptions[];
  readonly cloudtrailPerSecond: number;
}

/** Throws `Misconfigured` with every problem at once, each with its path, what was found and what is allowed. */
export function defineConfig(input: ConfigInput): Config {
  const shell = ConfigInput.safeParse(input, { reportInput: true });
  const refusals = shell.success ? [] : shell.error.issues.map((issue) => refusalOf(issue, []));
  // The profiles are weighed even where another part of the input is refused.
  const { profiles } = Profiles.safeParse(input).data ?? { profiles: {} };
  const named = Object.entries(profiles).flatMap(([name, found]) => readProfile(name, found, refusals));
  refusals.push(...named.flatMap(profileRefusals), ...sharedUsers(named));
  if (refusals.length > 0 || !shell.success) throw refused(refusals);
  return deepFreeze({
    profiles: Object.fromEntries(named.map(({ name, read }) => [name, profileOf(name, read)])),
    discovery: shell.data.discovery,
    cloudflareTokens: shell.data.cloudflareTokens,
    ...(shell.data.trail === undefined ? {} : { trail: shell.data.trail }),
    notify: shell.data.notify,
    cloudtrailPerSecond: shell.data.cloudtrailPerSecond,
  });
}

/** A profile of which a setting that does not exist is passed over, so that its sums are weighed all the same. */
const LenientInput = z.object(ProfileInput.shape);

/** What could be read of one profile; its misspelt settings go to `refusals`, and do not hide what its sums have to say. */
function readProfile(name: string, found: unknown, refusals: Refusal[]): NamedProfile[] {
  const strict = ProfileInput.safeParse(found, { reportInput: true });
  if (!strict.success) refusals.push(...strict.error.issues.map((issue) => refusalOf(issue, ["profiles", name])));
  const { data: read } = strict.success ? strict : LenientInput.safeParse(found);
  return read === undefined ? [] : [{ name, read }];
}

function refusalOf(issue: z.core.$ZodIssue, above: readonly string[]): Refusal {
  const path = [...above, ...issue.path.map(String)].join(".");
  if (issue.code === "unrecognized_keys") {
    const isProfile = above.length > 0 && issue.path.length === 0;
    const allowed = isProfile ? Object.keys(ProfileInput.shape).join(", ") : "only what belongs there";
    const prefix = path === "" ? "" : `${path}.`;
    return { path: prefix + issue.keys.join(" and "), found: "a setting that does not exist", allowed };
  }
  const found = issue.input === undefined ? "nothing" : JSON.stringify(issue.input);
  return { path: path === "" ? "the configuration" : path, found, allowed: allowedBy(issue) };
}

function allowedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value") return issue.values.map((value) => JSON.stringify(value)).join(" or ");
  if (issue.code === "invalid_type") return `a value of type ${issue.expected}`;
  if (issue.code === "invalid_key") return issue.issues.map(allowedBy).join(", ");
  if (issue.code === "invalid_union" && issue.inclusive !== false && issue.options !== undefined)
    return issue.options.map((option) => JSON.stringify(option)).join(" or ");
  return issue.message;
}

function refused(refusals: readonly Refusal[]): RotationError {
  const lines = refusals.map(({ path, found, allowed }) => `- ${path}: found ${found}; allowed: ${allowed}`);
  const said = `loading the configuration, ${String(lines.length)} refused:\n${lines.join("\n")}`;
  return new RotationError("Misconfigured", said);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
