import { release } from "../../src/act/operator.ts";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { days, hours, instant, minutes } from "../../src/rotation/time.ts";
import { directWorld } from "../world/direct/world.ts";
import { worksAt } from "../world/iam-state.ts";
import { count } from "./coverage.ts";
import { deleteKeyByHand, setStatusByHand, tagByHand } from "./people.ts";
import { custodyName, custodyPair } from "./stage.ts";
import type { SimulatedSubject, Stage } from "./stage.ts";

/** Puts right what can be put right: from here on every rotation must end by itself. */
export function mendAll(stage: Stage): void {
  void stage.journal.setRunning(instant(stage.clock.now()));
  stage.cloud.lags.cloudTrailMs = minutes(15);
  stage.cloud.lags.lastUsedMs = hours(4);
  for (const subject of stage.subjects) {
    const { user, profile } = subject;
    const secret = stage.cloud.secretsManager.named(custodyName(user));
    if (secret !== null) [secret.deletedAtMs, secret.kms] = [null, { read: null, write: null }];
    tagByHand(stage, user, "keyturn-hold", null);
    tagByHand(stage, user, "keyturn-other", null);
    tagByHand(stage, user, "keyturn", profile.name);
    const current = custodyPair(stage, user, "AWSCURRENT")?.keyId;
    for (const key of stage.cloud.iam.keysOf(user)) {
      if (stage.strangers.has(key.id)) deleteKeyByHand(stage, key);
      else if (key.id === current || stage.takenByPeople.has(key.id)) setStatusByHand(stage, key, "Active");
    }
    mendWorkers(stage, subject);
  }
}

function mendWorkers(stage: Stage, subject: SimulatedSubject): void {
  const missing = subject.workers.filter((worker) => !subject.destinations.includes(worker));
  subject.destinations = [...subject.destinations, ...missing];
  for (const worker of subject.workers) {
    worker.blockedBecause = null;
    worker.isMissing = false;
    worker.losesPushes = false;
    const key = stage.cloud.iam.keys.get(worker.pair().keyId);
    const isDead = key === undefined || !worksAt(key, stage.clock.now());
    const current = custodyPair(stage, subject.user, "AWSCURRENT");
    if (isDead && current !== null) worker.setByHand(current);
  }
}

/** An operator reads the notices, and does what the runbook says. */
export async function obey(stage: Stage): Promise<void> {
  for (const { user } of stage.subjects) {
    const toldMs = stage.toldMs.get(`${user} NeedsRelease`);
    const isLately = toldMs !== undefined && stage.clock.now() - toldMs < days(8);
    if (isLately) await releaseAll(stage, user);
  }
}

async function releaseAll(stage: Stage, user: string): Promise<void> {
  for (const { id } of stage.cloud.iam.keysOf(user)) {
    const world = directWorld(stage.cloud, { journal: stage.journal, seed: stage.clock.now() });
    // Refused for a key that was never made active again, and while a run is at work.
    const isDone = await release(world, { user: userName(user), keyId: accessKeyId(id) }).then(
      () => true,
      () => false,
    );
    if (isDone) count(stage.coverage, "deed", "releases a key");
    if (isDone) stage.trace.note(user, "person", () => `releases ${id}`);
  }
}
