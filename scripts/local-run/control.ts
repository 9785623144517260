import type { LocalCloud } from "./local-cloud.ts";

const PATH = "/local-cloud/";
/** A web page cannot send it to another origin unasked, so that none can turn the time. */
const HEADER = "x-local-cloud";

/** What a running local cloud can be told. Each answers in words; what it throws is a refusal. */
export type Orders = Readonly<Record<string, (value: string) => Promise<string> | string>>;

/** Serves the orders beside AWS, on the same port. */
export function serveOrders({ wire }: LocalCloud, orders: Orders): void {
  for (const [name, obey] of Object.entries(orders)) {
    wire.mount(PATH + name, (request, response) => {
      const value = request.headers[HEADER];
      const said = async (): Promise<string> => {
        if (request.method !== "POST" || typeof value !== "string") throw new Error("this is no order");
        return obey(decodeURIComponent(value));
      };
      const answer = (status: number, text: string): void => {
        response.writeHead(status, { "content-type": "text/plain" }).end(text);
      };
      void said().then(
        (text) => answer(200, text),
        (thrown: unknown) => answer(409, (thrown as Error).message),
      );
    });
  }
}

/** Tells the local cloud on this port, and gives its answer. Throws when none is running there, and what it refuses. */
export async function order(port: number, name: string, value = ""): Promise<string> {
  const url = `http://127.0.0.1:${String(port)}${PATH}${name}`;
  const headers = { [HEADER]: encodeURIComponent(value) };
  const response = await fetch(url, { method: "POST", headers }).catch((thrown: unknown) => {
    const said = `no local cloud is running on port ${String(port)}: start one with "npm run cloud"`;
    throw new Error(said, { cause: thrown });
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the local cloud on port ${String(port)} refused: ${text}`);
  return text;
}
