import { spawn } from "node:child_process";
import { resolve } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { ACCOUNT, TOKEN } from "../destinations/worker-under-test.ts";

const WRANGLER = resolve("node_modules/wrangler/bin/wrangler.js");

interface Where {
  /** The API that it talks to. */
  readonly baseUrl: string;
  /** Where it runs, and all that it may find or leave of its own. */
  readonly folder: string;
}

/** Runs Cloudflare's own client; gives its exit status, and all that it said. */
export async function wrangler({ baseUrl, folder }: Where, command: readonly string[], input: string) {
  const child = spawn(process.execPath, [WRANGLER, ...command], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      XDG_CONFIG_HOME: folder,
      CI: "true",
      WRANGLER_SEND_METRICS: "false",
      CLOUDFLARE_API_BASE_URL: baseUrl,
      CLOUDFLARE_API_TOKEN: TOKEN,
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
    },
  });
  child.stdin.end(input);
  const ended = new Promise<number | null>((done) => child.once("close", done));
  const [out, errors, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, said: out + errors };
}
