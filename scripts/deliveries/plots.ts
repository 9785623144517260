import type { Ground } from "./ground.ts";
import { ACCOUNT, FIRST, WORKER } from "./holders.ts";
import { areGone, currentOf, liveIn, type Plot } from "./rotation.ts";

/** Nobody does anything. */
export const undisturbed = (): Plot => ({ live: "first, new pair" });

/** Does something right before the last of these calls of Keyturn's, which come in this order; once. */
export function rightBefore({ listeners }: Ground, calls: readonly RegExp[], act: () => void): void {
  let at = 0;
  listeners.push((name) => {
    if (calls[at]?.test(name) !== true) return;
    at += 1;
    if (at === calls.length) act();
  });
}

/** Does each of these before the first sweep on its day or later. */
function onDays(
  deeds: readonly (readonly [number, (ground: Ground) => Promise<void> | void])[],
): NonNullable<Plot["before"]> {
  const left = [...deeds];
  return async (ground) => {
    for (let next = left[0]; next !== undefined && ground.day() >= next[0]; next = left[0]) {
      left.shift();
      await next[1](ground);
    }
  };
}

const deployTheirs = ({ cloudflare }: Ground): void =>
  void cloudflare.deploy(ACCOUNT, WORKER, { code: "theirs", plain: {} });

export const CLOUDFLARE = /^(GET|PATCH|POST) /;

/** Somebody deploys right before the last of these calls. */
export const deployedBefore =
  (calls: readonly RegExp[]) =>
  (ground: Ground): Plot => {
    rightBefore(ground, calls, () => deployTheirs(ground));
    return { live: "theirs, new pair" };
  };

/** Somebody deploys on this day. */
export const deployedOn = (day: number) => (): Plot => ({
  before: onDays([[day, deployTheirs]]),
  live: "theirs, new pair",
});

/** Somebody who may disables the new key when it is about to be handed over, and makes it active again six hours later. */
export function refused(ground: Ground): Plot {
  const { cloud } = ground;
  const [system] = ground.systems;
  const admin = cloud.iam.createKey(cloud.iam.createUser({ name: "somebody" }).name, {
    createdAtMs: cloud.clock.now(),
  });
  const setStatus = (Status: string): void => {
    const AccessKeyId = cloud.iam.keysOf(system?.user ?? "").find(({ id }) => id !== system?.firstPair.keyId)?.id;
    const input = { UserName: system?.user, AccessKeyId, Status };
    cloud.callAs({ keyId: admin.id, secret: admin.secret }, { service: "iam", operation: "UpdateAccessKey", input });
  };
  rightBefore(ground, [/^PATCH /], () => setStatus("Inactive"));
  return { before: onDays([[0.25, () => setStatus("Active")]]), live: "first, new pair" };
}

/** What is live at the first sweep after it began must be this. */
function liveMeanwhile(expected: string) {
  let seen: string | null = null;
  return {
    note: (ground: Ground): void => {
      if (ground.day() > 0.02) seen ??= liveIn(ground, WORKER);
    },
    wrong: () => (seen === expected ? [] : [`meanwhile "${seen ?? ""}" was live in the place of "${expected}"`]),
  };
}

/** The same, and meanwhile the old pair is live again, and in the newest version. */
export function takenBack(ground: Ground): Plot {
  const { before, live } = refused(ground);
  const { note, wrong } = liveMeanwhile("first, old pair");
  return {
    async before(later) {
      note(later);
      await before?.(later);
    },
    wrong,
    live,
    told: /the old pair is put forward/,
  };
}

/** An operator retires the old key as soon as the new one is current. */
export function retiredAtOnce(): Plot {
  let isAsked = false;
  return {
    async before(ground) {
      const [system] = ground.systems;
      const { user = "", firstPair } = system ?? {};
      if (isAsked || [null, firstPair?.keyId].includes(currentOf(ground, user))) return;
      isAsked = true;
      await ground.command({ command: "retire", user, key: firstPair?.keyId });
    },
    live: "first, new pair",
  };
}

