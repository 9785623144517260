import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerGitHub } from "../github-api.ts";
import type { GitHub } from "../github.ts";

/** As GitHub Enterprise Server has it, so that one port can serve others too. */
const BASE = "/api/v3";

export const isGitHubUrl = (url: string): boolean => url.startsWith(`${BASE}/`);

/** Serves the API below /api/v3. */
export function githubHandler(github: GitHub): RequestListener {
  return (request, response) => {
    serve(github, request, response).catch((error: Error) => response.destroy(error));
  };
}

async function serve(github: GitHub, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? "/", "http://localhost");
  const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]);
  const answer = await answerGitHub(github, {
    method: request.method ?? "GET",
    path: url.pathname.replace(BASE, ""),
    query: url.searchParams,
    headers: new Headers(headers),
    body: Buffer.concat(chunks).toString("utf8"),
  });
  if (answer === null) {
    request.socket.destroy();
    return;
  }
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(answer.body ?? undefined);
}

/** The API on a port of its own. */
export async function startGitHubApi(github: GitHub): Promise<{ readonly baseUrl: string; close(): Promise<void> }> {
  const server = createServer(githubHandler(github));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${String(port)}${BASE}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
