import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterEach, expect, test } from "vitest";
import { createSecretsStoreDestination } from "../../src/destinations/cloudflare-secrets-store.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { Secret } from "../../src/rotation/secret.ts";
import {
  SECRET_NAME,
  SECRETS_STORE_OPTIONS,
  secretsStoreAt,
  simulateStore,
} from "../destinations/secrets-store-under-test.ts";
import { ACCOUNT } from "../destinations/worker-under-test.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import type { SimulatedKey } from "../world/iam-state.ts";
import { setUpWire } from "./setup.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** What a Worker says of its signed call. */
interface Seen {
  readonly ok: boolean;
  readonly code: string | null;
  readonly keyId: string;
}

const asText = ({ id, secret }: SimulatedKey): string =>
  JSON.stringify({ Version: 1, AccessKeyId: id, SecretAccessKey: secret });

/** Real workerd with these secrets bound to one Worker, and an AWS that knows an old and a new key. */
async function startWorker(secretsOf: (old: SimulatedKey) => Readonly<Record<string, string>>) {
  const setup = await setUpWire();
  closing.push(() => setup.close());
  const { cloud, clock, wire } = setup;
  cloud.iam.createUser({ name: "matchmaking", path: "/", tags: {} });
  const keys = [cloud.iam.createKey("matchmaking", {}), cloud.iam.createKey("matchmaking", {})] as const;
  clock.advance(60_000);
  const values = secretsOf(keys[0]);
  const entryPoints = ["test/world/workers/stored-pair.js"];
  const bundled = await build({ entryPoints, bundle: true, format: "esm", write: false });
  const named = Object.keys(values).map((name) => [name, { store_id: "store", secret_name: name }]);
  const workerd = new Miniflare({
    modules: true,
    compatibilityDate: "2026-01-01",
    script: bundled.outputFiles[0]?.text ?? "",
    bindings: { AWS_ENDPOINT: wire.url },
    secretsStoreSecrets: Object.fromEntries(named) as Record<string, { store_id: string; secret_name: string }>,
  });
  closing.push(() => workerd.dispose());
  const setters = new Map<string, (value: string) => Promise<unknown>>();
  for (const [name, value] of Object.entries(values)) {
    const secret = (await workerd.getSecretsStoreSecretAPI(name))();
    const id = await secret.create(value);
    setters.set(name, (next) => secret.update(next, id));
  }
  await workerd.ready;
  const ask = async (): Promise<Seen> => (await workerd.dispatchFetch("http://worker/")).json() as Promise<Seen>;
  return { keys, ask, set: async (name: string, value: string) => setters.get(name)?.(value) };
}

/** Calls again and again from two callers; `stop` gives what they saw. */
function callSteadily(ask: () => Promise<Seen>): { readonly stop: () => Promise<Seen[]> } {
  const seen: Seen[] = [];
  let isOver = false;
  const caller = async (): Promise<void> => {
    while (!isOver) seen.push(await ask());
  };
  const callers = [caller(), caller()];
  return {
    async stop() {
      for (let more = 1; more <= 20; more += 1) seen.push(await ask());
      isOver = true;
      await Promise.all(callers);
      return seen;
    },
  };
}

test("a Worker that reads its pair from the Secrets Store never fails while Keyturn delivers, without a deployment", async () => {
  const { keys, ask, set } = await startWorker((old) => ({ PAIR: asText(old) }));
  const { cloudflare, store } = simulateStore();
  const spread: Promise<unknown>[] = [];
  store.onChanged(({ value }) => spread.push(set("PAIR", value)));
  const client = secretsStoreAt("http://cloudflare.invalid/client/v4", { fetch: cloudflareFetch(cloudflare) });
  const callers = callSteadily(ask);
  for (let calls = 1; calls <= 20; calls += 1) await ask();
  const [old, replacement] = keys;
  const pair = { id: accessKeyId(replacement.id), secret: new Secret(replacement.secret) };
  await createSecretsStoreDestination(SECRETS_STORE_OPTIONS, client).deliver(pair, null);
  await Promise.all(spread);
  const seen = await callers.stop();
  expect(seen.filter(({ ok }) => !ok)).toEqual([]);
  expect(new Set(seen.map(({ keyId }) => keyId))).toEqual(new Set([old.id.slice(-4), replacement.id.slice(-4)]));
  expect(store.named(ACCOUNT, SECRET_NAME)?.value).toBe(asText(replacement));
});

test("the same Worker fails when the halves are two secrets, set one after the other", async () => {
  const { keys, ask, set } = await startWorker(({ id, secret }) => ({ ID: id, SECRET: secret }));
  const callers = callSteadily(ask);
  await set("ID", keys[1].id);
  for (let calls = 1; calls <= 20; calls += 1) await ask();
  await set("SECRET", keys[1].secret);
  const seen = await callers.stop();
  expect(seen.filter(({ code }) => code === "SignatureDoesNotMatch").length).toBeGreaterThan(0);
  expect(seen.at(-1)).toMatchObject({ ok: true, keyId: keys[1].id.slice(-4) });
});
