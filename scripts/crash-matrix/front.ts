import { once } from "node:events";
import { Agent, createServer, request as send } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Encoded } from "../../test/world/wire/protocols.ts";
import type { RawRequest } from "../../test/world/wire/signature.ts";
import { failureOf, nameOf, stallMs } from "./faults.ts";
import type { FaultName } from "./faults.ts";

/** The fault of a sweep: it befalls the request that arrives as its n-th. */
export interface Trap {
  readonly nth: number;
  readonly fault: FaultName;
}

/** Stands before the cloud: counts the requests of each sweep by name, and lets one of them meet its fault. */
export interface Front {
  readonly url: string;
  /** Begins to count anew. */
  open(trap: Trap | null): void;
  /** The requests since then, by name, in the order of their arrival. */
  requests(): readonly string[];
  /** Which request met the fault; null while none did. */
  struck(): string | null;
  close(): Promise<void>;
}

interface FrontOptions {
  readonly cloudUrl: string;
  /** The cloud's time. */
  readonly now: () => number;
  readonly kill: () => void;
  /** Before and after each request is carried out: consumers are at work whenever the world has changed. */
  readonly onTurn: () => void;
}

/** Has the cloud carry out a request. */
type CarryOut = (request: RawRequest) => Promise<Encoded>;

export async function startFront({ cloudUrl, now, kill, onTurn }: FrontOptions): Promise<Front> {
  const agent = new Agent({ keepAlive: true });
  let names: string[] = [];
  let trap: Trap | null = null;
  let struck: string | null = null;

  const carryOut: CarryOut = async (request) => {
    onTurn();
    const answer = await passOn(cloudUrl, agent, request);
    onTurn();
    return answer;
  };
  const answerTo = (request: RawRequest): Promise<Encoded | null> => {
    const name = nameOf(request);
    names.push(name);
    if (trap === null) return carryOut(request);
    const isRepeated = trap.fault === "error-always" && name === struck;
    if (names.length !== trap.nth && !isRepeated) return carryOut(request);
    struck = name;
    return meet(trap.fault, request, { carryOut, kill });
  };
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = await answerTo(await readRequest(incoming));
    response.sendDate = false;
    const date = new Date(now()).toUTCString();
    if (answer === null) incoming.socket.destroy();
    else response.writeHead(answer.status, { date, ...answer.headers }).end(answer.body);
  };

  const server = createServer((incoming, response) => {
    // A child that was killed in the middle of its request gets here.
    serve(incoming, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    open(next) {
      names = [];
      struck = null;
      trap = next;
    },
    requests: () => names,
    struck: () => struck,
    async close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** What the caller of the request hears; null: nothing, its line is cut. */
async function meet(
  fault: FaultName,
  request: RawRequest,
  { carryOut, kill }: { readonly carryOut: CarryOut; readonly kill: () => void },
): Promise<Encoded | null> {
  switch (fault) {
    case "killed":
      kill();
      return null;
    case "killed-done":
      await carryOut(request);
      kill();
      return null;
    case "error":
    case "error-always":
      return failureOf(request, "error");
    case "throttled":
      return failureOf(request, "throttled");
    case "lost":
      await carryOut(request);
      return null;
    case "stalled": {
      const answer = await carryOut(request);
      await delay(stallMs(request));
      return answer;
    }
    case "late":
      await delay(stallMs(request));
      return carryOut(request);
  }
}

async function readRequest(incoming: IncomingMessage): Promise<RawRequest> {
  const { method = "GET", url = "/", headers } = incoming;
  return { method, url, headers, body: await readAll(incoming) };
}

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The same request to the cloud itself. It keeps its Host, which is signed. */
async function passOn(cloudUrl: string, agent: Agent, { method, url, headers, body }: RawRequest): Promise<Encoded> {
  const passed = send(new URL(url, cloudUrl), { agent, method, headers });
  passed.end(body);
  const [answer] = (await once(passed, "response")) as [IncomingMessage];
  const { connection: _, "keep-alive": __, ...kept } = answer.headers;
  return {
    status: answer.statusCode ?? 500,
    headers: kept as Readonly<Record<string, string>>,
    body: (await readAll(answer)).toString("utf8"),
  };
}
