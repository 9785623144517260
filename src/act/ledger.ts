import { RotationError } from "../rotation/errors.ts";
import type { UserName } from "../rotation/keys.ts";
import type { UserRecord } from "../rotation/record.ts";
import { minutes, plus } from "../rotation/time.ts";
import type { HistoryEntry, Lease, NextRevision, Revision, World } from "../rotation/world.ts";

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

interface OpenedRecord {
  /** With what the observation taught it. */
  readonly record: UserRecord;
  /** The name of this run. */
  readonly holder: string;
}

type Needs = Pick<World, "journal" | "clock">;

/** Opens the record as last read. Nothing is written before the first save. */
export function openLedger(world: Needs, read: Revision, opened: OpenedRecord): Ledger {
  const pen = takePen(world, read, opened.holder);
  let { record } = opened;
  let lines: readonly HistoryEntry[] = [];

  const stage: Ledger["stage"] = (change, ...more) => {
    record = change(record);
    lines = [...lines, ...more];
  };
  const write = async (isClosing: boolean): Promise<void> => {
    lines = lines.slice(await pen.catchUp(record));
    await pen.write({ record, history: lines }, isClosing);
    lines = [];
  };
  return {
    stage,
    record: () => record,
    revision: () => ({ ...pen.revision(), record }),
    isLost: pen.isLost,
    isHeld: pen.isHeld,
    async save(change, ...more) {
      stage(change, ...more);
      await write(false);
    },
    async close(change, isUnderWay = false) {
      stage(change);
      const isSame = pen.isSure() && lines.length === 0 && isEqual(record, pen.revision().record);
      if (!isSame || pen.revision().lease?.holder === opened.holder) await write(!isUnderWay);
    },
  };
}

/** The one who writes an item under a lease: what is on record, and whether that is known. */
function takePen(world: Needs, read: Revision, holder: string) {
  let revision = read;
  /** How many lines went out with a write of unknown outcome; null when there is none such. */
  let unheard: number | null = null;
  let isLost = false;

  const lose = (user: UserName): RotationError => {
    isLost = true;
    return new RotationError("Conflict", `writing the journal of ${user}, another run is at work on this user`);
  };
  const isOurs = (found: Revision): boolean => found.number === revision.number + 1 && found.lease?.holder === holder;

  return {
    revision: () => revision,
    isLost: () => isLost,
    isSure: () => unheard === null,
    isHeld: () =>
      unheard === null &&
      revision.lease?.holder === holder &&
      revision.lease.until - world.clock.now() >= LEASE_LEFT_MIN_MS,
    /** After a write of unknown outcome: it was made, or it was not, or somebody else has written. Gives the lines made. */
    async catchUp({ user }: UserRecord): Promise<number> {
      if (unheard === null) return 0;
      const found = await world.journal.read(user);
      const made = isOurs(found) ? unheard : 0;
      if (!isOurs(found) && found.number !== revision.number) throw lose(user);
      revision = found;
      unheard = null;
      return made;
    },
    async write(next: Pick<NextRevision, "record" | "history">, isClosing: boolean): Promise<void> {
      const { user } = next.record;
      const now = world.clock.now();
      const lease: Lease | null = isClosing ? null : { user, holder, until: plus(now, LEASE_MS) };
      const running = revision.lease;
      if (running !== null && running.holder !== holder && running.until > now) throw lose(user);
      unheard = next.history.length;
      try {
        revision = await world.journal.write(revision, { ...next, lease, now });
      } catch (error) {
        if (!(error instanceof RotationError) || error.code !== "Conflict") throw error;
        // A client that repeats a write whose answer was lost meets its own; any other conflict is somebody else's.
        const found = await world.journal.read(user);
        if (!isOurs(found) || !isEqual(found.record, next.record)) throw lose(user);
        revision = found;
      }
      unheard = null;
    },
  };
}

/** Plain JSON, member by member: most of them are the very same objects. */
function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!isObject(one) || !isObject(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => isEqual(one[name], other[name]));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
