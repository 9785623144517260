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
export interface OneText extends Pick<Marked, "look"> {
  /** Overwrites the text, and never makes the place. Gives the mark that this made; null when it could not be told. */
  write(text: Secret): Promise<string | null>;
}

/** A place whose states bear marks, however it holds the pair. */
export interface Marked {
  /** `NotFound` when there is no such place. */
  look(): Promise<Look>;
  /** As `OneText` has it, of a pair. */
  write(pair: Credential): Promise<string | null>;
}

/** `order` grows with every write; `rest` tells a place that was made anew from the one before it. */
export const markOf = (order: number, rest: string): string => `${String(order)}@${rest}`;

const orderOf = (mark: string): number => Number(mark.split("@", 1)[0]);

/**
 * A destination whose pair is one text, in the format of `credential_process`: it changes whole, so that nobody reads
 * the id of one key and the secret of another.
 */
export function createOneText(facts: DestinationFacts, text: OneText): Destination {
  return createMarked(facts, { look: text.look, write: (pair) => text.write(new Secret(formatPair(pair))) });
}

/**
 * A destination that is known by its marks. A write of unknown outcome is thrown as it is: the next delivery looks at the
 * mark and writes the same pair again.
 */
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
