import type { World } from "../../rotation/world.ts";

const spell = (at: number): string => new Date(at).toISOString();

/** Sweeps only look from now on, for this reason. Said again, the time of the first counts, and the last reason. */
export async function pause({ journal, identity, clock }: World, reason: string): Promise<unknown> {
  // The clock knows the time from AWS's first answer.
  await identity.read();
  const state = await journal.sweepState();
  const since = state.runningSince === null ? (state.pause?.since ?? clock.now()) : clock.now();
  await journal.setPause({ since, reason, toldAt: state.runningSince === null ? (state.pause?.toldAt ?? null) : null });
  return { done: `paused since ${spell(since)}: ${reason}`, running: false };
}

/** Lets the sweeps act. Said twice, it acts once. */
export async function resume({ journal, identity, clock }: World): Promise<unknown> {
  let { runningSince } = await journal.sweepState();
  if (runningSince === null) {
    await identity.read();
    runningSince = clock.now();
    await journal.setRunning(runningSince);
  }
  return { done: `running since ${spell(runningSince)}`, running: true, since: spell(runningSince) };
}