/** B8: the Worker is moved to another user by hand, four days into the silence. */
export function movedAway({ cloud }: Ground): Plot {
  const other = cloud.iam.createKey(cloud.iam.createUser({ name: "the-team" }).name, {
    createdAtMs: cloud.clock.now(),
  });
  const { accessKeyId, secretAccessKey } = FIRST.secrets;
  const secrets = { [accessKeyId]: other.id, [secretAccessKey]: other.secret };
  return {
    before: onDays([[4, ({ cloudflare }) => void cloudflare.deploy(ACCOUNT, WORKER, { code: "theirs", secrets })]]),
    isOver: ({ cloud: later, systems: [system], day }) =>
      day() > 20 && later.iam.keys.get(system?.firstPair.keyId ?? "")?.status === "Active",
    live: "theirs, a pair of their own",
    told: /signs with a key that ends in/,
  };
}

/** B8: the team deploys before every sweep. */
export const deployedAlways = (): Plot => ({
  before: deployTheirs,
  live: "theirs, new pair",
});

const MONTHLY = "monthly-report";
/** B9: the same pair lies in a Worker that is asleep for weeks. */
export const WITH_MONTHLY = { ...FIRST, workers: [WORKER, MONTHLY] };
const VISITS = 20;

/**
 * B9: the second Worker cannot be delivered to, and is gone from the configuration an hour later. It is at work on day 21;
 * on day 24 it is put back, and its team has released what was in the way.
 */
export function takenOut(ground: Ground): Plot {
  rightBefore(ground, [/^PATCH /], () => void ground.cloudflare.upload(ACCOUNT, MONTHLY, { code: "unreleased" }));
  const work = async ({ traffic, edge }: Ground): Promise<void> => {
    for (let visits = 0; visits < VISITS; visits += 1) await traffic.visit(edge.url(MONTHLY));
  };
  return {
    before: onDays([
      [0, work],
      [0.02, ({ serve }) => serve([FIRST])],
      [21, work],
      [24, ({ serve }) => serve([WITH_MONTHLY])],
      [24, ({ cloudflare }) => void cloudflare.deploy(ACCOUNT, MONTHLY, { code: "released" })],
      [26, work],
    ]),
    isOver: (later) => areGone(later) && later.day() > 27,
    daysMax: 45,
    live: "first, new pair",
    told: /no longer in the profile/,
  };
}

/** B10: in the minute in which our version is watched somebody deploys one whose health route lets nobody in. */
export function deployedInTheWatch(ground: Ground): Plot {
  const deploy = (): void =>
    void ground.cloudflare.deploy(ACCOUNT, WORKER, { code: "theirs", plain: { KEYTURN_HEALTH_TOKEN: "another" } });
  // The read after the second deployment looks behind it; the watch has begun a moment later.
  rightBefore(ground, [/^POST /, /^POST /, /^GET /], () => void setTimeout(deploy, 400));
  const { note, wrong } = liveMeanwhile("theirs, new pair");
  return {
    before: onDays([
      [0.03, note],
      [1, ({ cloudflare }) => void cloudflare.deploy(ACCOUNT, WORKER, { code: "theirs, mended", plain: {} })],
    ]),
    wrong,
    live: "theirs, mended, new pair",
  };
}

/** B10: somebody uploads a preview that does not work, right before our version is made; it is released a day later. */
export function previewUploaded(ground: Ground): Plot {
  const preview = { code: "unreleased", plain: { AWS_ENDPOINT: "http://127.0.0.1:9" } };
  rightBefore(ground, [/^PATCH .*latest$/], () => void ground.cloudflare.upload(ACCOUNT, WORKER, preview));
  return {
    before: onDays([[1, ({ cloudflare }) => void cloudflare.deploy(ACCOUNT, WORKER, { code: "released", plain: {} })]]),
    live: "released, new pair",
  };
}

const READS_LOST = 40;

/** B10: Cloudflare makes our version, says nothing any more for the rest of the sweep, and Keyturn does not know. */
export function cutOff(ground: Ground): Plot {
  const { faults } = ground.cloudflare;
  rightBefore(ground, [/^PATCH .*latest$/], () => {
    faults.push({ on: "write", kind: "lost", hasEffect: true });
    for (let lost = 0; lost < READS_LOST; lost += 1) faults.push({ on: "read", kind: "lost", hasEffect: false });
  });
  return { before: () => void faults.splice(0), live: "first, new pair" };
}
