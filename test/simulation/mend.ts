import { forget, release } from "../../src/act/operator/release.ts";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { days, hours, instant, minutes } from "../../src/rotation/time.ts";
import type { World } from "../../src/rotation/world.ts";
import { directWorld } from "../world/direct/world.ts";
import { worksAt } from "../world/iam-state.ts";
import { nextPair } from "./consumers.ts";
import { count } from "./coverage.ts";
import { deleteKeyByHand, forbidMail, setStatusByHand, tagByHand } from "./people.ts";
import { custodyName, custodyPair } from "./stage.ts";
import type { SimulatedSubject, Stage } from "./stage.ts";

/** Puts right what can be put right: from here on every rotation must end by itself. */
export function mendAll(stage: Stage): void {
  void stage.journal.setRunning(instant(stage.clock.now()));
  stage.pausedMs = null;
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
    forbidMail(stage, subject);
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
    worker.builds?.breakAll(false);
    const key = stage.cloud.iam.keys.get(worker.pair().keyId);
    const isDead = key === undefined || !worksAt(key, stage.clock.now());
    const current = custodyPair(stage, subject.user, "AWSCURRENT");
    if (isDead && current !== null) worker.setByHand(current);
  }
}

/** An operator reads the notices, and does what the runbook says. */
export async function obey(stage: Stage): Promise<void> {
  for (const subject of stage.subjects) {
    if (isLatelyTold(stage, subject.user, "NeedsRelease")) await releaseAll(stage, subject.user);
    if (isLatelyTold(stage, subject.user, "DestinationNotLive")) deployAll(stage, subject);
    if (isLatelyTold(stage, subject.user, "FormerDestination")) await forgetAll(stage, subject);
  }
}

/** The project's own CI is run where a stored pair waits for it, and once more where a build had failed. */
function deployAll(stage: Stage, { user, workers }: SimulatedSubject): void {
  for (const worker of workers.filter(({ builds }) => builds?.isAwaited() === true)) {
    worker.deployByOthers();
    count(stage.coverage, "deed", "deploys what is stored");
    stage.trace.note(user, "person", () => `deploys what is stored at ${worker.name}`);
  }
}

function isLatelyTold(stage: Stage, user: string, code: string): boolean {
  const toldMs = stage.toldMs.get(`${user} ${code}`);
  return toldMs !== undefined && stage.clock.now() - toldMs < days(8);
}

async function releaseAll(stage: Stage, user: string): Promise<void> {
  for (const { id } of stage.cloud.iam.keysOf(user)) {
    // Refused for a key that was never made active again, and while a run is at work.
    await type(stage, { user, what: "releases a key" }, (world) =>
      release(world, { user: userName(user), keyId: accessKeyId(id) }),
    );
  }
}

/** The places that left the profile are gone for good, says the operator; whoever still holds a pair there is forgiven. */
async function forgetAll(stage: Stage, { user, workers, destinations, consumers }: SimulatedSubject): Promise<void> {
  const configured = destinations.map(({ name }) => name);
  for (const worker of workers.filter(({ name }) => !configured.includes(name))) {
    const isDone = await type(stage, { user, what: "forgets a destination" }, (world) =>
      forget(world, { user: userName(user), destination: worker.name, configured }),
    );
    if (!isDone) continue;
    const liveId = worker.pair().keyId;
    const keyIds = stage.cloud.iam.keysOf(user).map(({ id }) => id);
    // Whichever of its versions is brought back, nobody speaks for it any more.
    const heldIds = [liveId, ...keyIds.filter((id) => worker.versionWith(id) !== null)];
    const holders = consumers.filter((consumer) => nextPair(consumer, stage.clock.now())?.keyId === liveId);
    for (const { forgiven } of holders) heldIds.forEach((id) => forgiven.add(id));
  }
}

/** Types a command; tells whether it was obeyed. */
async function type(
  stage: Stage,
  { user, what }: { readonly user: string; readonly what: string },
  command: (world: World) => Promise<unknown>,
): Promise<boolean> {
  const world = directWorld(stage.cloud, { journal: stage.journal, seed: stage.clock.now() });
  const isDone = await command(world).then(
    () => true,
    () => false,
  );
  if (isDone) count(stage.coverage, "deed", what);
  if (isDone) stage.trace.note(user, "person", () => what);
  return isDone;
}
