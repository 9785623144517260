import type { Decision } from "../../src/rotation/decision.ts";
import type { LiveState } from "../../src/rotation/observation.ts";
import type { HistoryEntry } from "../../src/rotation/world.ts";
import type { UserRecord } from "../../src/rotation/record.ts";
import type { Notice } from "../../src/rotation/notice.ts";
import type { SweepResult } from "../../src/sweep.ts";
import type { CloudAnswer } from "../world/call.ts";
import type { SigningPair } from "../world/caller.ts";
import type { Run } from "./run.ts";
import type { SimulatedSubject } from "./stage.ts";

/** What was so when a request was sent: it may arrive late, and its run have looked again meanwhile. */
export interface Sent {
  /** Somebody had meddled with the user since its run looked at the keys, at the tags, at the policies. */
  readonly wasRaced: boolean;
  readonly wasRetagged: boolean;
  readonly wasRegranted: boolean;
  /** There was a leak to be dealt with. */
  readonly wasUrgent: boolean;
  /** An operator had revoked a key, which was not cut yet. */
  readonly wasRevoked: boolean;
  readonly atMs: number;
}

/** One request of Keyturn's to AWS. */
export interface CallEvent {
  readonly name: string;
  readonly run: Run;
  readonly user: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The pair it was signed with; the role's, but for probes. */
  readonly signerId: string;
  readonly region: string;
  /** Of a change, as it was sent. */
  readonly sent: Sent;
  /** Null before it was served. */
  readonly answer: CloudAnswer | null;
  /** Whether it is an earlier answer, given once more. */
  readonly isStale: boolean;
  /** False for what was served, and its answer lost. */
  readonly isHeard: boolean;
}

/** One delivery of Keyturn's, just before it takes effect. */
interface DeliveryEvent {
  readonly run: Run;
  readonly subject: SimulatedSubject;
  readonly destination: string;
  readonly pair: SigningPair;
  /** Somebody took its key while the request was under way. */
  readonly isOvertaken: boolean;
  readonly sent: Sent;
}

/** What a sweep gave; null results are runs that died or could not run at all. */
export interface SweptEvent {
  readonly runs: readonly { readonly run: Run; readonly result: SweepResult | null }[];
}

/** Watches the world itself, and never asks Keyturn what it thinks. */
export interface Checker {
  readonly invariant: string;
  /** A call that changes something, before it does. */
  readonly before?: (event: CallEvent) => void;
  /** What a run decided, before it does it. */
  readonly decided?: (run: Run, user: string, decision: Decision) => void;
  /** Any call that was served. */
  readonly after?: (event: CallEvent) => void;
  readonly delivering?: (event: DeliveryEvent) => void;
  /** What a destination has live was told. */
  readonly sawLive?: (event: { readonly run: Run; readonly destination: string; readonly state: LiveState }) => void;
  readonly appended?: (run: Run, entry: HistoryEntry) => void;
  readonly wrote?: (run: Run, record: UserRecord) => void;
  readonly noticed?: (run: Run, notices: readonly Notice[]) => void;
  readonly swept?: (event: SweptEvent) => void;
  readonly ended?: () => Promise<void>;
}
