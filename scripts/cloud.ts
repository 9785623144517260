import { parseArgs } from "node:util";
import { Duration } from "../src/config/duration.ts";
import { order } from "./local-run/control.ts";
const PORT = 4577;
const HELP = `npm run cloud                         starts the local cloud on port ${String(PORT)}, and stays up until Ctrl-C
npm run cloud -- --port 4600          the same on another port

The running one is told, from a terminal with its variables (or with --port):
npm run cloud -- --advance 30d        lets its time leap ahead (d, h or min); laptops and the CI work at their hours in it
npm run cloud -- --deploy             deploys the function as this folder has it now, keyturn.config.ts included
npm run cloud -- --new-key <user>     somebody makes a key by hand, of a user under /developers/ if there is none
npm run cloud -- --pair <user>        prints the user's newest pair as its owner has it, for ~/.aws/credentials
npm run cloud -- --calls              says how many calls the consumers have made, and how many of them failed

It simulates one AWS account and one Cloudflare account with the five systems of keyturn.config.ts and their consumers.
Whatever speaks to AWS or Cloudflare can be pointed at it: the AWS CLI, wrangler, sls invoke. It is reached from this
machine only, and forgets everything when it ends.
`;

/** The one that the terminal's variables point to, or the one on the usual port. */
function usualPort(): string {
  const url = process.env["AWS_ENDPOINT_URL"] ?? "";
  return /^http:\/\/127\.0\.0\.1:(\d+)$/.exec(url)?.[1] ?? String(PORT);
}

const ORDERS = {
  advance: { type: "string" },
  deploy: { type: "boolean" },
  "new-key": { type: "string" },
  pair: { type: "string" },
  calls: { type: "boolean" },
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { ...ORDERS, port: { type: "string" }, help: { type: "boolean", default: false } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const [asked] = Object.entries(values).filter(([name]) => name in ORDERS);
  const typed = values.port ?? (asked === undefined ? String(PORT) : usualPort());
  const port = Number(typed);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`--port is "${typed}", which is no port`);
  if (asked === undefined) {
    // Loaded only here: an order is a second's matter, and the cloud is not.
    const { serve } = await import("./local-run/serve.ts");
    await serve(port);
    return;
  }
  const [name, value] = asked;
  process.stdout.write(`${await order(port, name, name === "advance" ? leapOf(String(value)) : String(value))}\n`);
}

function leapOf(typed: string): string {
  const ms = Duration.safeParse(typed);
  if (!ms.success) throw new Error(`--advance is "${typed}", but may be such as "30d", "6h" or "15min"`);
  return String(ms.data);
}

try {
  await main();
} catch (thrown) {
  const { code, message } = thrown as NodeJS.ErrnoException;
  const said = code === "EADDRINUSE" ? "the port is taken: is a local cloud running already?" : message;
  process.stderr.write(`${said}\n`);
  process.exit(1);
}
