import { release } from "../act/release.ts";
import type { Profile } from "../rotation/policy.ts";
import type { World } from "../rotation/world.ts";
import { explain, sweep } from "../sweep.ts";
import type { Command } from "./command.ts";

/** Whom this deployment serves. */
interface Serving {
  readonly profiles: Readonly<Record<string, Profile>>;
  readonly enrolmentTag: string;
}

/** Does what a command says. */
export async function obey(world: World, command: Command, serving: Serving): Promise<unknown> {
  switch (command.kind) {
    case "sweep": {
      const { mode, users } = command;
      return await sweep(world, { ...serving, mode, ...(users === null ? {} : { users }) });
    }
    case "explain":
      return await explain(world, { ...serving, user: command.user });
    case "release":
      await release(world, command);
      return { released: command.keyId };
    case "resume":
      return await resume(world);
    case "pause":
      await world.journal.setRunning(null);
      return { running: false };
  }
}

/** Lets the sweeps act. Said twice, it acts once. */
async function resume({ journal, identity, clock }: World): Promise<unknown> {
  const { runningSince } = await journal.sweepState();
  if (runningSince !== null) return answer(runningSince);
  // The clock knows the time from AWS's first answer.
  await identity.read();
  const since = clock.now();
  await journal.setRunning(since);
  return answer(since);
}

function answer(since: number): unknown {
  return { running: true, since: new Date(since).toISOString() };
}
