import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Duration } from "../src/config/duration.ts";
import { build } from "./build.ts";
import { advance, serveAdvance } from "./local-run/advance.ts";
import { CLOUDFLARE_ACCOUNT, CLOUDFLARE_TOKEN, startLocalCloud, workers } from "./local-run/local-cloud.ts";
import type { LocalCloud } from "./local-run/local-cloud.ts";

const PORT = "4577";
const FUNCTION = "keyturn";
const HELP = `npm run cloud                      starts the local cloud on port ${PORT}, and stays up until Ctrl-C
npm run cloud -- --port 4600       the same on another port
npm run cloud -- --advance 30d     lets the time of the running one leap ahead (d, h or min)
npm run cloud -- --help            shows this

It simulates one AWS account and one Cloudflare account with the five systems of keyturn.config.ts. Whatever speaks to
AWS or Cloudflare can be pointed at it: the AWS CLI, wrangler, sls invoke. It is reached from this machine only, and
forgets everything when it ends.
`;

type Handler = (event: unknown) => Promise<unknown>;

/** Bundles the function, loads it once, as a warm Lambda does, and has Invoke run it here. */
async function createFunction({ wire, environment }: LocalCloud): Promise<{ isBusy(): boolean }> {
  const { file } = await build();
  // Its log lines are shown here, as CloudWatch would keep them.
  const { AWS_LAMBDA_LOG_LEVEL: _, ...told } = environment;
  delete process.env["AWS_PROFILE"];
  Object.assign(process.env, told);
  const { handler } = createRequire(fileURLToPath(import.meta.url))(file) as { handler: Handler };
  let running = 0;
  wire.onInvoke(FUNCTION, async (event) => {
    running += 1;
    try {
      return await handler(event);
    } finally {
      running -= 1;
    }
  });
  return { isBusy: () => running > 0 };
}

function describe({ environment, edge, clock }: LocalCloud): string {
  const { AWS_LAMBDA_LOG_LEVEL: _, ...told } = environment;
  const variables = {
    ...told,
    // Version 1 of the AWS CLI reads no other name.
    AWS_DEFAULT_REGION: told.AWS_REGION,
    CLOUDFLARE_ACCOUNT_ID: CLOUDFLARE_ACCOUNT,
    CLOUDFLARE_API_TOKEN: CLOUDFLARE_TOKEN,
  };
  return [
    `The local cloud is up; its time is ${new Date(clock.now()).toISOString()}. In another terminal:`,
    "",
    "unset AWS_PROFILE",
    ...Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`),
    "",
    "The Workers, each of which signs one call to AWS for a visitor:",
    ...workers.map(({ worker }) => `  ${worker}: ${edge.url(worker)}`),
    "",
    "Ctrl-C ends it.",
    "",
  ].join("\n");
}

async function serve(port: number): Promise<void> {
  const local = await startLocalCloud({ port });
  const deployed = await createFunction(local);
  serveAdvance(local, deployed);
  local.clock.run();
  process.stdout.write(describe(local));
  const end = (): void => {
    // Workers that would not stop must not keep the port taken.
    setTimeout(() => process.exit(0), 2_000).unref();
    void local.close().then(() => process.exit(0));
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: PORT },
      advance: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`--port is "${values.port}", which is no port`);
  if (values.advance === undefined) {
    await serve(port);
    return;
  }
  const ms = Duration.safeParse(values.advance);
  if (!ms.success) throw new Error(`--advance is "${values.advance}", but may be such as "30d", "6h" or "15min"`);
  const now = await advance(port, ms.data);
  process.stdout.write(`The local cloud's time is ${now}.\n`);
}

try {
  await main();
} catch (thrown) {
  const { code, message } = thrown as NodeJS.ErrnoException;
  const said = code === "EADDRINUSE" ? "the port is taken: is a local cloud running already?" : message;
  process.stderr.write(`${said}\n`);
  process.exit(1);
}
