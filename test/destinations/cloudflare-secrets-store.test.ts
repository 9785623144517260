import { describe, expect, test } from "vitest";
import { createSecretsStoreDestination, SecretsStoreOptions } from "../../src/destinations/cloudflare-secrets-store.ts";
import { destinationContract } from "../contracts/destination-contract.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import {
  SECRET_NAME,
  SECRETS_STORE_OPTIONS,
  secretsStoreAt,
  secretsStoreUnderTest,
  simulateStore,
} from "./secrets-store-under-test.ts";
import { ACCOUNT, PAIR, TOKEN } from "./worker-under-test.ts";

const BASE = "http://cloudflare.invalid/client/v4";

function simulate() {
  const simulated = simulateStore();
  const client = secretsStoreAt(BASE, { fetch: cloudflareFetch(simulated.cloudflare) });
  return { ...simulated, client, destination: createSecretsStoreDestination(SECRETS_STORE_OPTIONS, client) };
}

destinationContract("cloudflare-secrets-store, without a socket,", () => {
  const { client, ...simulated } = simulate();
  return Promise.resolve(secretsStoreUnderTest(simulated, client));
});

describe("a delivery to the Secrets Store", () => {
  test("sets one JSON text, and leaves scopes, comment and the other secrets alone", async () => {
    const { store, destination } = simulate();
    const before = store.store(ACCOUNT).secrets;
    const others = before.filter(({ name }) => name !== SECRET_NAME);
    const secret = store.named(ACCOUNT, SECRET_NAME);
    await destination.deliver(PAIR, null);
    const after = store.named(ACCOUNT, SECRET_NAME);
    expect(JSON.parse(after?.value ?? "")).toEqual({
      Version: 1,
      AccessKeyId: PAIR.id,
      SecretAccessKey: PAIR.secret.reveal(),
    });
    expect(after).toEqual({ ...secret, value: after?.value, modified: after?.modified });
    expect(store.store(ACCOUNT).secrets.filter(({ name }) => name !== SECRET_NAME)).toEqual(others);
  });

  test("does not know what is live until Cloudflare is done with it", async () => {
    const { store, destination } = simulate();
    store.statusAfterChange = "pending";
    const receipt = await destination.deliver(PAIR, null);
    expect(await destination.live(receipt)).toBe("unknown");
    const now = store.named(ACCOUNT, SECRET_NAME);
    if (now !== null) Object.assign(now, { status: "active" });
    expect(await destination.live(receipt)).toBe("ours");
  });

  test("says foreign of a secret that was made anew under the same name", async () => {
    const { store, destination } = simulate();
    const receipt = await destination.deliver(PAIR, null);
    store.remove(ACCOUNT, SECRET_NAME);
    store.createSecret(ACCOUNT, { name: SECRET_NAME, value: "theirs" });
    expect(await destination.live(receipt)).toBe("foreign");
  });

  test("is refused to a token for Workers alone, with the right that it wants", async () => {
    const { cloudflare, destination } = simulate();
    cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: ["matchmaking"], status: "active" });
    await expect(destination.preflight()).rejects.toMatchObject({
      code: "Denied",
      message: expect.stringContaining("Secrets Store Write"),
    });
  });

  test("names the store that is not there", async () => {
    const { client } = simulate();
    const destination = createSecretsStoreDestination({ ...SECRETS_STORE_OPTIONS, store: "another" }, client);
    await expect(destination.preflight()).rejects.toMatchObject({
      code: "NotFound",
      message: expect.stringMatching(/another.*not there/),
    });
  });
});

describe("the options of a secret in the store", () => {
  test.for([
    ["an account id of another length", "accountId", { accountId: "0123" }],
    ["a store with a slash", "store", { store: "a/b" }],
    ["a secret with a space", "secret", { secret: "MY KEY" }],
    ["a token kept among the custody secrets", "apiToken", { apiToken: "keyturn/deploy" }],
  ] as const)("refuse %s, and name the field", ([, field, change]) => {
    expect(SecretsStoreOptions.safeParse(SECRETS_STORE_OPTIONS).success).toBe(true);
    const read = SecretsStoreOptions.safeParse({ ...SECRETS_STORE_OPTIONS, ...change });
    expect(read.error?.issues.map(({ path }) => path)).toEqual([[field]]);
  });

  test("refuse a setting that does not exist", () => {
    expect(SecretsStoreOptions.safeParse({ ...SECRETS_STORE_OPTIONS, scopes: ["workers"] }).success).toBe(false);
  });

  test("name the secret, and its slot with the account", () => {
    const { destination } = simulate();
    expect(destination.name).toBe(`cloudflare-secrets-store:default_secrets_store/${SECRET_NAME}`);
    expect(destination.slots).toEqual([`cloudflare-secrets-store:${ACCOUNT}/default_secrets_store/${SECRET_NAME}`]);
  });
});
