import { unexplainedRead } from "../../../src/decide/quiet.ts";
import { createEvidenceSources } from "../../../src/observe/evidence/index.ts";
import type { Turn } from "../../../src/report/notices.ts";
import { reconcile } from "../../../src/reconcile.ts";
import { accessKeyId } from "../../../src/rotation/keys.ts";
import type { Profile } from "../../../src/rotation/policy.ts";
import type { KeyRecord } from "../../../src/rotation/record.ts";
import { describeMs, hours, instant } from "../../../src/rotation/time.ts";
import type { World } from "../../../src/rotation/world.ts";
import { directWorld } from "../../world/direct/world.ts";
import { count } from "../coverage.ts";
import type { Coverage } from "../coverage.ts";
import { diceOf } from "../dice.ts";
import type { Violation } from "../stage.ts";
import { traceOf } from "../trace.ts";
import type { Trace } from "../trace.ts";
import { castSigners, REGIONS } from "./cast.ts";
import { evidenceClients, REQUEST_MS, RUN_MS } from "./clients.ts";
import { tellCase } from "./describe.ts";
import { drawTimes, layGround } from "./ground.ts";
import type { Ground } from "./ground.ts";
import { nextSweepMs } from "./leap.ts";
import type { Leaping } from "./leap.ts";
import { drawProfile } from "./policies.ts";
import { drawSweeps, HORIZON_MS } from "./sweeps.ts";
import { tapeOf } from "./tape.ts";
import { causeOf, countDelay } from "./tally.ts";
import type { Delay } from "./tally.ts";
import { drawTroubles } from "./troubles.ts";
import { judgeDeactivation, leastMs } from "./verdict.ts";
import type { Judging, Verdict } from "./verdict.ts";

/** What became of one retirement. */
export interface Retired {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly trace: readonly string[];
  readonly stats: Stats;
  readonly coverage: Coverage;
  readonly outcome: Outcome;
}

interface Stats {
  retirements: number;
  reconciles: number;
  deactivations: number;
  deletions: number;
}

/** What happened to the old key, and when. */
interface Outcome {
  readonly deactivatedMs: number | null;
  readonly deletedMs: number | null;
  readonly givenBackMs: number | null;
  readonly verdict: Verdict["kind"] | null;
}

interface Options {
  /** False for speed: a failing retirement is run once more to be read. */
  readonly isTraced?: boolean;
  /** False: all sweeps are made, those too that can decide nothing new. */
  readonly isLeaping?: boolean;
}

/** All that one retirement is made of. */
interface Life {
  readonly ground: Ground;
  readonly judging: Judging;
  readonly leaping: Leaping;
  readonly trace: Trace;
  readonly coverage: Coverage;
  readonly stats: Stats;
  readonly world: World;
  /** To be called when a run begins: it has so much time. */
  readonly beginRun: () => void;
  readonly delay: Delay;
}

