import { ServiceError } from "./call.ts";
import type { Received } from "./caller.ts";

type Values = Readonly<Record<string, string | readonly string[]>>;

interface Statement {
  readonly Effect: string;
  readonly Action: string;
  readonly Condition?: Readonly<Record<string, Values>>;
}

/** One line of a condition: what a key of the call must be. */
interface Wanted {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

interface Refusal {
  readonly action: string;
  readonly wanted: readonly Wanted[];
}

const PARSED_MAX = 1_000;

const listOf = (value: string | readonly string[]): readonly string[] => (typeof value === "string" ? [value] : value);

const PATTERNS = new Map<string, RegExp>();

function patternOf(pattern: string): RegExp {
  const known = PATTERNS.get(pattern);
  if (known !== undefined) return known;
  const made = new RegExp(`^${pattern.replaceAll(/[.+^$(){}|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
  if (PATTERNS.size >= PARSED_MAX) PATTERNS.clear();
  PATTERNS.set(pattern, made);
  return made;
}

const matches = (pattern: string, text: string): boolean =>
  pattern === text || (pattern.includes("*") && patternOf(pattern).test(text));

/** Asked again at each read of a secret: a policy is parsed once. */
const parsed = new Map<string, readonly Refusal[]>();

function refusalsOf(policy: string): readonly Refusal[] {
  const known = parsed.get(policy);
  if (known !== undefined) return known;
  const { Statement: statements } = JSON.parse(policy) as { readonly Statement: readonly Statement[] };
  const denying = statements.filter(({ Effect }) => Effect === "Deny");
  const refusals = denying.map(({ Action: action, Condition = {} }) => ({ action, wanted: wantedBy(Condition) }));
  if (parsed.size >= PARSED_MAX) parsed.clear();
  parsed.set(policy, refusals);
  return refusals;
}

const wantedBy = (condition: NonNullable<Statement["Condition"]>): Wanted[] =>
  Object.entries(condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => ({ operator, key, values: listOf(values) })),
  );

/** What the keys of a condition are for this call (IAM User Guide, global condition keys; Service Authorization Reference). */
function contextOf({ caller, input }: Received): Readonly<Record<string, string | undefined>> {
  const isSession = !caller.keyId.startsWith("AKIA");
  const { VersionId: id, VersionStage: stage } = input;
  return {
    // For a role's session it is the role's ARN, and for GetSessionToken the user's.
    "aws:PrincipalArn": caller.role?.arn ?? caller.arn,
    "aws:TokenIssueTime": isSession ? "then" : undefined,
    // A call that names neither version nor label asks for AWSCURRENT.
    "secretsmanager:VersionStage":
      typeof stage === "string" ? stage : typeof id === "string" ? undefined : "AWSCURRENT",
  };
}

function isMet(operator: string, found: string | undefined, wanted: readonly string[]): boolean {
  if (operator === "Null") return (found === undefined) === (wanted[0] === "true");
  if (found === undefined) return false;
  return wanted.some((value) => (operator.startsWith("Arn") ? matches(value, found) : value === found));
}

/**
 * Refuses what a resource policy denies. What it allows is not weighed: the simulated users may do anything, as one with
 * AdministratorAccess may.
 */
export function enforce(policy: string | null, received: Received): void {
  if (policy === null) return;
  const context = contextOf(received);
  const asked = `secretsmanager:${received.operation}`;
  const isDenied = refusalsOf(policy).some(
    ({ action, wanted }) =>
      action === asked && wanted.every(({ operator, key, values }) => isMet(operator, context[key], values)),
  );
  if (!isDenied) return;
  const who = received.caller.arn;
  const why = "with an explicit deny in a resource-based policy";
  throw new ServiceError(
    "AccessDeniedException",
    `User: ${who} is not authorized to perform: secretsmanager:${received.operation} ${why}`,
  );
}
