import type { Checker } from "../checker.ts";
import { isUrgent } from "../leaks.ts";
import type { Run } from "../run.ts";
import { custodyName, isRaced, subjectOf, violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** A pair becomes current, and so reaches whoever reads custody, only when every place that is delivered to was given it. */
export function promotedLast(stage: Stage): Checker {
  const invariant = "INV-1";
  const given = new Set<string>();
  /** What each place was given last, and when. */
  const last = new Map<string, string>();
  const givenMs = new Map<string, number>();
  /** What a place said that it has, and has not. */
  const lost = new Set<string>();
  /** The places that each run delivered to, whatever came of it: in an emergency none is tried twice. */
  const tried = new WeakMap<Run, Set<string>>();

  /** Where a pair is only stored it must be live by now, unless somebody set another since. */
  const isLive = (user: string, destination: string, keyId: string): boolean => {
    const worker = subjectOf(stage, user)?.workers.find(({ name }) => name === destination);
    if (!worker?.builds || lost.has(`${destination} ${keyId}`) || worker.pair().keyId === keyId) return true;
    return worker.touchedMs() >= (givenMs.get(destination) ?? 0);
  };
  return {
    invariant,
    delivering: ({ run, subject, destination, pair }) => {
      tried.set(run, (tried.get(run) ?? new Set<string>()).add(destination));
      given.add(`${destination} ${pair.keyId}`);
      const isLost = subject.workers.some(({ name, losesPushes }) => name === destination && losesPushes);
      if (isLost) lost.add(`${destination} ${pair.keyId}`);
      else lost.delete(`${destination} ${pair.keyId}`);
      givenMs.set(destination, stage.clock.now());
      last.set(destination, pair.keyId);
    },
    before: ({ name, run, user, input, sent }) => {
      if (name !== "secretsmanager.UpdateSecretVersionStage" || input["VersionStage"] !== "AWSCURRENT") return;
      const versions = stage.cloud.secretsManager.named(custodyName(user))?.versions;
      const text = versions?.get(String(input["MoveToVersionId"]))?.text ?? "{}";
      const { AccessKeyId: keyId = "" } = JSON.parse(text) as Readonly<Record<string, string>>;
      // A marker is nobody's pair. After a rollback what is stored is told, and not waited for.
      if (keyId === "" && run.word !== null) return;
      for (const { name: destination, readsCustody } of run.configured.get(user) ?? []) {
        // What goes back is given again to whoever was given another since; a rollback does not wait until it is live.
        const isBack = run.word === "rollback";
        const isGiven = isBack
          ? (last.get(destination) ?? keyId) === keyId
          : given.has(`${destination} ${keyId}`) && isLive(user, destination, keyId);
        if (readsCustody || isGiven || sent.wasRaced || isRaced(stage, run, user)) continue;
        // For a leaked key each place is tried, and none waited for.
        const wasTried = given.has(`${destination} ${keyId}`) || tried.get(run)?.has(destination) === true;
        const isTried = wasTried || run.troubles.size > 0;
        if ((sent.wasUrgent || isUrgent(stage, user)) && isTried) continue;
        violate(stage, invariant, user, `${keyId} becomes current and ${destination} was not given it`);
      }
    },
  };
}
