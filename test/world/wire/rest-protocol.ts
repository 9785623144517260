import { ServiceError } from "../call.ts";
import type { RawRequest } from "./signature.ts";

interface Decoded {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

const S3_OBJECT: Readonly<Record<string, string>> = {
  GET: "GetObject",
  PUT: "PutObject",
  HEAD: "HeadObject",
  DELETE: "DeleteObject",
};
const S3_BUCKET: Readonly<Record<string, string>> = {
  GET: "ListObjectsV2",
  PUT: "CreateBucket",
  HEAD: "HeadBucket",
  DELETE: "DeleteBucket",
};

/** Services whose operation is told by method and path: Account, Lambda, S3. Others are named by both, as they came. */
export function decodeRest(service: string, request: RawRequest): Decoded {
  const [path = "", query = ""] = request.url.split("?", 2);
  const segments = path.split("/").filter(Boolean).map(decodeURIComponent);
  if (service === "account") return decodeAccount(segments, request);
  if (service === "lambda") return decodeLambda(segments, request);
  if (service === "s3") return decodeS3(segments, query, request);
  return { operation: `${request.method} ${path}`, input: parseJson(request.body) };
}

function decodeAccount([name = ""]: readonly string[], { body }: RawRequest): Decoded {
  return { operation: name.charAt(0).toUpperCase() + name.slice(1), input: parseJson(body) };
}

function decodeLambda(segments: readonly string[], { method, body, headers }: RawRequest): Decoded {
  const [, kind, name = "", action] = segments;
  // A function may be named by its ARN, whose last part but a version is the name.
  const FunctionName = name.startsWith("arn:") ? (name.split(":")[6] ?? name) : name;
  if (kind === "functions" && action === "invocations" && method === "POST") {
    const InvocationType = headers["x-amz-invocation-type"] ?? "RequestResponse";
    return {
      operation: "Invoke",
      input: { FunctionName, InvocationType, Payload: body.toString("utf8") },
    };
  }
  if (kind === "functions" && action === undefined && method === "GET") {
    return { operation: "GetFunction", input: { FunctionName } };
  }
  if (kind === "functions" && action === "configuration" && method === "GET") {
    return { operation: "GetFunctionConfiguration", input: { FunctionName } };
  }
  if (kind === "functions" && action === "code" && method === "PUT") {
    return { operation: "UpdateFunctionCode", input: { FunctionName } };
  }
  throw new ServiceError("UnknownOperationException", "no such operation", 404);
}

/** Path style alone: the endpoint of a local cloud has no name to put a bucket before. */
function decodeS3(segments: readonly string[], query: string, request: RawRequest): Decoded {
  const [Bucket, ...key] = segments;
  const parameters = Object.fromEntries(new URLSearchParams(query));
  if (Bucket === undefined) return { operation: "ListBuckets", input: parameters };
  if (key.length === 0) {
    return { operation: S3_BUCKET[request.method] ?? "", input: { Bucket, ...parameters } };
  }
  const operation = S3_OBJECT[request.method] ?? "";
  const body = request.method === "PUT" ? { Body: request.body.toString("utf8") } : {};
  return { operation, input: { Bucket, Key: key.join("/"), ...body } };
}

/** An empty body is an empty input. */
export function parseJson(body: Buffer): Readonly<Record<string, unknown>> {
  const text = body.toString("utf8");
  if (text === "") return {};
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    // Said as the JSON services say it.
    throw new ServiceError("SerializationException", "the body is no JSON");
  }
}