/** One retirement from the hour of the promotion: 120 days, or until the old key is deleted or given back. */
export async function simulate(seed: number, { isTraced = true, isLeaping = true }: Options = {}): Promise<Retired> {
  const life = await layLife(seed, isTraced);
  const { ground, leaping, judging, stats, trace, coverage } = life;
  const { clock, keys } = ground;
  const endMs = judging.times.everywhereMs + HORIZON_MS;
  const seen: { -readonly [Name in keyof Outcome]: Outcome[Name] } = {
    deactivatedMs: null,
    deletedMs: null,
    givenBackMs: null,
    verdict: null,
  };
  const violations: Violation[] = [];
  let atMs = leaping.sweeps.next(judging.times.everywhereMs);
  while (atMs < endMs && seen.deletedMs === null && seen.givenBackMs === null) {
    clock.advance(Math.max(0, atMs - clock.now()));
    const wasActive = keys.old.status === "Active";
    const decision = (await sweep(life))?.decision ?? null;
    if (seen.deactivatedMs === null) life.delay.swept(atMs, decision);
    if (wasActive && keys.old.status === "Inactive") {
      seen.deactivatedMs = atMs;
      const verdict = judgeDeactivation(judging, keys.old.changedAtMs);
      seen.verdict = verdict.kind;
      trace.note("", "VERDICT", () => `${verdict.kind}: ${verdict.text}`);
      if (verdict.kind === "false unused") {
        violations.push({ invariant: "FALSE UNUSED", at: instant(seen.deactivatedMs), user: "", text: verdict.text });
      } else if (verdict.signer !== null) {
        const isFrozen = verdict.kind === "no source could show it" && judging.troubles.lastUsed.frozen.length > 0;
        count(coverage, verdict.kind, `${verdict.signer.kind}${isFrozen ? ", last-used stood still for days" : ""}`);
      }
    }
    if (!wasActive && keys.old.status === "Active") seen.givenBackMs = atMs;
    if (keys.old.isDeleted) seen.deletedMs = atMs;
    const record = (await ground.journal.read(ground.subject.user)).record;
    const oldRecord = record?.keys[accessKeyId(keys.old.id)];
    const newRecord = record?.keys[accessKeyId(keys.new.id)];
    const left = {
      nowMs: atMs,
      decision,
      isAdopted: (newRecord?.adoptedAt ?? null) !== null,
      unexplainedMs: judging.profile.readers.length > 0 && oldRecord ? unexplained(oldRecord) : null,
      isAskingReaders: isAskingReaders(judging.profile, oldRecord, newRecord),
      readersReadMs: newRecord?.readers?.readUntil ?? null,
      inactiveMs: keys.old.status === "Inactive" ? keys.old.changedAtMs : null,
    };
    atMs = isLeaping ? nextSweepMs(leaping, left) : leaping.sweeps.next(atMs + 1);
  }
  finish(life, seen, endMs);
  stats.retirements = 1;
  return { seed, violations, trace: trace.lines(), stats, coverage, outcome: seen };
}

/** A read that counts as a use until CloudTrail tells it apart; null where a later use counts anyhow. */
function unexplained(old: KeyRecord): number | null {
  const read = unexplainedRead(old);
  return read !== null && read.at > (old.latestUse?.at ?? 0) ? read.at : null;
}

/** Whether it is asked who has the replacement: a read was seen, and not each reader with its new pair. */
function isAskingReaders({ readers }: Profile, old: KeyRecord | undefined, current: KeyRecord | undefined): boolean {
  const isRead = (old?.latestRead ?? old?.handOverAt ?? null) !== null;
  return isRead && readers.some((name) => current?.readers?.at[name] === undefined);
}

async function layLife(seed: number, isTraced: boolean): Promise<Life> {
  const coverage: Coverage = {};
  const { profile, consumers } = drawProfile(diceOf(seed, "profile"), coverage);
  const times = drawTimes(diceOf(seed, "times"), profile);
  const ground = await layGround(diceOf(seed, "ground"), profile, times);
  const { createdMs, promotedMs, deliveredMs } = times;
  const script = { dice: diceOf(seed, "signers"), coverage, profile, consumers, createdMs, promotedMs, deliveredMs };
  const signers = castSigners(script);
  const fromMs = times.everywhereMs;
  const troubles = drawTroubles(diceOf(seed, "troubles"), { fromMs, regions: REGIONS, coverage });
  const sweeps = drawSweeps(diceOf(seed, "sweeps"), fromMs + hours(1) / 4);
  const { cloud, clock, journal, keys } = ground;
  const taped = { cloud, keys, signers, troubles, fromMs: createdMs - hours(6), custodyName: ground.custodyName };
  const { clients, beginRun } = evidenceClients({ cloud, tape: tapeOf(taped), troubles, coverage });
  let startedMs = clock.now();
  const base = directWorld(cloud, {
    journal,
    seed,
    hasHeardAws: true,
    remainingMs: () => startedMs + RUN_MS - clock.now(),
    send: async (request) => {
      clock.advance(REQUEST_MS);
      return cloud.call(request);
    },
  });
  const options = {
    clock: base.clock,
    identity: base.identity,
    stage: null,
    lookupsPerSecond: Number.POSITIVE_INFINITY,
  };
  const world: World = {
    ...base,
    // Whom the sweep reads, and whether it remembers anything itself, does not matter here.
    evidence: { answer: (question, context) => createEvidenceSources(clients, options).answer(question, context) },
    destinations: { of: () => ground.destinations },
    notifiers: [{ name: "nobody", notify: () => Promise.resolve() }],
    log: { decision: () => undefined, outcome: () => undefined, event: () => undefined },
  };
  const trace = traceOf(() => clock.now(), isTraced);
  const judging = { signers, troubles, profile, times, sweeps };
  const delay = countDelay(leastMs(judging));
  tellCase(trace, judging, consumers);
  return {
    ground,
    judging,
    leaping: { sweeps, signers, troubles, profile, oldCreatedMs: keys.old.createdAtMs },
    trace,
    coverage,
    stats: { retirements: 0, reconciles: 0, deactivations: 0, deletions: 0 },
    world,
    beginRun: () => {
      beginRun();
      startedMs = clock.now();
    },
    delay,
  };
}

