import type { Resources } from "./artifact.ts";

/** Whom the template is deployed for. */
export const DEPLOYED = { account: "123456789012", region: "us-east-1" } as const;

/** One permission that a call needs: an action on a resource, with the tags that the resource bears. */
export interface Asked {
  readonly action: string;
  readonly resource: string;
  readonly tags?: Readonly<Record<string, string>>;
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What one role of a template may do. */
export interface Grants {
  readonly actions: readonly string[];
  readonly allows: (asked: Asked) => boolean;
}

export function grantsOf(resources: Resources, role: string): Grants {
  const policies = resources[role]?.Properties["Policies"] as readonly {
    readonly PolicyDocument: { readonly Statement: readonly Statement[] };
  }[];
  const statements = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  const other = statements.find(({ Effect }) => Effect !== "Allow");
  if (other !== undefined) throw new Error("only Allow is understood here");
  return {
    actions: statements.flatMap(({ Action }) => Action),
    allows: (asked) => statements.some((statement) => isAllowed(resources, statement, asked)),
  };
}

function isAllowed(resources: Resources, statement: Statement, asked: Asked): boolean {
  const where = [statement.Resource].flat().map((resource) => plain(resources, resource));
  return (
    [statement.Action].flat().includes(asked.action) &&
    where.some((pattern) => isLike(pattern, asked.resource)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) => holds(operator, keys, asked.tags ?? {}))
  );
}

/** `Null` with "false": the key is there. Source: IAM User Guide, condition operator to check existence of keys. */
function holds(
  operator: string,
  keys: Readonly<Record<string, string>>,
  tags: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(keys).every(([key, value]) => {
    const [kind, tag = ""] = key.split("/");
    if (operator !== "Null" || kind !== "aws:ResourceTag" || value !== "false")
      throw new Error(`${operator} ${key} is not understood here`);
    return Object.hasOwn(tags, tag);
  });
}

/** Patterns of resources: `*` is any characters, `?` one. */
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
