import type { Resources } from "./artifact.ts";

/** Whom the template is deployed for. */
export const DEPLOYED = { account: "123456789012", region: "us-east-1" } as const;

/** One permission that a call needs: an action on a resource, with the tags that the resource bears. */
export interface Asked {
  readonly action: string;
  readonly resource: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** The keys of the tags that the call writes or takes away. */
  readonly tagKeys?: readonly string[];
}

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action?: string | readonly string[];
  /** Every action but these: the statement means all the others. */
  readonly NotAction?: readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** One action on one pattern of resources, as a statement gives it. */
export interface Right {
  readonly statement: string;
  readonly action: string;
  readonly resource: string;
  readonly condition: string;
}

/** What one role of a template may do. */
export interface Grants {
  readonly actions: readonly string[];
  /** Every single thing that it is given, in the order of the template. */
  readonly rights: readonly Right[];
  /** Those of them that each give what is asked. */
  readonly rightsTo: (asked: Asked) => readonly Right[];
  readonly allows: (asked: Asked) => boolean;
  /** Refused whatever else the role is given. */
  readonly denies: (asked: Asked) => boolean;
}

export function grantsOf(resources: Resources, role: string): Grants {
  const policies = resources[role]?.Properties["Policies"] as readonly {
    readonly PolicyDocument: { readonly Statement: readonly Statement[] };
  }[];
  const statements = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  const having = (effect: string): Statement[] => statements.filter(({ Effect }) => Effect === effect);
  const matches = (effect: string, asked: Asked): boolean =>
    having(effect).some((statement) => isMeant(resources, statement, asked));
  const pieces = having("Allow").flatMap((statement) => piecesOf(resources, statement));
  return {
    rights: pieces.map(({ right }) => right),
    rightsTo: (asked) => pieces.filter(({ piece }) => isMeant(resources, piece, asked)).map(({ right }) => right),
    actions: having("Allow").flatMap(({ Action = [] }) => Action),
    // An explicit refusal wins over every permission (IAM User Guide, policy evaluation logic).
    allows: (asked) => matches("Allow", asked) && !matches("Deny", asked),
    denies: (asked) => matches("Deny", asked),
  };
}

/** A statement taken apart: one action, one pattern of resources. */
function piecesOf(
  resources: Resources,
  statement: Statement,
): readonly { readonly right: Right; readonly piece: Statement }[] {
  return [statement.Action ?? []].flat().flatMap((action) =>
    [statement.Resource].flat().map((Resource) => ({
      right: {
        statement: statement.Sid ?? "",
        action,
        resource: plain(resources, Resource),
        condition: conditionOf(statement),
      },
      piece: { ...statement, Action: action, Resource },
    })),
  );
}

/** What a condition asks, for people: the tags of the user, and those that are written. */
function conditionOf({ Condition = {} }: Statement): string {
  const keys = Object.entries(Condition).flatMap(([operator, of]) =>
    Object.entries(of).map(([key, value]) => [operator, key, [value].flat().join(", ")] as const),
  );
  return keys
    .flatMap(([operator, key, value]) => {
      if (key.startsWith("aws:ResourceTag/")) return [`with the tag \`${key.slice("aws:ResourceTag/".length)}\``];
      return operator.startsWith("ForAllValues") ? [`tag keys \`${value}\` only`] : [];
    })
    .join(", ");
}

function isMeant(resources: Resources, statement: Statement, asked: Asked): boolean {
  const where = [statement.Resource].flat().map((resource) => plain(resources, resource));
  return (
    isNamed(statement, asked.action) &&
    where.some((pattern) => isLike(pattern, asked.resource)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) => holds(operator, keys, asked))
  );
}

