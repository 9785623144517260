import CloudflareSdk from "cloudflare";
import { expect, test } from "vitest";
import { createSecretsStoreDestination } from "../../src/destinations/cloudflare-secrets-store.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { destinationContract } from "../contracts/destination-contract.ts";
import {
  SECRET_NAME,
  SECRETS_STORE_OPTIONS,
  secretsStoreAt,
  secretsStoreUnderTest,
  simulateStore,
} from "../destinations/secrets-store-under-test.ts";
import { ACCOUNT, TOKEN } from "../destinations/worker-under-test.ts";
import { startCloudflareApi } from "../world/wire/cloudflare-handler.ts";

destinationContract("cloudflare-secrets-store, over HTTP,", async () => {
  const simulated = simulateStore();
  const api = await startCloudflareApi(simulated.cloudflare);
  return secretsStoreUnderTest(simulated, secretsStoreAt(api.baseUrl), () => api.close());
});

test("the simulated store serves Cloudflare's own SDK, and shows it no value", async () => {
  const { cloudflare, store } = simulateStore();
  const api = await startCloudflareApi(cloudflare);
  const client = new CloudflareSdk({ apiToken: TOKEN, baseURL: api.baseUrl, maxRetries: 0 });
  const [where] = (await client.secretsStore.stores.list({ account_id: ACCOUNT })).result;
  const secrets = client.secretsStore.stores.secrets;
  const place = { account_id: ACCOUNT, store_id: where?.id ?? "" };
  const second = await secrets.list(place.store_id, { account_id: ACCOUNT, page: 2 });
  const listed = second.result.find(({ name }) => name === SECRET_NAME);
  expect(listed).toMatchObject({ status: "active", scopes: ["workers"], store_id: place.store_id });
  expect(Object.keys(listed ?? {})).not.toContain("value");
  const edited = await secrets.edit(listed?.id ?? "", { ...place, value: "by the SDK" });
  expect(edited.modified > (listed?.modified ?? "")).toBe(true);
  expect(store.named(ACCOUNT, SECRET_NAME)?.value).toBe("by the SDK");
  await expect(secrets.edit("0", { ...place, value: "x" })).rejects.toMatchObject({ status: 404 });
  await api.close();
});

test("a change by Cloudflare's own SDK is foreign to a delivery of ours", async () => {
  const { cloudflare, store } = simulateStore();
  const api = await startCloudflareApi(cloudflare);
  const destination = createSecretsStoreDestination(SECRETS_STORE_OPTIONS, secretsStoreAt(api.baseUrl));
  const pair = { id: accessKeyId("AKIANEWNEWNEWNEWNEW1"), secret: new Secret("new+secret/") };
  const receipt = await destination.deliver(pair, null);
  const { id: store_id } = store.store(ACCOUNT);
  const client = new CloudflareSdk({ apiToken: TOKEN, baseURL: api.baseUrl, maxRetries: 0 });
  const id = store.named(ACCOUNT, SECRET_NAME)?.id ?? "";
  await client.secretsStore.stores.secrets.edit(id, { account_id: ACCOUNT, store_id, value: "theirs" });
  expect(await destination.live(receipt)).toBe("foreign");
  await api.close();
});
