import { createSecretsStore, type SecretsStoreClient } from "../../src/cloud/cloudflare-secrets-store.ts";
import type { CloudflareOptions } from "../../src/cloud/cloudflare.ts";
import {
  createSecretsStoreDestination,
  type SecretsStoreOptions,
} from "../../src/destinations/cloudflare-secrets-store.ts";
import type { DestinationUnderTest } from "../contracts/destination-contract.ts";
import { Cloudflare } from "../world/cloudflare.ts";
import { SecretsStore } from "../world/secrets-store.ts";
import { ACCOUNT, AT_ONCE, TOKEN } from "./worker-under-test.ts";

export const SECRET_NAME = "MATCHMAKING_AWS_KEY";

export const SECRETS_STORE_OPTIONS: SecretsStoreOptions = {
  kind: "cloudflare-secrets-store",
  accountId: ACCOUNT,
  store: "default_secrets_store",
  secret: SECRET_NAME,
  apiToken: "cloudflare/secrets-store",
};

const OLD = JSON.stringify({ Version: 1, AccessKeyId: "AKIAOLDOLDOLDOLDOLD1", SecretAccessKey: "old-secret" });

export interface SimulatedStore {
  readonly cloudflare: Cloudflare;
  readonly store: SecretsStore;
}

/** A store with a secret that holds an old pair, after more others than a page holds, and a token that may edit it. */
export function simulateStore(): SimulatedStore {
  const clock = { now: () => 1_800_000_000_000 };
  const cloudflare = new Cloudflare(clock);
  const store = new SecretsStore(clock);
  cloudflare.secretsStore = store;
  cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: null, status: "active" });
  store.createStore(ACCOUNT, SECRETS_STORE_OPTIONS.store);
  for (let made = 1; made <= 25; made += 1) {
    store.createSecret(ACCOUNT, { name: `OTHER_${String(made)}`, value: "theirs" });
  }
  store.createSecret(ACCOUNT, { name: SECRET_NAME, value: OLD });
  return { cloudflare, store };
}

/** The client that the rotator uses, with waits that end at once. */
export function secretsStoreAt(
  baseUrl: string,
  more: Partial<Pick<CloudflareOptions, "fetch" | "readToken">> = {},
): SecretsStoreClient {
  return createSecretsStore({
    baseUrl,
    ...AT_ONCE,
    ...more,
  });
}

/** A secret of the store as the destination contract wants it. */
export function secretsStoreUnderTest(
  { cloudflare, store }: SimulatedStore,
  client: SecretsStoreClient,
  close: () => Promise<void> = () => Promise.resolve(),
): DestinationUnderTest {
  const current = () => store.named(ACCOUNT, SECRET_NAME);
  const change = (changed: Parameters<SecretsStore["change"]>[2]): void => {
    store.change(ACCOUNT, current()?.id ?? "", changed);
  };
  return {
    destination: createSecretsStoreDestination(SECRETS_STORE_OPTIONS, client),
    pair() {
      const { AccessKeyId = "", SecretAccessKey = "" } = JSON.parse(current()?.value ?? "{}") as Record<string, string>;
      return { id: AccessKeyId, secret: SecretAccessKey };
    },
    happenings: {
      tokenIsRefused: () => cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: null, status: "disabled" }),
      targetIsAbsent: () => store.remove(ACCOUNT, SECRET_NAME),
      somebodyDeploys: () => change({ value: "{}" }),
      previousIsBroughtBack: () => change({ value: OLD }),
      answerIsLost: () => void cloudflare.faults.push({ on: "write", kind: "lost", hasEffect: true }),
      writeFails: () => void cloudflare.faults.push({ on: "write", kind: "failed", status: 503, hasEffect: false }),
    },
    previousLooks: "foreign",
    blocks: {
      "a change that is under way": {
        arrange: () => change({ status: "pending" }),
        words: /not done with the last change.*Wait/,
      },
      "a deleted secret that is still listed": {
        arrange: () => change({ status: "deleted" }),
        words: /the secret is deleted\. Make it anew/,
      },
      "a secret that no Worker may read": {
        arrange: () => change({ scopes: ["ai_gateway"] }),
        words: /Give it the scope workers/,
      },
    },
    exists: () => current() !== null,
    close,
  };
}
