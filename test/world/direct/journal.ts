import { RotationError } from "../../../src/rotation/errors.ts";
import type { UserName } from "../../../src/rotation/keys.ts";
import type { UserRecord } from "../../../src/rotation/record.ts";
import type { Instant } from "../../../src/rotation/time.ts";
import type {
  HistoryEntry,
  Journal,
  Lease,
  Pause,
  Revision,
  SweepMemory,
  SweepState,
} from "../../../src/rotation/world.ts";

/** An item as a table keeps it: text, so that nothing but plain JSON survives. */
interface Item {
  /** Parsed once, and never changed by anybody. */
  known?: UserRecord;
  readonly record: string;
  readonly number: number;
  readonly lease: Lease | null;
}

function parsed(user: UserName, text: string): UserRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RotationError("Misconfigured", `reading the journal of ${user}, not JSON`, { cause });
  }
  if (typeof value !== "object" || value === null || (value as { v?: unknown }).v !== 1) {
    throw new RotationError("Misconfigured", `reading the journal of ${user}, unknown version`);
  }
  // Records of before there was rest do not have it.
  return { ...(value as UserRecord), rest: (value as Partial<UserRecord>).rest ?? null };
}

const NO_MEMORY: SweepMemory = { left: [], awake: null, custodyListedAt: null };

/** The journal's table, kept in memory with the same conditions. */
export class MemoryJournal implements Journal {
  #items = new Map<UserName, Item>();
  #history: HistoryEntry[] = [];
  #runningSince: Instant | null = null;
  #pause: Pause | null = null;
  #memory: SweepMemory = NO_MEMORY;
  #calls: number | null = null;
  readonly #isTrusting: boolean;

  /** Trusting, it takes plain JSON to be plain JSON, and keeps what it was given: for the many lives that nobody reads. */
  constructor({ isTrusting = false }: { readonly isTrusting?: boolean } = {}) {
    this.#isTrusting = isTrusting;
  }

  /** Loses the table. */
  wipe(): void {
    this.#items = new Map();
    this.#history = [];
    this.#runningSince = null;
    this.#pause = null;
    this.#memory = NO_MEMORY;
    this.#calls = null;
  }

  /** Puts anything in the place of a record. */
  corrupt(user: UserName, record: string): void {
    const item = this.#items.get(user);
    this.#items.set(user, { record, number: (item?.number ?? 0) + 1, lease: item?.lease ?? null });
  }

  async read(user: UserName): Promise<Revision> {
    await Promise.resolve();
    const item = this.#items.get(user);
    if (item === undefined) return { record: null, number: 0, lease: null };
    item.known ??= parsed(user, item.record);
    return { record: item.known, number: item.number, lease: item.lease };
  }

  async write(
    revision: Revision,
    next: {
      readonly record: UserRecord;
      readonly lease: Lease | null;
      readonly now: Instant;
      readonly history: readonly HistoryEntry[];
    },
  ): Promise<Revision> {
    await Promise.resolve();
    const user = next.record.user;
    const item = this.#items.get(user);
    if ((item?.number ?? 0) !== revision.number) {
      throw new RotationError("Conflict", `writing the journal of ${user}, it has changed since`);
    }
    // Whose lease we hold is what the revision says: to give it back, `next.lease` is null.
    const holder = next.lease?.holder ?? revision.lease?.holder ?? null;
    const running = item?.lease ?? null;
    if (running !== null && running.until > next.now && running.holder !== holder) {
      throw new RotationError("Conflict", `writing the journal of ${user}, another run holds it`);
    }
    const { record, lease, history } = next;
    const written: Item = {
      record: this.#isTrusting ? "" : JSON.stringify(record),
      number: revision.number + 1,
      lease,
    };
    if (this.#isTrusting) written.known = record;
    this.#items.set(user, written);
    this.#history.push(...(this.#isTrusting ? history : (JSON.parse(JSON.stringify(history)) as HistoryEntry[])));
    written.known ??= parsed(user, written.record);
    return { record: written.known, number: written.number, lease };
  }

  async readMany(users: readonly UserName[]): Promise<ReadonlyMap<UserName, Revision>> {
    const found = new Map<UserName, Revision>();
    for (const user of users) {
      const revision = await this.read(user).catch(() => null);
      if (revision !== null) found.set(user, revision);
    }
    return found;
  }

  async history(user: UserName): Promise<readonly HistoryEntry[]> {
    await Promise.resolve();
    return this.#history.filter((entry) => entry.user === user);
  }

  async sweepState(): Promise<SweepState> {
    await Promise.resolve();
    const pause = this.#runningSince === null ? this.#pause : null;
    return { runningSince: this.#runningSince, pause, ...this.#memory, calls: this.#calls ?? 0 };
  }

  async setRunning(since: Instant | null): Promise<void> {
    // What comes right after this call, without waiting for it, comes after its effect.
    this.#runningSince = since;
    this.#pause = null;
    await Promise.resolve();
  }

  async setPause(pause: Pause): Promise<void> {
    await Promise.resolve();
    this.#runningSince = null;
    this.#pause = { ...pause };
  }

  async notePause(pause: Pause): Promise<void> {
    await Promise.resolve();
    this.#pause = { ...pause };
  }

  async setMemory(memory: SweepMemory, { read, now }: { readonly read: number; readonly now: number }): Promise<void> {
    await Promise.resolve();
    if (this.#calls !== null && this.#calls !== read) {
      throw new RotationError("Conflict", "writing what the next sweep is to know, it has changed since");
    }
    this.#memory = this.#isTrusting ? memory : (JSON.parse(JSON.stringify(memory)) as SweepMemory);
    this.#calls = now;
  }
}
