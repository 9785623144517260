import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Cloudflare } from "../cloudflare.ts";
import { answerApi, bearer } from "../cloudflare-api.ts";

const BASE = /^.*?\/client\/v4/;

/** Whether a URL is one of the API, under whatever base path. */
export const isCloudflareUrl = (url: string): boolean => BASE.test(url);

/** Serves the API under any base path that ends in /client/v4. */
export function cloudflareHandler(cloudflare: Cloudflare): RequestListener {
  return (request, response) => {
    // A caller that hangs up in the middle of its request gets no answer, and the server goes on.
    serve(cloudflare, request, response).catch((error: Error) => response.destroy(error));
  };
}

async function serve(cloudflare: Cloudflare, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? "/", "http://localhost");
  const answer = answerApi(cloudflare, {
    method: request.method ?? "GET",
    path: url.pathname.replace(BASE, ""),
    query: url.searchParams,
    token: bearer(request.headers.authorization ?? null),
    contentType: request.headers["content-type"] ?? null,
    body: Buffer.concat(chunks).toString("utf8"),
  });
  if (answer.kind === "lost") {
    request.socket.destroy();
    return;
  }
  response.writeHead(answer.status, answer.headers).end(answer.body);
}

/** The API on a port of its own. */
export async function startCloudflareApi(
  cloudflare: Cloudflare,
): Promise<{ readonly baseUrl: string; close(): Promise<void> }> {
  const server = createServer(cloudflareHandler(cloudflare));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${String(port)}/client/v4`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
