import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Signer } from "../call.ts";

/** A request as it came in, before anything of it is understood. */
export interface RawRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What an Authorization header of Signature Version 4 says. */
export interface Authorization {
  readonly keyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/** Null when the header is missing or is of another kind. */
export function parseAuthorization(header: string | undefined): Authorization | null {
  const [algorithm, rest] = splitOnce(header ?? "", " ");
  if (algorithm !== ALGORITHM) return null;
  const parts = Object.fromEntries(rest.split(",").map((part) => splitOnce(part.trim(), "=")));
  const scope = (parts["Credential"] ?? "").split("/");
  const [terminator, service, region, date] = scope.toReversed();
  if (terminator !== "aws4_request" || !service || !region || !date) return null;
  return {
    keyId: scope.slice(0, -4).join("/"),
    date,
    region,
    service,
    signedHeaders: (parts["SignedHeaders"] ?? "").split(";"),
    signature: parts["Signature"] ?? "",
  };
}

/**
 * Checks signatures as the services do, by the AWS documentation of Signature Version 4, written apart from every
 * client. The time of signing is not checked: workerd signs by the wall clock, while the cloud's time is simulated.
 */
export function signerOf(request: RawRequest, authorization: Authorization): Signer {
  const isWhole = isPayloadIntact(request);
  const toSign = stringToSign(request, authorization);
  return {
    keyId: authorization.keyId,
    isMadeWith: (secret) => isWhole && hex(hmac(signingKey(secret, authorization), toSign)) === authorization.signature,
  };
}

/** S3's clients may leave the payload out of the signature and say so; a hash that is given must be the body's. */
function isPayloadIntact({ headers, body }: RawRequest): boolean {
  const said = headers["x-amz-content-sha256"];
  if (said === undefined) return true;
  return String(said).startsWith("STREAMING-") || said === UNSIGNED || said === sha256(body);
}

const UNSIGNED = "UNSIGNED-PAYLOAD";

function stringToSign(request: RawRequest, authorization: Authorization): string {
  const { date, region, service } = authorization;
  const [path, query] = splitOnce(request.url, "?");
  const canonical = [
    request.method,
    canonicalPath(path, service),
    canonicalQuery(query),
    ...authorization.signedHeaders.map((name) => `${name}:${headerOf(request.headers, name)}`),
    "",
    authorization.signedHeaders.join(";"),
    request.headers["x-amz-content-sha256"] ?? sha256(request.body),
  ].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const at = headerOf(request.headers, "x-amz-date");
  return [ALGORITHM, at, scope, sha256(canonical)].join("\n");
}

/** A signing key is good for a day, a Region and a service; a run of some weeks asks for it many thousand times. */
const signingKeys = new Map<string, Buffer>();

function signingKey(secret: string, { date, region, service }: Authorization): Buffer {
  const name = [secret, date, region, service].join(" ");
  const known = signingKeys.get(name);
  if (known !== undefined) return known;
  const made = hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), "aws4_request");
  signingKeys.set(name, made);
  return made;
}

/** Every service but S3 encodes the path a second time. */
function canonicalPath(path: string, service: string): string {
  const segments = path.split("/");
  const encoded = segments.map((segment) => encode(service === "s3" ? decodeURIComponent(segment) : segment));
  return encoded.join("/") || "/";
}

function canonicalQuery(query: string): string {
  if (query === "") return "";
  return query
    .split("&")
    .map((pair) => splitOnce(pair, "=").map((part) => encode(decodeURIComponent(part))))
    .map(([name = "", value = ""]) => [name, value] as const)
    .toSorted(([name, value], [other, its]) => compare(name, other) || compare(value, its))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

const headerOf = (headers: IncomingHttpHeaders, name: string): string =>
  String(headers[name] ?? "")
    .trim()
    .replaceAll(/ +/g, " ");

const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

/** RFC 3986: encodeURIComponent leaves five characters that must be encoded. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const hex = (bytes: Buffer): string => bytes.toString("hex");

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
