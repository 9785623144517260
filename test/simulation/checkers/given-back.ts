import { LAST_USED_LAG_MS, quietMs } from "../../../src/rotation/policy.ts";
import type { SimulatedKey } from "../../world/iam-state.ts";
import type { Checker } from "../checker.ts";
import { isLeaked } from "../leaks.ts";
import type { Run } from "../run.ts";
import { violate } from "../stage.ts";
import type { SimulatedSubject, Stage } from "../stage.ts";

/** How many sweeps in a row must have been able to see the need. */
const CHANCES = 3;
/** Nothing is done to users of whom this was decided, not even given back. */
const BARRED: ReadonlySet<string> = new Set([
  "NotEnrolled",
  "TwoEnrolments",
  "UnknownProfile",
  "NotServedByProfile",
  "SlotShared",
  "OtherUserSameName",
]);

/** A key that Keyturn took, and that turns out to be needed, is given back: once a rotation, and within some sweeps. */
export function givenBack(stage: Stage): Checker {
  const invariant = "GIVEN-BACK";
  const takenMs = new Map<string, number>();
  /** It is done once a rotation: what was given back and then taken again is no longer followed. */
  const given = new Set<string>();
  const chances = new Map<string, number>();
  /** What each run was told: "used <key>", and "live <Worker>". */
  const told = new WeakMap<Run, Set<string>>();

  const hear = (run: Run, what: string): void => {
    const known = told.get(run) ?? new Set<string>();
    told.set(run, known.add(what));
  };

  /** By whom a key is needed that was taken, and of which this run was told; null where it is not. */
  function need(run: Run, { profile, workers, destinations }: SimulatedSubject, key: SimulatedKey): string | null {
    const atMs = takenMs.get(key.id) ?? Number.POSITIVE_INFINITY;
    const usedMs = key.uses.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
    // A laptop's hand-over is no use that asks for the key: it only restarts the shorter silence.
    const silentMs = profile.isPulled ? profile.policy.quietForMs : quietMs(profile.policy);
    const isLate =
      !stage.retiring.has(key.id) && usedMs > atMs - silentMs && usedMs + LAST_USED_LAG_MS <= run.startedMs;
    const known = told.get(run);
    if (isLate && known?.has(`used ${key.id}`) === true) return "somebody had used it just before";
    const holder = workers.find((worker) => worker.isRolledBack() && worker.pair().keyId === key.id);
    if (holder === undefined || !destinations.includes(holder)) return null;
    // What was answered may have been lost on its way.
    const isHeard = known?.has(`live ${holder.name}`) === true && !run.troubles.has("destination.live");
    return isHeard ? `${holder.name} is back on it` : null;
  }

  function check(run: Run, subject: SimulatedSubject, isAble: boolean): void {
    const keys = stage.cloud.iam.keysOf(subject.user);
    for (const key of keys) {
      const isOurs = key.status === "Inactive" && takenMs.has(key.id) && !given.has(key.id);
      const isFollowed =
        isOurs &&
        !keys.some(({ id }) => isLeaked(stage, id)) &&
        keys.length > 1 &&
        !stage.takenByPeople.has(key.id) &&
        !isForgotten(key.id);
      const needed = isAble && isFollowed ? need(run, subject, key) : null;
      const times = needed === null ? 0 : (chances.get(key.id) ?? 0) + 1;
      chances.set(key.id, times);
      if (times >= CHANCES) violate(stage, invariant, subject.user, `${key.id} is not given back: ${needed ?? ""}`);
    }
  }

  /** Without the journal only CloudTrail tells whose doing it was, and it may not. */
  const isForgotten = (keyId: string): boolean => (takenMs.get(keyId) ?? 0) < stage.journalLostMs;

  return {
    invariant,
    before: ({ name, input }) => {
      if (name !== "iam.UpdateAccessKey") return;
      const keyId = String(input["AccessKeyId"]);
      const isActive = stage.cloud.iam.keys.get(keyId)?.status === "Active";
      if (input["Status"] === "Active") given.add(keyId);
      else if (isActive) takenMs.set(keyId, stage.clock.now());
    },
    after: ({ name, run, input, isStale, isHeard }) => {
      if (name === "iam.GetAccessKeyLastUsed" && !isStale && isHeard) hear(run, `used ${String(input["AccessKeyId"])}`);
    },
    sawLive: ({ run, destination, state }) => {
      // A version that somebody made by hand after our delivery looks like any other of theirs.
      if (state === "previous") hear(run, `live ${destination}`);
    },
    swept: ({ runs }) => {
      for (const { run, result } of runs.slice(-1)) {
        for (const subject of stage.subjects) {
          const line = result?.users.find(({ user }) => user === subject.user);
          const last = line?.decisions.at(-1);
          // Whether it leaked is told by custody's tags.
          const isBlind = run.troubles.has("iam.ListAccessKeys") || run.troubles.has("secretsmanager.DescribeSecret");
          const isBarred = result?.isPaused === true || last === undefined || BARRED.has(last.reason);
          // Another run that had the user may have met what this one did not.
          const isDone = line !== undefined && !line.isFailed && last?.outcome !== "withdrawn";
          check(run, subject, isDone && !isBlind && !isBarred);
        }
      }
    },
  };
}
