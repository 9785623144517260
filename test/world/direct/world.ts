import type { Destinations, Notifier, World } from "../../../src/rotation/world.ts";
import type { CloudAnswer, CloudCall } from "../call.ts";
import type { Cloud } from "../cloud.ts";
import { directAccessKeys, directIdentity, directProver } from "./access-keys.ts";
import { directCustody } from "./custody.ts";
import { directDirectory } from "./directory.ts";
import { directEvidence } from "./evidence.ts";
import { MemoryJournal } from "./journal.ts";
import { directRandom, recordingLog, recordingNotifier } from "./recorders.ts";
import type { RecordingLog, RecordingNotifier } from "./recorders.ts";
import { openSession } from "./session.ts";

export interface DirectOptions {
  /** The deployed stage; null for the default one, whose custody is `keyturn/<user>`. */
  readonly stage?: string | null;
  /** Where custody is, and where we ask what every Region answers. */
  readonly homeRegion?: string;
  /** Made from all other parts of the world. None where it is not said. */
  readonly destinations?: (parts: Omit<DirectWorld, "destinations">) => Destinations;
  readonly seed?: number;
  /** What is left of the run. Fourteen minutes, always, where it is not said. */
  readonly remainingMs?: () => number;
  /** Whether the clock speaks before the first answer. False, as the contract has it. */
  readonly hasHeardAws?: boolean;
  /** The table, which outlives a run. */
  readonly journal?: MemoryJournal;
  /** Beside the one that records. */
  readonly notifiers?: readonly Notifier[];
  /** How each request reaches the cloud. */
  readonly send?: (request: CloudCall) => Promise<CloudAnswer>;
}

/** The World in process: the contracts of `world.ts` upon the simulated cloud, and what was told to people. */
export interface DirectWorld extends World {
  readonly journal: MemoryJournal;
  readonly log: RecordingLog;
  readonly notifier: RecordingNotifier;
}

const NO_DESTINATIONS: Destinations = { of: () => [] };
const FOURTEEN_MINUTES_MS = 14 * 60_000;

/** The World of one run, under the cloud's role. Runs share a journal by passing it on. */
export function directWorld(cloud: Cloud, options: DirectOptions = {}): DirectWorld {
  const session = openSession({
    cloud,
    homeRegion: options.homeRegion ?? "us-east-1",
    remainingMs: options.remainingMs ?? (() => FOURTEEN_MINUTES_MS),
    hasHeardAws: options.hasHeardAws ?? false,
    ...(options.send === undefined ? {} : { send: options.send }),
  });
  const stage = options.stage ?? null;
  const prefix = stage === null ? "keyturn/" : `keyturn-${stage}/`;
  const random = directRandom(options.seed ?? 1);
  const identity = directIdentity(session);
  const notifier = recordingNotifier();
  const parts = {
    identity,
    directory: directDirectory(session),
    accessKeys: directAccessKeys(session),
    custody: directCustody(session, random, prefix),
    prover: directProver(session),
    evidence: directEvidence(session, identity, (user) => prefix + user),
    journal: options.journal ?? new MemoryJournal(),
    notifiers: [notifier, ...(options.notifiers ?? [])],
    notifier,
    clock: session.clock,
    random,
    log: recordingLog(),
  };
  return { ...parts, destinations: options.destinations?.(parts) ?? NO_DESTINATIONS };
}
