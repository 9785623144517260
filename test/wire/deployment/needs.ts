import type { CloudCall } from "../../world/call.ts";
import type { Cloud } from "../../world/cloud.ts";
import { optionalText, structures, texts } from "../../world/input.ts";
import type { Asked, Grants } from "./policy.ts";

/** From now on the role may do only what it is given: what its policy does not allow is refused as AWS refuses it. */
export function enforce(cloud: Cloud, grants: Grants): void {
  cloud.roleRefuses = (call) => {
    const refused = needs(cloud, call).find((asked) => !grants.allows(asked));
    if (refused === undefined) return null;
    const why = grants.denies(refused) ? "with an explicit deny in an" : "because no";
    const what = `${refused.action} on resource: ${refused.resource}`;
    return `${what} ${why} identity-based policy${why === "because no" ? ` allows the ${refused.action} action` : ""}`;
  };
}

/**
 * What AWS asks of the role for a call. STS asks nothing for GetCallerIdentity (STS API, GetCallerIdentity), and Secrets
 * Manager asks more where CreateSecret bears tags or replicas (Secrets Manager API, CreateSecret).
 */
export function needs(cloud: Cloud, { service, operation, region, input, signer }: CloudCall): Asked[] {
  if (signer?.keyId !== cloud.role.keyId || operation === "GetCallerIdentity") return [];
  const arn = (kind: string, rest: string): string => `arn:aws:${kind}:${region}:${cloud.account}:${rest}`;
  // CloudWatch signs as monitoring (AWS General Reference, endpoints of CloudWatch).
  const action = `${service === "monitoring" ? "cloudwatch" : service}:${operation}`;
  const text = (name: string): string => optionalText(input, name) ?? "";
  switch (service) {
    case "iam": {
      const user = cloud.iam.users.get(text("UserName"));
      if (user === undefined) return [{ action, resource: otherOfIam(cloud.account, input) }];
      const tags = Object.fromEntries(user.tags.map(({ Key, Value }) => [Key, Value]));
      const resource = `arn:aws:iam::${cloud.account}:user${user.path}${user.name}`;
      const written = structures(input, "Tags").map((tag) => optionalText(tag, "Key") ?? "");
      const tagKeys = [...written, ...texts(input, "TagKeys")];
      return [{ action, resource, tags, ...(tagKeys.length === 0 ? {} : { tagKeys }) }];
    }
    case "secretsmanager": {
      const name = text("SecretId") || text("Name");
      if (name === "") return [{ action, resource: "*" }];
      const resource = arn("secretsmanager", `secret:${name}-AbCdEf`);
      const more = [
        ...(input["Tags"] === undefined ? [] : ["secretsmanager:TagResource"]),
        ...(input["AddReplicaRegions"] === undefined ? [] : ["secretsmanager:ReplicateSecretToRegions"]),
      ];
      return [action, ...more].map((each) => ({ action: each, resource }));
    }
    case "sts":
      return [{ action, resource: text("RoleArn") }];
    case "dynamodb":
      return tableRights(action, input).map(([right, table]) => ({
        action: right,
        resource: arn("dynamodb", `table/${table}`),
      }));
    case "sns":
      return [{ action, resource: text("TopicArn") }];
    case "ssm":
      // DescribeParameters names no parameter as its resource (Service Authorization Reference, Systems Manager).
      return [{ action, resource: text("Name") === "" ? "*" : arn("ssm", `parameter${text("Name")}`) }];
    default:
      return [{ action, resource: "*" }];
  }
}

/** Roles, groups and policies: what is not a user's, or is of a user that does not exist yet. */
function otherOfIam(account: string, input: CloudCall["input"]): string {
  const arn = (rest: string): string => `arn:aws:iam::${account}:${rest}`;
  const named = (["Role", "Group", "User"] as const).flatMap((kind) => {
    const name = optionalText(input, `${kind}Name`);
    return name === null ? [] : [arn(`${kind.toLowerCase()}/${name}`)];
  });
  return named[0] ?? optionalText(input, "PolicyArn") ?? "*";
}

/** A transaction is authorised by its single writes, and a batch by itself for each table (DynamoDB Developer Guide). */
function tableRights(action: string, input: CloudCall["input"]): readonly (readonly [string, string])[] {
  const { TableName, RequestItems, TransactItems } = input;
  const parts = ((TransactItems ?? []) as readonly Readonly<Record<string, { readonly TableName: string }>>[]).flatMap(
    (item) => Object.entries(item),
  );
  if (parts.length > 0) return parts.map(([name, part]) => [`dynamodb:${name}Item`, part.TableName]);
  const tables = RequestItems === undefined ? [String(TableName)] : Object.keys(RequestItems as object);
  return tables.map((table) => [action, table]);
}
