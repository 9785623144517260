import type { Cloud } from "../../test/world/cloud.ts";
import type { Cloudflare } from "../../test/world/cloudflare.ts";
import type { SigningPair } from "../../test/world/caller.ts";
import type { SeededSystem } from "../../test/world/five-systems.ts";
import { consumer, pullReader } from "../../test/world/workloads.ts";
import { workers } from "../local-run/seeding.ts";

const DAY_MS = 86_400_000;
/** The laptop is opened every ninth day, and holds what it fetched last until then. */
const LAPTOP_REST_MS = 9 * DAY_MS;

/** Those who need the pair, and know nothing of rotations. */
export interface Consumers {
  /** Everybody who is awake makes a call. */
  work(): void;
  /** What befell them, one line a failed call. */
  failures(): readonly string[];
  calls(): number;
  /** The keys that their newest calls were signed with. */
  latestKeys(): readonly string[];
}

interface Somebody {
  readonly name: string;
  readonly pair: () => SigningPair | null;
  /** Makes ready for the call, as the pulling ones do; null when that went well. */
  readonly prepare: () => string | null;
  readonly restMs: number;
}

/** The system's own consumers: the Worker's live version, or a CI and a laptop that pull. */
export function consumersOf(cloud: Cloud, cloudflare: Cloudflare, system: SeededSystem): Consumers {
  const worker = workers.find(({ profile }) => profile === system.profile);
  const people =
    worker === undefined
      ? [
          pulling(cloud, system, { name: "CI", reader: "nightly-job", restMs: 0 }),
          pulling(cloud, system, { name: "laptop", reader: "command-line", restMs: LAPTOP_REST_MS }),
        ]
      : [{ name: "Worker", pair: () => pairLiveAt(cloudflare, worker), prepare: () => null, restMs: 0 }];
  const failures: string[] = [];
  let calls = 0;
  const hands = people.map((somebody) => {
    const whereabouts = { region: "us-east-1", sourceAddress: "203.0.113.9", userAgent: somebody.name };
    const call = { service: "lambda", operation: "Invoke" };
    const caller = consumer(cloud, { name: somebody.name, ...whereabouts, pair: somebody.pair, call });
    return { somebody, caller, wakesAtMs: 0 };
  });
  return {
    work() {
      for (const hand of hands) {
        const { somebody, caller } = hand;
        const nowMs = cloud.clock.now();
        if (nowMs < hand.wakesAtMs) continue;
        hand.wakesAtMs = nowMs + somebody.restMs;
        const unready = somebody.prepare();
        const { error, keyId } = caller.work();
        calls += 1;
        const at = new Date(nowMs).toISOString();
        if (unready !== null) failures.push(`${at} ${somebody.name} could not read custody: ${unready}`);
        if (error !== null) failures.push(`${at} ${somebody.name} signed with ${keyId ?? "nothing"}: ${error}`);
      }
    },
    failures: () => failures,
    calls: () => calls,
    latestKeys: () => hands.map(({ caller }) => caller.calls.at(-1)?.keyId ?? "none"),
  };
}

function pairLiveAt(cloudflare: Cloudflare, { accountId, worker, secrets }: (typeof workers)[number]): SigningPair {
  const held = cloudflare.live(accountId, worker)[0]?.secrets ?? {};
  return { keyId: held[secrets.accessKeyId] ?? "", secret: held[secrets.secretAccessKey] ?? "" };
}

/** Somebody who fetches the pair from custody with the pair held, before each call. */
function pulling(
  cloud: Cloud,
  system: SeededSystem,
  who: { readonly name: string; readonly reader: string; readonly restMs: number },
): Somebody {
  const reader = pullReader(cloud, {
    name: who.name,
    region: "us-east-1",
    sourceAddress: "203.0.113.10",
    userAgent: `${who.name} app/keyturn-${who.reader}`,
    secretId: `keyturn/${system.user}`,
    first: system.firstPair,
  });
  return {
    ...who,
    pair: () => reader.pair(),
    prepare: () => {
      const pulled = reader.pull();
      return typeof pulled === "string" ? null : pulled.error;
    },
  };
}
