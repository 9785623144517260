import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { LostAnswer, ServiceError } from "../call.ts";
import type { CloudCall, SimulatedCloud } from "../call.ts";
import type { SimulatedClock } from "../clock.ts";
import { startJournalTable } from "./journal-table.ts";
import type { JournalTable } from "./journal-table.ts";
import { decode, encodeError, spellingOf } from "./protocols.ts";
import type { Decoded, Encoded, Spelling } from "./protocols.ts";
import { parseAuthorization, signerOf } from "./signature.ts";
import type { Authorization, RawRequest } from "./signature.ts";

const TABLE = "keyturn";

interface WireOptions {
  readonly clock: SimulatedClock;
  /** 0, or nothing, takes a free one. */
  readonly port?: number;
  /** How long every answer takes, in real milliseconds. */
  readonly latencyMs?: number;
}

/** What an invoked function does with its event. What it throws is told to the caller as Lambda tells it. */
type Invoked = (event: unknown) => Promise<unknown>;

/** The simulated cloud on one port: every service by the real protocols, told apart by the scope of the signature. */
export interface Wire {
  readonly url: string;
  readonly port: number;
  /** The journal's table, which exists. */
  readonly tableName: string;
  readonly table: JournalTable;
  /** The most requests that were under way at once, since it was last set. */
  inFlightMax: number;
  /** Gives unsigned APIs, such as Cloudflare's, the requests whose URL they want. The first that wants it has it. */
  mount(wants: string | ((url: string) => boolean), handler: RequestListener): void;
  /** Has Lambda's Invoke of this function run here. Invoking any other does nothing, once its signature is good. */
  onInvoke(functionName: string, invoked: Invoked): void;
  close(): Promise<void>;
}

/** Everything that serving one request takes. */
interface Serving {
  readonly cloud: SimulatedCloud;
  readonly clock: SimulatedClock;
  readonly table: JournalTable;
  readonly functions: ReadonlyMap<string, Invoked>;
  readonly latencyMs: number;
}

