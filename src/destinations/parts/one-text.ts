import { formatPair } from "../../cloud/custody-content.ts";
import { RotationError } from "../../rotation/errors.ts";
import type { Credential } from "../../rotation/keys.ts";
import type { DestinationFacts } from "../../rotation/observation.ts";
import { Secret } from "../../rotation/secret.ts";
import type { Destination } from "../../rotation/world.ts";

/** How one text looks now. */
export interface Look {
  /** By `markOf`: no other state of the text bears it. */
  readonly mark: string;
  /** What an operator must mend before anything may be written, in words; null for nothing. */
  readonly blocked: string | null;
}

/** A place that holds the pair as one text under one name, and does not show it again. */
export interface OneText {
  /** `NotFound` when there is no such place. */
  look(): Promise<Look>;
  /** Overwrites the text, and never makes the place. Gives the mark that this made; null when it could not be told. */
  write(text: Secret): Promise<string | null>;
}

/** `order` grows with every write; `rest` tells a place that was made anew from the one before it. */
export const markOf = (order: number, rest: string): string => `${String(order)}@${rest}`;

const orderOf = (mark: string): number => Number(mark.split("@", 1)[0]);

/**
 * A destination whose pair is one text, in the format of `credential_process`: it changes whole, so that nobody reads
 * the id of one key and the secret of another. A write of unknown outcome is thrown as it is: the next delivery looks
 * at the mark and writes the same pair again.
 */
export function createOneText(facts: DestinationFacts, text: OneText): Destination {
  const write = (credential: Credential) => text.write(new Secret(formatPair(credential)));
  return createMarked(facts, { look: () => text.look(), write });
}

/** A place that takes the pair whole, and whose states are told apart by a mark alone. */
export interface Marked {
  readonly look: OneText["look"];
  /** Sets the pair. Gives the mark that this made; null when it could not be told. */
  readonly write: (credential: Credential) => Promise<string | null>;
}

export function createMarked(facts: DestinationFacts, place: Marked): Destination {
  const doing = `delivering to ${facts.name}`;
  return {
    ...facts,
    async preflight() {
      const { mark, blocked } = await place.look();
      return blocked === null ? { kind: "ready", anchor: mark } : { kind: "blocked", because: blocked };
    },
    async deliver(credential, anchor) {
      const before = await place.look();
      if (before.blocked !== null) throw new RotationError("Conflict", `${doing}, ${before.blocked}`);
      if (anchor !== null && before.mark !== anchor) {
        throw new RotationError("Conflict", `${doing}, somebody wrote there since the pre-flight`);
      }
      return { anchor: before.mark, version: await place.write(credential) };
    },
    async live(receipt) {
      const { mark, blocked } = await place.look();
      const known = receipt?.version ?? receipt?.anchor ?? null;
      if (receipt === null || known === null || blocked !== null) return "unknown";
      if (mark === receipt.version) return "ours";
      return mark === receipt.anchor || orderOf(mark) < orderOf(known) ? "previous" : "foreign";
    },
  };
}
