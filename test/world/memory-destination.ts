import { RotationError } from "../../src/rotation/errors.ts";
import type { LiveState } from "../../src/rotation/observation.ts";
import type { Destination } from "../../src/rotation/world.ts";
import type { SigningPair } from "./caller.ts";

/** An atomic destination in memory: versions that each hold a pair, the last deployed one live. */
export interface MemoryDestination extends Destination {
  /** The pair that its consumer signs with now. */
  pair(): SigningPair;
  /** Somebody deploys: a new version with the same pair. */
  deployByOthers(): void;
  /** Somebody rolls back to an earlier version, with the pair that it had. */
  rollBackTo(version: string): void;
  blockedBecause: string | null;
  /** The next deliveries fail so: without an effect, or with one that we never hear of. */
  failing: "before" | "after" | null;
  readonly deliveries: string[];
}

export function memoryDestination(name: string, first: SigningPair): MemoryDestination {
  const versions = [first];
  let live = 0;
  const versionOf = (index: number): string => `v${String(index + 1)}`;
  const deploy = (pair: SigningPair): void => {
    versions.push(pair);
    live = versions.length - 1;
  };
  const pairAt = (index: number): SigningPair => versions[index] ?? first;
  const unheard = (): RotationError =>
    new RotationError("Unreachable", `delivering to ${name}, no answer came`, { outcomeUnknown: true });

  const destination: MemoryDestination = {
    name,
    slots: [name],
    readsCustody: false,
    isAtomic: true,
    blockedBecause: null,
    failing: null,
    deliveries: [],
    pair: () => pairAt(live),
    deployByOthers: () => {
      deploy(pairAt(live));
    },
    rollBackTo: (version) => {
      live = Number(version.slice(1)) - 1;
    },
    preflight: async () => {
      await Promise.resolve();
      if (destination.blockedBecause !== null) return { kind: "blocked", because: destination.blockedBecause };
      return { kind: "ready", anchor: versionOf(live) };
    },
    deliver: async (credential, anchor) => {
      await Promise.resolve();
      if (destination.failing === "before") throw unheard();
      deploy({ keyId: credential.id, secret: credential.secret.reveal() });
      destination.deliveries.push(credential.id);
      if (destination.failing === "after") throw unheard();
      return { version: versionOf(live), anchor };
    },
    live: async (receipt): Promise<LiveState> => {
      await Promise.resolve();
      if (receipt?.version === versionOf(live)) return "ours";
      return receipt?.anchor === versionOf(live) ? "previous" : "foreign";
    },
  };
  return destination;
}
