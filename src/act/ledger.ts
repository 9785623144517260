import { RotationError } from "../rotation/errors.ts";
import type { UserRecord } from "../rotation/record.ts";
import { minutes, plus } from "../rotation/time.ts";
import type { HistoryEntry, Lease, Revision, World } from "../rotation/world.ts";

/** Longer than the longest act: proving may take two minutes, and each save starts it anew. */
const LEASE_MS = minutes(5);
/** With this much of it left, an act may begin without another write: nobody else can have the user meanwhile. */
const LEASE_LEFT_MIN_MS = minutes(4);

/** A user's record, open for one run. Every save renews our lease, or fails when somebody else has the user. */
export interface Ledger {
  record(): UserRecord;
  /** As last written, with what was staged since: what an observation rests on. */
  revision(): Revision;
  /** Whether our lease is on record and outlasts any act that begins now. */
  isHeld(): boolean;
  /** Another run has the user: nothing more may be done. */
  isLost(): boolean;
  /** Changes the record, and adds lines to the history, to be written with the next save. */
  stage(change: (record: UserRecord) => UserRecord, ...lines: readonly HistoryEntry[]): void;
  /** Writes what was staged, and this. Throws `Conflict` when another run has the lease or wrote the record. */
  save(change: (record: UserRecord) => UserRecord, ...lines: readonly HistoryEntry[]): Promise<void>;
  /**
   * Saves and gives the lease back; or lets it run out, where a call of ours may still be under way. Writes nothing where
   * there is nothing new and no lease of ours.
   */
  close(change: (record: UserRecord) => UserRecord, isUnderWay?: boolean): Promise<void>;
}

/** Opens the record as last read. Nothing is written before the first save. */
export function openLedger(world: Pick<World, "journal" | "clock">, read: Revision, opened: OpenedRecord): Ledger {
  const { holder } = opened;
  let { record } = opened;
  let revision = read;
  let lines: readonly HistoryEntry[] = [];
  /** How many of the lines went out with the last write. */
  let sent = 0;
  let isUnsure = false;
  let isLost = false;

  function lose(): RotationError {
    isLost = true;
    return new RotationError("Conflict", `writing the journal of ${record.user}, another run is at work on this user`);
  }

  /** After a write of unknown outcome: it was made, or it was not, or somebody else has written. */
  async function catchUp(): Promise<void> {
    const found = await world.journal.read(record.user);
    const isWritten = found.number === revision.number + 1 && found.lease?.holder === holder;
    if (!isWritten && found.number !== revision.number) throw lose();
    if (isWritten) lines = lines.slice(sent);
    revision = found;
  }

  /** A client that repeats a write whose answer was lost meets its own; any other conflict is somebody else's. */
  async function meetOwn(): Promise<Revision> {
    const found = await world.journal.read(record.user);
    const isOurs = found.number === revision.number + 1 && found.lease?.holder === holder;
    if (!isOurs || JSON.stringify(found.record) !== JSON.stringify(record)) throw lose();
    return found;
  }

  async function write(isClosing: boolean): Promise<void> {
    if (isUnsure) await catchUp();
    const now = world.clock.now();
    const lease: Lease | null = isClosing ? null : { user: record.user, holder, until: plus(now, LEASE_MS) };
    const running = revision.lease;
    if (running !== null && running.holder !== holder && running.until > now) throw lose();
    isUnsure = true;
    sent = lines.length;
    try {
      revision = await world.journal.write(revision, { record, lease, now, history: lines });
    } catch (error) {
      if (!(error instanceof RotationError) || error.code !== "Conflict") throw error;
      revision = await meetOwn();
    }
    isUnsure = false;
    lines = [];
  }

  const stage: Ledger["stage"] = (change, ...more) => {
    record = change(record);
    lines = [...lines, ...more];
  };
  return {
    stage,
    record: () => record,
    revision: () => ({ ...revision, record }),
    isLost: () => isLost,
    isHeld() {
      const { lease } = revision;
      return !isUnsure && lease?.holder === holder && lease.until - world.clock.now() >= LEASE_LEFT_MIN_MS;
    },
    async save(change, ...more) {
      stage(change, ...more);
      await write(false);
    },
    async close(change, isUnderWay = false) {
      stage(change);
      const isSame = !isUnsure && lines.length === 0 && JSON.stringify(record) === JSON.stringify(revision.record);
      if (!isSame || revision.lease?.holder === holder) await write(!isUnderWay);
    },
  };
}

interface OpenedRecord {
  /** With what the observation taught it. */
  readonly record: UserRecord;
  /** The name of this run. */
  readonly holder: string;
}
