/** The calls that the five systems' laptops and CI make, by service. */
export type CallName = "secretsmanager" | "sts" | "cloudformation" | "logs" | "dynamodb" | "s3" | "textract";

/** One request, as its service wants it spelled; still unsigned. */
interface ServiceCall {
  readonly service: string;
  readonly path: string;
  readonly init: { readonly method: string; readonly headers?: Record<string, string>; readonly body?: string };
}

/** `secretId` is for Secrets Manager alone. */
export function callOf(name: CallName, secretId: string): ServiceCall {
  switch (name) {
    case "secretsmanager":
      return json(name, "secretsmanager.GetSecretValue", { SecretId: secretId });
    case "logs":
      return json(name, "Logs_20140328.FilterLogEvents", { logGroupName: "/aws/lambda/app" });
    case "dynamodb":
      return json(name, "DynamoDB_20120810.ListTables", {});
    case "textract":
      return json(name, "Textract.AnalyzeExpense", { Document: {} });
    case "sts":
      return query(name, "Action=GetCallerIdentity&Version=2011-06-15");
    case "cloudformation":
      return query(name, "Action=DescribeStacks&Version=2010-05-15");
    case "s3":
      return { service: name, path: "/invoices/2027/january.pdf", init: { method: "GET" } };
  }
}

function json(service: string, target: string, body: object): ServiceCall {
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": target };
  return { service, path: "/", init: { method: "POST", headers, body: JSON.stringify(body) } };
}

function query(service: string, body: string): ServiceCall {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { service, path: "/", init: { method: "POST", headers, body } };
}
