import { once } from "node:events";
import { Agent, request as send } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import dynalite from "dynalite";
import type { Encoded } from "./protocols.ts";
import type { RawRequest } from "./signature.ts";

/** The journal's table in a DynamoDB of this process. */
export interface JournalTable {
  readonly name: string;
  /** Has a DynamoDB request served. */
  serve(request: RawRequest): Promise<Encoded>;
  close(): Promise<void>;
}

/** Headers that belong to one connection, or that the wire sets itself. */
const NOT_PASSED_ON = new Set(["connection", "keep-alive", "date", "transfer-encoding"]);

/** Starts dynalite with one empty table, whose keys are the strings `pk` and `sk`. */
export async function startJournalTable(name: string): Promise<JournalTable> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });

  const serve = async ({ method, url, headers, body }: RawRequest): Promise<Encoded> => {
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

  await createTable(serve, name);
  return {
    name,
    serve,
    async close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
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

async function createTable(serve: (request: RawRequest) => Promise<Encoded>, name: string): Promise<void> {
  const call = async (operation: string, input: object): Promise<string> => {
    const body = Buffer.from(JSON.stringify(input));
    const headers = {
      "content-type": "application/x-amz-json-1.0",
      "content-length": String(body.length),
      "x-amz-target": `DynamoDB_20120810.${operation}`,
      "x-amz-date": "20260101T000000Z",
      authorization:
        "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
    };
    return (await serve({ method: "POST", url: "/", headers, body })).body;
  };
  await call("CreateTable", {
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
  for (let ask = 0; ask < 1_000; ask += 1) {
    const described = await call("DescribeTable", { TableName: name });
    if (described.includes('"TableStatus":"ACTIVE"')) return;
  }
  throw new Error("the journal's table did not become active");
}