/** One sweep of the one user; gives the last thing that was decided. */
async function sweep({ ground, world, beginRun, stats, trace, coverage }: Life): Promise<Turn | null> {
  const { clock, subject } = ground;
  beginRun();
  stats.reconciles += 1;
  const holder = `run ${String(stats.reconciles)}`;
  const { turns, failure } = await reconcile(
    world,
    { ...subject, listedAt: instant(clock.now()) },
    { holder, mode: "act" },
  );
  for (const { decision, outcome } of turns) {
    count(coverage, "reason", decision.reason);
    const { rule, step, reason, because } = decision;
    trace.note("", "decided", () => `${rule} ${step.kind} ${reason} ${outcome?.kind ?? "nothing"}: ${because}`);
    if (outcome?.kind !== "done") continue;
    if (step.kind === "deactivate") stats.deactivations += 1;
    if (step.kind === "delete") stats.deletions += 1;
  }
  if (failure !== null) {
    count(coverage, "failure", failure.code);
    trace.note("", "failed", () => `${failure.code}: ${failure.message}`);
    if (failure.code === "Bug") throw failure;
  }
  return turns.at(-1) ?? null;
}

/** Counts what became of the old key. */
function finish({ judging, coverage, delay, trace }: Life, outcome: Outcome, endMs: number): void {
  const { deactivatedMs, deletedMs, givenBackMs, verdict } = outcome;
  const became = [
    [deletedMs, "deleted"],
    [givenBackMs, "given back"],
    [deactivatedMs, "Inactive at the end"],
  ] as const;
  const [, said] = became.find(([atMs]) => atMs !== null) ?? [null, "Active at the end"];
  count(coverage, "the old key", said);
  if (verdict !== null) count(coverage, "verdict", verdict);
  if (deactivatedMs !== null && verdict !== "right") return;
  const least = leastMs(judging);
  if (deactivatedMs === null) delay.swept(endMs, null);
  if (deactivatedMs === null && least > endMs) {
    count(coverage, "verdict", "rightly kept to the end");
    return;
  }
  const delayMs = Math.max(0, (deactivatedMs ?? endMs) - least);
  trace.note("", "delay", () => `${describeMs(delayMs)} beyond the least possible: ${causeOf(delay)}`);
  if (deactivatedMs === null) count(coverage, "still Active at the end, by cause", causeOf(delay));
  else {
    count(coverage, "delay in hours", String(Math.ceil(delayMs / hours(1))));
    if (delayMs > hours(2)) count(coverage, "delayed, by cause", causeOf(delay));
    if (delayMs > hours(2)) count(coverage, `hours by ${causeOf(delay)}`, String(Math.ceil(delayMs / hours(1))));
  }
}
