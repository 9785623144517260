import { once } from "node:events";
import { Agent, request as send } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import dynalite from "dynalite";
import type { Encoded } from "./protocols.ts";
import type { RawRequest } from "./signature.ts";
import { transactions } from "./transactions.ts";
import type { Ask } from "./transactions.ts";

/** The journal's table in a DynamoDB of this process. */
export interface JournalTable {
  readonly name: string;
  /** Keys of a BatchGetItem that are processed; the others are handed back. */
  processedKeysMax: number;
  /** Whether point-in-time recovery is on, as the template asks for it. */
  hasBackups: boolean;
  /** Has a DynamoDB request served, one after the other. */
  serve(request: RawRequest): Promise<Encoded>;
  close(): Promise<void>;
}

/** Headers that belong to one connection, or that the wire sets itself. */
const NOT_PASSED_ON = new Set(["connection", "keep-alive", "date", "transfer-encoding"]);

/**
 * Starts dynalite with one empty table, whose keys are the strings `pk` and `sk`. Transactions, which dynalite does not
 * know, are made of its own operations.
 */
export async function startJournalTable(name: string, nowMs: () => number): Promise<JournalTable> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });

  const pass = async ({ method, url, headers, body }: RawRequest): Promise<Encoded> => {
    const passed = Object.entries(headers).filter(([header]) => !NOT_PASSED_ON.has(header));
    const sent = send({
      host: "127.0.0.1",
      port,
      agent,
      method,
      path: url,
      headers: Object.fromEntries(passed),
    });
    sent.end(body);
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    return readAnswer(answer);
  };

  const ask: Ask = async (operation, input) => pass(requestOf(operation, input));
  const transact = transactions(ask, nowMs);
  const dispatch = async (request: RawRequest): Promise<Encoded> => {
    const operation = String(request.headers["x-amz-target"]).split(".").at(-1);
    if (operation === "DescribeContinuousBackups") return describeBackups(table);
    if (operation === "TransactWriteItems") return transact(inputOf(request));
    return operation === "BatchGetItem" ? batchGet(ask, inputOf(request), table.processedKeysMax) : pass(request);
  };
  let last: Promise<unknown> = Promise.resolve();

  await createTable(ask, name);
  const table: JournalTable = {
    name,
    processedKeysMax: 100,
    hasBackups: true,
    async serve(request) {
      const served = last.then(async () => dispatch(request));
      last = served.catch(() => null);
      return served;
    },
    async close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return table;
}

const inputOf = ({ body }: RawRequest): Readonly<Record<string, unknown>> =>
  JSON.parse(body.toString("utf8")) as Readonly<Record<string, unknown>>;

/** Source: DynamoDB API, DescribeContinuousBackups. */
function describeBackups({ hasBackups }: JournalTable): Encoded {
  const PointInTimeRecoveryDescription = { PointInTimeRecoveryStatus: hasBackups ? "ENABLED" : "DISABLED" };
  const told = { ContinuousBackupsDescription: { ContinuousBackupsStatus: "ENABLED", PointInTimeRecoveryDescription } };
  return { status: 200, headers: { "content-type": "application/x-amz-json-1.0" }, body: JSON.stringify(told) };
}

/** What is too much comes back as UnprocessedKeys. One table is asked. */
async function batchGet(ask: Ask, input: Readonly<Record<string, unknown>>, keysMax: number): Promise<Encoded> {
  const asked = input["RequestItems"] as Readonly<Record<string, { readonly Keys: readonly unknown[] }>>;
  const [[name, { Keys: keys, ...how }] = ["", { Keys: [] }]] = Object.entries(asked);
  if (keys.length <= keysMax || keys.length > 100) return ask("BatchGetItem", input);
  const unprocessed = { [name]: { ...how, Keys: keys.slice(keysMax) } };
  const answer =
    keysMax === 0
      ? { Responses: { [name]: [] } }
      : (JSON.parse(
          (await ask("BatchGetItem", { RequestItems: { [name]: { ...how, Keys: keys.slice(0, keysMax) } } })).body,
        ) as object);
  const headers = { "content-type": "application/x-amz-json-1.0" };
  return { status: 200, headers, body: JSON.stringify({ ...answer, UnprocessedKeys: unprocessed }) };
}

async function readAnswer(answer: IncomingMessage): Promise<Encoded> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const headers = Object.entries(answer.headers).filter(([name]) => !NOT_PASSED_ON.has(name));
  return {
    status: answer.statusCode ?? 500,
    headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

/** A request of our own; dynalite looks at no signature. */
function requestOf(operation: string, input: object): RawRequest {
  const body = Buffer.from(JSON.stringify(input));
  const headers = {
    "content-type": "application/x-amz-json-1.0",
    "content-length": String(body.length),
    "x-amz-target": `DynamoDB_20120810.${operation}`,
    "x-amz-date": "20260101T000000Z",
    authorization:
      "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
  };
  return { method: "POST", url: "/", headers, body };
}

async function createTable(ask: Ask, name: string): Promise<void> {
  await ask("CreateTable", {
    TableName: name,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: "pk", AttributeType: "S" },
      { AttributeName: "sk", AttributeType: "S" },
    ],
    KeySchema: [
      { AttributeName: "pk", KeyType: "HASH" },
      { AttributeName: "sk", KeyType: "RANGE" },
    ],
  });
  for (let asked = 0; asked < 1_000; asked += 1) {
    const { body } = await ask("DescribeTable", { TableName: name });
    if (body.includes('"TableStatus":"ACTIVE"')) return;
  }
  throw new Error("the journal's table did not become active");
}
