import type { AccessKeyId } from "./keys.ts";
import type { Instant } from "./time.ts";

/** Who says that a key is exposed: an operator's word, AWS Health, a quarantine policy, or that it may have been read. */
export type ExposedBy = "revoke" | "health" | "quarantine" | "custody";

export interface Exposure {
  readonly keyId: AccessKeyId;
  readonly at: Instant;
  readonly by: ExposedBy;
}

/** The quarantine policies that were last seen on the user, in one spelling, and when they were attached. */
export interface Quarantine {
  readonly at: Instant;
  /** Names in order, parted by spaces; empty once none is attached any more. */
  readonly policies: string;
}

/** What the tags of a custody secret say. They outlive the journal, and are read where the pairs cannot be. */
export interface CustodyNotes {
  readonly exposures: readonly Exposure[];
  readonly quarantine: Quarantine | null;
  /** Which resource policy it was last given, as `spellGuard` names it; null where none. */
  readonly guard: string | null;
  /** Not even custody's tags could be read: what is on record is not known. */
  readonly isUnread?: true;
}

export const NO_NOTES: CustodyNotes = { exposures: [], quarantine: null, guard: null };

/** Whom custody is kept from: the user itself, or only its sessions where it fetches its pair there. */
export interface Guard {
  readonly userArn: string;
  readonly isReader: boolean;
}

const TAG_VALUE_MAX = 256;

/** A guard as a tag's value. Source: Secrets Manager API, Tag (Value), and the letters that tags may have. */
export function spellGuard({ userArn, isReader }: Guard): string {
  const spelled = `${isReader ? "reader" : "closed"} ${userArn}`.replaceAll(/[^\w .:/=+\-@]/g, "_");
  return spelled.length <= TAG_VALUE_MAX ? spelled : spelled.slice(0, 128) + spelled.slice(-128);
}
