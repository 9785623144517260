import { RotationError } from "../../src/rotation/errors.ts";
import type { LiveState } from "../../src/rotation/observation.ts";
import type { Destination } from "../../src/rotation/world.ts";
import type { SigningPair } from "./caller.ts";

/** An atomic destination in memory: versions that each hold a pair, the last deployed one live. */
export interface MemoryDestination extends Destination {
  /** The pair that its consumer signs with now. */
  readonly pair: () => SigningPair;
  /** Somebody deploys: a new version with the same pair. */
  deployByOthers(): void;
  /** Somebody rolls back to an earlier version, with the pair that it had. */
  rollBackTo(version: string): void;
  /** Whether an older version than the newest is live. */
  readonly isRolledBack: () => boolean;
  /** The newest version that holds a key and is not live; null where there is none. */
  readonly versionWith: (keyId: string) => string | null;
  /** The version that is live. */
  readonly liveVersion: () => string;
  /** Somebody sets another pair by hand, which deploys a version that holds it. */
  setByHand(pair: SigningPair): void;
  /** How many versions there ever were: the newest is "v" and this number. */
  versions(): number;
  blockedBecause: string | null;
  /** The next deliveries fail so: without an effect, or with one that we never hear of. */
  failing: "before" | "after" | null;
  /** Nobody knows a target of this name. */
  isMissing: boolean;
  /** Deliveries say that they were done, and the version that they make holds the pair that was live before. */
  losesPushes: boolean;
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
  const absent = (): RotationError => new RotationError("NotFound", `delivering to ${name}, there is no such target`);

  const destination: MemoryDestination = {
    name,
    slots: [name],
    readsCustody: false,
    blockedBecause: null,
    failing: null,
    isMissing: false,
    losesPushes: false,
    deliveries: [],
    pair: () => pairAt(live),
    deployByOthers: () => {
      deploy(pairAt(live));
    },
    rollBackTo: (version) => {
      live = Number(version.slice(1)) - 1;
    },
    isRolledBack: () => live < versions.length - 1,
    versionWith: (keyId) => {
      const found = versions.findLastIndex((pair, index) => pair.keyId === keyId && index !== live);
      return found < 0 ? null : versionOf(found);
    },
    liveVersion: () => versionOf(live),
    setByHand: deploy,
    versions: () => versions.length,
    preflight: async () => {
      await Promise.resolve();
      if (destination.isMissing) throw absent();
      if (destination.blockedBecause !== null) return { kind: "blocked", because: destination.blockedBecause };
      return { kind: "ready", anchor: versionOf(live) };
    },
    deliver: async (credential, anchor) => {
      await Promise.resolve();
      if (destination.failing === "before") throw unheard();
      deploy(destination.losesPushes ? pairAt(live) : { keyId: credential.id, secret: credential.secret.reveal() });
      destination.deliveries.push(credential.id);
      if (destination.failing === "after") throw unheard();
      return { version: versionOf(live), anchor };
    },
    live: async (receipt): Promise<LiveState> => {
      await Promise.resolve();
      if (receipt === null) return "unknown";
      if (receipt.version === versionOf(live)) return "ours";
      // What was live before our delivery, or is older still, brings an older pair back.
      const anchor = Number(receipt.anchor?.slice(1) ?? 0);
      return live + 1 <= anchor ? "previous" : "foreign";
    },
  };
  return destination;
}
