import { mkdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build, buildCli } from "../build.ts";
import { createConsumers } from "./consumers.ts";
import type { Consumers } from "./consumers.ts";
import { serveOrders } from "./control.ts";
import type { Orders } from "./control.ts";
import { CLOUDFLARE_ACCOUNT, CLOUDFLARE_TOKEN, startLocalCloud, workers } from "./local-cloud.ts";
import type { LocalCloud } from "./local-cloud.ts";

const FUNCTION = "keyturn";
/** Profiles of this cloud lie apart from those in the home of whoever tries it. */
const PROFILES = fileURLToPath(new URL("../../dist/cloud/", import.meta.url));

type Handler = (event: unknown) => Promise<unknown>;

interface Deployed {
  isBusy(): boolean;
  deploy(): Promise<void>;
}

/** Bundles the function, loads it once, as a warm Lambda does, and has Invoke run it here. */
async function createFunction({ wire, environment }: LocalCloud): Promise<Deployed> {
  const require = createRequire(fileURLToPath(import.meta.url));
  // Its log lines are shown here, as CloudWatch would keep them.
  const { AWS_LAMBDA_LOG_LEVEL: _, ...told } = environment;
  delete process.env["AWS_PROFILE"];
  Object.assign(process.env, told);
  const load = async (): Promise<Handler> => {
    const { file } = await build();
    Reflect.deleteProperty(require.cache, file);
    return (require(file) as { handler: Handler }).handler;
  };
  let handler = await load();
  let running = 0;
  wire.onInvoke(FUNCTION, async (event) => {
    running += 1;
    try {
      return await handler(event);
    } finally {
      running -= 1;
    }
  });
  return {
    isBusy: () => running > 0,
    async deploy() {
      handler = await load();
    },
  };
}

/** What the running one does when it is told to. */
function ordersFor(local: LocalCloud, deployed: Deployed, consumers: Consumers): Orders {
  const { iam, clock } = local.cloud;
  return {
    async advance(ms) {
      if (deployed.isBusy()) throw new Error("the function is running; time leaps when it has ended");
      await consumers.pass(Number(ms));
      return `The local cloud's time is ${new Date(clock.now()).toISOString()}.`;
    },
    async deploy() {
      await deployed.deploy();
      return "The function is deployed.";
    },
    "new-key": (name) => {
      const user = iam.users.get(name) ?? iam.createUser({ name, path: "/developers/" });
      return `${iam.createKey(user.name).id} is made by hand for ${user.name}.`;
    },
    pair: (name) => {
      const key = iam.keysOf(name).findLast(({ status }) => status === "Active");
      if (key === undefined) throw new Error(`${name} has no active key`);
      return `aws_access_key_id = ${key.id}\naws_secret_access_key = ${key.secret}`;
    },
    calls: () => consumers.describe(),
  };
}

function describe({ environment, edge, clock }: LocalCloud): string {
  const { AWS_LAMBDA_LOG_LEVEL: _, ...told } = environment;
  const variables = {
    ...told,
    // Version 1 of the AWS CLI reads no other name.
    AWS_DEFAULT_REGION: told.AWS_REGION,
    CLOUDFLARE_ACCOUNT_ID: CLOUDFLARE_ACCOUNT,
    CLOUDFLARE_API_TOKEN: CLOUDFLARE_TOKEN,
    AWS_SHARED_CREDENTIALS_FILE: `${PROFILES}credentials`,
    AWS_CONFIG_FILE: `${PROFILES}config`,
  };
  return [
    `The local cloud is up; its time is ${new Date(clock.now()).toISOString()}. In another terminal:`,
    "",
    "unset AWS_PROFILE",
    ...Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`),
    "",
    "The Workers, each of which signs one call to AWS for a visitor, and has visitors all the time:",
    ...workers.map(({ worker }) => `  ${worker}: ${edge.url(worker)}`),
    "",
    "Ctrl-C ends it.",
    "",
  ].join("\n");
}

/** Starts the local cloud on this port, with the function, the command line and the consumers, and stays up until it is told to end. */
export async function serve(port: number): Promise<void> {
  const local = await startLocalCloud({ port });
  await rm(PROFILES, { recursive: true, force: true });
  await mkdir(PROFILES, { recursive: true });
  const [deployed] = await Promise.all([createFunction(local), buildCli()]);
  const consumers = createConsumers(local);
  serveOrders(local, ordersFor(local, deployed, consumers));
  local.clock.run();
  consumers.open();
  process.stdout.write(describe(local));
  const end = (): void => {
    // Workers that would not stop must not keep the port taken.
    setTimeout(() => process.exit(0), 2_000).unref();
    void local.close().then(() => process.exit(0));
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
}
