import type { LocalCloud } from "./local-cloud.ts";

const PATH = "/local-cloud/advance";
/** A web page cannot send it to another origin unasked, so that none can turn the time. */
const HEADER = "x-local-cloud";

/** Lets the time of this cloud leap when it is asked to, but never while its function runs. */
export function serveAdvance({ wire, clock }: LocalCloud, deployed: { isBusy(): boolean }): void {
  wire.mount(PATH, (request, response) => {
    const ms = Number(request.headers[HEADER]);
    const answer = (status: number, text: string): void => {
      response.writeHead(status, { "content-type": "text/plain" }).end(text);
    };
    if (request.method !== "POST" || !Number.isSafeInteger(ms) || ms < 0) {
      answer(400, "this is no leap of time");
      return;
    }
    if (deployed.isBusy()) {
      answer(409, "the function is running; time leaps when it has ended");
      return;
    }
    clock.advance(ms);
    answer(200, new Date(clock.now()).toISOString());
  });
}

/** Lets the time of the cloud on this port leap ahead, and gives the new one. Throws when none is running there. */
export async function advance(port: number, ms: number): Promise<string> {
  const url = `http://127.0.0.1:${String(port)}${PATH}`;
  const response = await fetch(url, { method: "POST", headers: { [HEADER]: String(ms) } }).catch((thrown: unknown) => {
    const said = `no local cloud is running on port ${String(port)}: start one with "npm run cloud"`;
    throw new Error(said, { cause: thrown });
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the local cloud on port ${String(port)} refused: ${text}`);
  return text;
}
