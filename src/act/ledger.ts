import { RotationError } from "../rotation/errors.ts";
import type { UserRecord } from "../rotation/record.ts";
import { minutes, plus } from "../rotation/time.ts";
import type { Lease, Revision, World } from "../rotation/world.ts";

/** Longer than the longest act: proving may take two minutes, and each save starts it anew. */
const LEASE_MS = minutes(5);

/** A user's record, open for writing under our lease. Every save renews the lease, or fails when somebody else has it. */
export interface Ledger {
  record(): UserRecord;
  /** As last read or written. */
  revision(): Revision;
  /** Throws `Conflict` when another run has the lease or wrote the record since it was read. */
  save(change: (record: UserRecord) => UserRecord): Promise<void>;
  /** Saves and gives the lease back. */
  close(change: (record: UserRecord) => UserRecord): Promise<void>;
}

/** Opens the record as last read, with what the observation taught it. Nothing is written before the first save. */
export function openLedger(
  world: Pick<World, "journal" | "clock">,
  read: Revision,
  { record: learnt, holder }: { readonly record: UserRecord; readonly holder: string },
): Ledger {
  let revision = read;
  let record = learnt;

  async function write(next: UserRecord, isClosing: boolean): Promise<void> {
    const now = world.clock.now();
    const lease: Lease | null = isClosing ? null : { user: next.user, holder, until: plus(now, LEASE_MS) };
    const running = revision.lease;
    if (running !== null && running.holder !== holder && running.until > now) {
      throw new RotationError("Conflict", `writing the journal of ${next.user}, another run is at work on this user`);
    }
    revision = await world.journal.write(revision, { record: next, lease, now });
    record = next;
  }

  return {
    record: () => record,
    revision: () => revision,
    save: (change) => write(change(record), false),
    close: (change) => write(change(record), true),
  };
}