/** Serves the cloud over HTTP. Each answer's `Date` is simulated time, DynamoDB's included. */
export async function startWire(cloud: SimulatedCloud, { clock, port = 0, latencyMs = 0 }: WireOptions): Promise<Wire> {
  const table = await startJournalTable(TABLE, () => clock.now());
  const functions = new Map<string, Invoked>();
  const mounted: { wants: (url: string) => boolean; handler: RequestListener }[] = [];
  const load = { now: 0, max: 0 };
  const serving = { cloud, clock, table, functions, latencyMs };

  const server = createServer((request, response) => {
    load.now += 1;
    load.max = Math.max(load.max, load.now);
    response.once("close", () => {
      load.now -= 1;
    });
    response.sendDate = false;
    response.setHeader("date", new Date(clock.now()).toUTCString());
    const mount = mounted.find(({ wants }) => wants(request.url ?? "/"));
    if (mount !== undefined) mount.handler(request, response);
    // Only a caller that went away before its request was whole gets here; it hears nothing either way.
    else serve(serving, request, response).catch(() => response.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    port: address.port,
    tableName: TABLE,
    table,
    get inFlightMax() {
      return load.max;
    },
    set inFlightMax(value) {
      load.max = value;
    },
    mount(wants, handler) {
      const isWanted = typeof wants === "string" ? (url: string): boolean => url.startsWith(wants) : wants;
      mounted.push({ wants: isWanted, handler });
    },
    onInvoke(functionName, invoked) {
      functions.set(functionName, invoked);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await table.close();
    },
  };
}

async function serve(serving: Serving, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const requestId = randomUUID();
  const request = await readRequest(incoming);
  if (serving.latencyMs > 0) await delay(serving.latencyMs);
  const authorization = parseAuthorization(request.headers.authorization);
  const spelling = spellingOf(authorization?.service ?? "", request);
  try {
    if (authorization === null) throw unsigned();
    const source = incoming.socket.remoteAddress ?? "127.0.0.1";
    const encoded = await answer(serving, { request, authorization, spelling, source, requestId });
    write(response, encoded, requestId);
  } catch (thrown) {
    if (thrown instanceof LostAnswer) {
      incoming.socket.destroy();
      return;
    }
    write(response, encodeError(spelling, asServiceError(thrown), requestId), requestId);
  }
}

interface Asked {
  readonly request: RawRequest;
  readonly authorization: Authorization;
  readonly spelling: Spelling;
  readonly source: string;
  readonly requestId: string;
}

async function answer(serving: Serving, asked: Asked): Promise<Encoded> {
  const { request, authorization, spelling, source } = asked;
  const { service, region } = authorization;
  const decoded = decode(service, spelling, request);
  const call: CloudCall = {
    service,
    operation: decoded.operation,
    region,
    input: decoded.input,
    signer: signerOf(request, authorization),
    sourceAddress: source,
    userAgent: request.headers["user-agent"] ?? "",
  };
  if (service === "dynamodb" && tablesIn(decoded.input).includes(serving.table.name)) {
    return answerFromTable(serving, call, request);
  }
  const answered = serving.cloud.call(call);
  const isInvoke = service === "lambda" && decoded.operation === "Invoke";
  const invoked = isInvoke ? serving.functions.get(String(decoded.input["FunctionName"])) : undefined;
  if (invoked !== undefined) return invoke(invoked, decoded);
  return decoded.answer(answered, asked.requestId);
}

/** The tables that a DynamoDB request names, wherever it has them. */
function tablesIn({ TableName, RequestItems, TransactItems }: Decoded["input"]): readonly unknown[] {
  const transacted = ((TransactItems ?? []) as readonly Readonly<Record<string, { readonly TableName?: unknown }>>[])
    .flatMap((item) => Object.values(item))
    .map((part) => part.TableName);
  return [TableName, ...Object.keys(RequestItems ?? {}), ...transacted];
}

/**
 * The cloud authenticates the call and plays its faults, and the table does the work. Whether a failed call had its
 * effect is seen from whether its signature was looked at: a fault that strikes before does not come so far. One that its
 * caller's policy refuses has none.
 */
async function answerFromTable({ cloud, table }: Serving, call: CloudCall, request: RawRequest): Promise<Encoded> {
  let isAuthentic = false;
  const signer = call.signer && {
    keyId: call.signer.keyId,
    isMadeWith: (secret: string): boolean => {
      isAuthentic = call.signer?.isMadeWith(secret) === true;
      return isAuthentic;
    },
  };
  try {
    cloud.call({ ...call, signer });
  } catch (thrown) {
    const isRefused = thrown instanceof ServiceError && thrown.code === "AccessDeniedException";
    if (isAuthentic && !isRefused) await table.serve(request);
    throw thrown;
  }
  return table.serve(request);
}

async function invoke(invoked: Invoked, { input }: Decoded): Promise<Encoded> {
  const payload = String(input["Payload"]);
  const event: unknown = payload === "" ? {} : JSON.parse(payload);
  const headers = { "content-type": "application/json", "x-amz-executed-version": "$LATEST" };
  if (input["InvocationType"] === "Event") {
    // Lambda answers at once, and tells nobody how it went.
    void invoked(event).catch(() => undefined);
    return { status: 202, headers, body: "" };
  }
  try {
    const result = await invoked(event);
    return { status: 200, headers, body: JSON.stringify(result ?? null) };
  } catch (thrown) {
    const { name, message } = thrown as Error;
    return {
      status: 200,
      headers: { ...headers, "x-amz-function-error": "Unhandled" },
      body: JSON.stringify({ errorType: name, errorMessage: message }),
    };
  }
}

async function readRequest(incoming: IncomingMessage): Promise<RawRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return {
    method: incoming.method ?? "GET",
    url: incoming.url ?? "/",
    headers: incoming.headers,
    body: Buffer.concat(chunks),
  };
}

function write(response: ServerResponse, encoded: Encoded, requestId: string): void {
  for (const [name, value] of Object.entries(encoded.headers)) response.setHeader(name, value);
  response.setHeader("x-amzn-requestid", requestId);
  response.setHeader("content-length", Buffer.byteLength(encoded.body));
  response.writeHead(encoded.status);
  response.end(encoded.body);
}

const unsigned = (): ServiceError =>
  new ServiceError("MissingAuthenticationToken", "Missing Authentication Token", 403);

/** A bug of the simulation is said as a failure of the service, with its message, so that a test shows it. */
const asServiceError = (thrown: unknown): ServiceError =>
  thrown instanceof ServiceError ? thrown : new ServiceError("InternalFailure", `simulation: ${String(thrown)}`, 500);
