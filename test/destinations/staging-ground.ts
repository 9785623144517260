import { expect } from "vitest";
import type { AskHealth } from "../../src/cloud/worker-health.ts";
import { createCloudflareWorker } from "../../src/destinations/cloudflare-worker.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { type AccessKeyId, accessKeyId } from "../../src/rotation/keys.ts";
import { Secret } from "../../src/rotation/secret.ts";
import type { Destination } from "../../src/rotation/world.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import type { Cloudflare, Readings } from "../world/cloudflare.ts";
import {
  ACCOUNT,
  clientFor,
  COUNTING,
  healthOf,
  ID,
  QUICK,
  SECRET,
  simulateWorker,
  WORKER,
  WORKER_OPTIONS,
} from "./worker-under-test.ts";

export const OLD = { id: accessKeyId("AKIAOLDOLDOLDOLDOLD1"), secret: new Secret("old-secret") };
export const NEW = { id: accessKeyId("AKIANEWNEWNEWNEWNEW2"), secret: new Secret("new-secret") };
export const WHOLE = [
  [OLD.id, "old-secret"],
  [NEW.id, "new-secret"],
];
export const BASE = "http://cloudflare.invalid/client/v4";

/** What happens around one call of a run, counted from its first. */
export type Around = (call: number, go: () => Promise<Response>) => Promise<Response>;

const undisturbed: Around = (_, go) => go();

export interface Stage {
  readonly cloudflare: Cloudflare;
  /** One run of Keyturn: the pre-flight, and the delivery. Null when it went through; else what was thrown, or why it is blocked. */
  readonly run: (options?: RunOptions) => Promise<RotationError | string | null>;
}

export interface RunOptions {
  readonly around?: Around;
  readonly ask?: AskHealth;
  /** What custody holds of the pair that is replaced; undefined where nothing is. */
  readonly replaced?: Parameters<Destination["deliver"]>[2];
  /** The user's keys that AWS refuses, as IAM lists them. */
  readonly dead?: readonly AccessKeyId[];
  readonly slept?: number[];
  /** What the destinations of one run share. */
  readonly staging?: Set<string>;
}

const fromCustody = () => Promise.resolve(OLD);
export const madeByHand = () => Promise.resolve(null);

export function setUp(readings: Partial<Readings> = {}): Stage {
  const cloudflare = simulateWorker(readings);
  return {
    cloudflare,
    async run({
      around = undisturbed,
      ask = healthOf(cloudflare),
      replaced = fromCustody,
      dead = [],
      slept = [],
      staging = new Set<string>(),
    } = {}) {
      const send = cloudflareFetch(cloudflare);
      let calls = 0;
      const fetch: typeof globalThis.fetch = (...call) => around((calls += 1), () => send(...call));
      const sleep = (ms: number): Promise<void> => Promise.resolve(void slept.push(ms));
      const clients = {
        cloudflare: clientFor(BASE, { fetch }),
        ask,
        clock: { ...QUICK, sleep },
        random: COUNTING,
        staging,
      };
      const worker = createCloudflareWorker(WORKER_OPTIONS, clients);
      try {
        const preflight = await worker.preflight(NEW.id, dead);
        if (preflight.kind === "blocked") return preflight.because;
        await worker.deliver(NEW, preflight.anchor, replaced);
        return null;
      } catch (error) {
        if (error instanceof RotationError) return error;
        throw error;
      }
    },
  };
}

/** Another user's delivery to other names of the same Worker; its health route tells of its own pair. */
export function secondUser({ cloudflare }: Stage, staging = new Set<string>()) {
  const pair = { id: accessKeyId("AKIATHEIRTHEIRTHEIR4"), secret: new Secret("their-secret") };
  const secrets = { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" };
  const ask: AskHealth = async (about) => {
    const health = await healthOf(cloudflare)(about);
    const version = cloudflare.versions(ACCOUNT, WORKER).find(({ id }) => id === health.versionId);
    return { ...health, keyId: (version?.secrets[secrets.accessKeyId] ?? "NONE").slice(-4) };
  };
  const client = {
    ...clientFor(BASE, { fetch: cloudflareFetch(cloudflare) }),
    secrets: () => Promise.resolve(Object.values(secrets).map((name) => ({ name, type: "secret_text" }))),
  };
  const worker = createCloudflareWorker(
    { ...WORKER_OPTIONS, secrets },
    { cloudflare: client, ask, clock: QUICK, random: COUNTING, staging },
  );
  return async (): Promise<string | null> => {
    try {
      const preflight = await worker.preflight(pair.id);
      if (preflight.kind === "blocked") return preflight.because;
      await worker.deliver(pair, preflight.anchor, madeByHand);
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };
}

export const pairOf = (secrets: Readonly<Record<string, string>> | undefined) => [secrets?.[ID], secrets?.[SECRET]];
export const live = ({ cloudflare }: Stage) => cloudflare.live(ACCOUNT, WORKER);
export const newest = ({ cloudflare }: Stage) => cloudflare.versions(ACCOUNT, WORKER).at(-1);
export const refusing = ({ cloudflare }: Stage): AskHealth => healthOf(cloudflare, [NEW.id]);

/** Every version that ever was holds a pair that belongs together. */
export function expectWhole({ cloudflare }: Stage): void {
  for (const { secrets } of cloudflare.versions(ACCOUNT, WORKER)) expect(WHOLE).toContainEqual(pairOf(secrets));
}

/** The new pair is live, alone, in the newest version. */
export function expectDelivered(stage: Stage): void {
  expectWhole(stage);
  expect(live(stage)).toHaveLength(1);
  expect(live(stage)[0]).toBe(newest(stage));
  expect(pairOf(live(stage)[0]?.secrets)).toEqual(WHOLE[1]);
}

/** The old pair is live, alone; and the newest version holds it, so that nobody's deploy brings the other. */
export function expectPutForward(stage: Stage): void {
  expectWhole(stage);
  expect(live(stage)).toHaveLength(1);
  expect(live(stage)[0]).toBe(newest(stage));
  expect(pairOf(live(stage)[0]?.secrets)).toEqual(WHOLE[0]);
}

/** The process dies around its nth call: it never learns the answer, and sends nothing more. */
export const dyingAt = (at: number, isSent: boolean): Around => {
  const dead = (): Promise<never> => Promise.reject(new TypeError("fetch failed", { cause: { code: "ECONNRESET" } }));
  return async (call, go) => {
    if (call < at) return go();
    if (call === at && isSent) await go();
    return dead();
  };
};

/** How many calls a run makes that nothing befalls. */
export async function callsOf(stage: Stage, options: RunOptions = {}): Promise<number> {
  let calls = 0;
  await stage.run({
    ...options,
    around: (call, go) => {
      calls = call;
      return go();
    },
  });
  return calls;
}
