import { forget, release } from "../act/operator.ts";
import { audit } from "../ask/audit.ts";
import { examine } from "../ask/examine.ts";
import { history } from "../ask/history.ts";
import { status } from "../ask/status.ts";
import type { World } from "../rotation/world.ts";
import { explain, sweep, type SweepOptions } from "../sweep.ts";
import type { Command } from "./command.ts";

/** Does what a command says, for the users whom this deployment serves. */
export async function obey(
  world: World,
  command: Command,
  serving: Pick<SweepOptions, "profiles" | "enrolmentTag">,
): Promise<unknown> {
  switch (command.command) {
    case "sweep":
    case "plan": {
      const mode = command.command === "plan" ? "plan" : "act";
      const { users } = command;
      return await sweep(world, { ...serving, mode, ...(users === undefined ? {} : { users }) });
    }
    case "explain":
      return await explain(world, { ...serving, user: command.user });
    case "status":
      return await status(world, { ...serving, users: command.users, from: command.from });
    case "history":
      return await history(world, command);
    case "report":
      return await audit(world, { ...serving, from: command.from });
    case "doctor":
      return await examine(world, { ...serving, profile: command.profile });
    case "release":
      await release(world, { user: command.user, keyId: command.key });
      return { released: command.key };
    case "forget": {
      const { user, destination } = command;
      const profile = (await world.directory.read(user))?.tags[serving.enrolmentTag] ?? "";
      const configured = world.destinations.of(profile).map(({ name }) => name);
      await forget(world, { user, destination, configured });
      return { forgotten: destination };
    }
    case "resume":
      return await resume(world);
    case "pause":
      await world.journal.setRunning(null);
      return { running: false };
  }
}

/** Lets the sweeps act. Said twice, it acts once. */
async function resume({ journal, identity, clock }: World): Promise<unknown> {
  let { runningSince } = await journal.sweepState();
  if (runningSince === null) {
    // The clock knows the time from AWS's first answer.
    await identity.read();
    runningSince = clock.now();
    await journal.setRunning(runningSince);
  }
  return { running: true, since: new Date(runningSince).toISOString() };
}