/** Actions are compared without case. Source: IAM User Guide, JSON policy elements, Action and NotAction. */
function isNamed({ Action, NotAction }: Statement, action: string): boolean {
  const isOneOf = (patterns: string | readonly string[]): boolean =>
    [patterns].flat().some((pattern) => isLike(pattern.toLowerCase(), action.toLowerCase()));
  return NotAction === undefined ? isOneOf(Action ?? []) : !isOneOf(NotAction);
}

/**
 * `Null` with "false": the key is there. `ForAllValues` holds of none, `ForAnyValue` does not; a negated operator holds of
 * what is like no value of a list. Source: IAM User Guide, condition operators, set operators for multivalued context
 * keys, and the evaluation of multiple values.
 */
function holds(
  operator: string,
  keys: Readonly<Record<string, string | readonly string[]>>,
  { tags = {}, tagKeys = [] }: Pick<Asked, "tags" | "tagKeys">,
): boolean {
  return Object.entries(keys).every(([key, value]) => {
    const [kind, tag = ""] = key.split("/");
    const values = [value].flat();
    const isLikeAny = (text: string): boolean => values.some((each) => isLike(each, text));
    switch (`${operator} ${kind ?? ""} ${operator === "Null" ? values.join() : ""}`.trim()) {
      case "Null aws:ResourceTag false":
        return Object.hasOwn(tags, tag);
      case "Null aws:TagKeys false":
        return tagKeys.length > 0;
      case "ForAllValues:StringLike aws:TagKeys":
        return tagKeys.every(isLikeAny);
      case "ForAllValues:StringEquals aws:TagKeys":
        return tagKeys.every((each) => values.includes(each));
      case "ForAnyValue:StringNotLike aws:TagKeys":
        return tagKeys.some((each) => !isLikeAny(each));
      default:
        throw new Error(`${operator} ${key} is not understood here`);
    }
  });
}

/** Patterns of resources and of texts: `*` is any characters, `?` one. */
function isLike(pattern: string, resource: string): boolean {
  const source = pattern
    .replaceAll(/[\\^$.+|()[\]{}]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(resource);
}

/** A value of the template as CloudFormation would make it, for the functions that serverless.yml uses. */
export function plain(resources: Resources, value: unknown): string {
  if (typeof value === "string") return value;
  const [name, argument] = Object.entries(value as Readonly<Record<string, unknown>>)[0] ?? [];
  if (name === "Fn::Sub") {
    return String(argument).replaceAll(/\$\{AWS::(\w+)\}/g, (_, word: string) => pseudo(word));
  }
  const [logicalId = "", attribute = "Ref"] =
    name === "Fn::GetAtt" ? (argument as readonly string[]) : [String(argument)];
  return valueOf(resources, logicalId, attribute);
}

function pseudo(word: string): string {
  const known: Readonly<Record<string, string>> = {
    Partition: "aws",
    Region: DEPLOYED.region,
    AccountId: DEPLOYED.account,
  };
  return known[word] ?? `(AWS::${word})`;
}

function valueOf(resources: Resources, logicalId: string, attribute: string): string {
  const { Type: type, Properties: properties } = resources[logicalId] ?? { Type: "", Properties: {} };
  const named = (key: string): string => String(properties[key]);
  const arn = (service: string, rest: string): string =>
    `arn:aws:${service}:${DEPLOYED.region}:${DEPLOYED.account}:${rest}`;
  switch (`${type} ${attribute}`) {
    case "AWS::DynamoDB::Table Arn":
      return arn("dynamodb", `table/${named("TableName")}`);
    case "AWS::SNS::Topic Ref":
      return arn("sns", named("TopicName"));
    case "AWS::SQS::Queue Arn":
      return arn("sqs", named("QueueName"));
    case "AWS::Lambda::Function Arn":
      return arn("lambda", `function:${named("FunctionName")}`);
    case "AWS::Logs::LogGroup Arn":
      return arn("logs", `log-group:${named("LogGroupName")}:*`);
    default:
      throw new Error(`${attribute} of ${logicalId} is not understood here`);
  }
}
