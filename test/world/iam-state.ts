import type { Caller } from "./caller.ts";

/** How late the cloud tells what it knows, in milliseconds. May be changed while the cloud runs. */
export interface Lags {
  /** Until a use shows in GetAccessKeyLastUsed. No number is published; 4 h is the worst reading (IAM User Guide, last used). */
  lastUsedMs: number;
  /** Until an event shows in LookupEvents; about 5 to 15 min, not guaranteed (CloudTrail API). */
  cloudTrailMs: number;
  /** Until a fresh key is known everywhere; 5 to 10 s or more in practice, as Vault documents. */
  propagationMs: number;
  /** Until a deactivated, deleted or reactivated key behaves so; 3 to 4 s, as others measured. */
  deactivationMs: number;
  /** Until a write shows in a replica Region. */
  replicaMs: number;
}

export const DEFAULT_LAGS: Readonly<Lags> = {
  lastUsedMs: 4 * 3_600_000,
  cloudTrailMs: 15 * 60_000,
  propagationMs: 8_000,
  deactivationMs: 4_000,
  replicaMs: 3_000,
};

export interface Use {
  readonly atMs: number;
  readonly service: string;
  readonly region: string;
}

/** An access key. Deleted ones are kept: they work for some seconds, and their last use is asked for. */
export interface SimulatedKey {
  readonly id: string;
  readonly secret: string;
  readonly caller: Caller;
  readonly createdAtMs: number;
  /** When it was made, or its status last changed. */
  changedAtMs: number;
  status: "Active" | "Inactive" | "Expired";
  isDeleted: boolean;
  /** From when on the key works or not, in the order of the changes. */
  readonly changes: { readonly atMs: number; readonly works: boolean }[];
  /** The first use of each 15-minute span, oldest first; those before the last visible one are forgotten. */
  uses: Use[];
}

export interface SimulatedUser {
  readonly name: string;
  readonly id: string;
  readonly arn: string;
  readonly path: string;
  readonly createdAtMs: number;
  /** Key as written, in the order of writing. */
  tags: { readonly Key: string; readonly Value: string }[];
  /** Inline policies by name. */
  readonly inline: Record<string, PolicyDocument>;
  /** ARNs of managed policies. */
  readonly attached: string[];
  readonly groups: string[];
}

/** A policy as JSON. */
export type PolicyDocument = Readonly<Record<string, unknown>>;

export interface SimulatedGroup {
  readonly name: string;
  readonly inline: Record<string, PolicyDocument>;
  readonly attached: string[];
}

const COLLAPSE_MS = 15 * 60_000;

/** Uses within 15 minutes collapse to the first of them (IAM User Guide, last used). */
export function recordUse(key: SimulatedKey, use: Use, visibleUntilMs: number): void {
  const last = key.uses.at(-1);
  if (last !== undefined && use.atMs - last.atMs < COLLAPSE_MS) return;
  key.uses.push(use);
  const visible = key.uses.findIndex(({ atMs }) => atMs > visibleUntilMs) - 1;
  if (visible > 0) key.uses = key.uses.slice(visible);
}

/** Whether the key signs validly at this moment. A change never overtakes an earlier one. */
export function worksAt(key: SimulatedKey, nowMs: number): boolean {
  return key.changes.findLast(({ atMs }) => atMs <= nowMs)?.works ?? false;
}

export function changeAt(key: SimulatedKey, atMs: number, works: boolean): void {
  key.changes.push({ atMs: Math.max(atMs, key.changes.at(-1)?.atMs ?? atMs), works });
}
