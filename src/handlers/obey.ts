import { adopt } from "../act/operator/adopt.ts";
import { hold, releaseHold } from "../act/operator/hold.ts";
import { pause, resume } from "../act/operator/pause.ts";
import { reactivate } from "../act/operator/reactivate.ts";
import { forget, release } from "../act/operator/release.ts";
import { retire } from "../act/operator/retire.ts";
import { rollback } from "../act/operator/rollback.ts";
import { rotate } from "../act/operator/rotate.ts";
import { audit } from "../ask/audit.ts";
import { examine } from "../ask/examine.ts";
import { history } from "../ask/history.ts";
import { status } from "../ask/status.ts";
import type { UserName } from "../rotation/keys.ts";
import type { World } from "../rotation/world.ts";
import { explain, sweep, type SweepOptions } from "../sweep.ts";
import { answerLeak, revoke } from "./exposed.ts";
import type { Command } from "./command.ts";

type Serves = Pick<SweepOptions, "profiles" | "enrolmentTag">;

/** Does what a command says, for the users whom this deployment serves. */
export async function obey(world: World, command: Command, serving: Serves): Promise<unknown> {
  switch (command.command) {
    case "sweep":
    case "plan": {
      const mode = command.command === "plan" ? "plan" : "act";
      const { users } = command;
      return await sweep(world, { ...serving, mode, ...(users === undefined ? {} : { users }) });
    }
    case "explain":
      return await explain(world, { ...serving, user: command.user });
    case "revoke":
      return await revoke(world, serving, command);
    case "leaked":
      return await answerLeak(world, serving, command.keys);
    case "status":
      return await status(world, { ...serving, users: command.users, from: command.from });
    case "history":
      return await history(world, command);
    case "report":
      return await audit(world, { ...serving, from: command.from });
    case "doctor":
      return await examine(world, { ...serving, profile: command.profile });
    case "forget": {
      const { user, destination } = command;
      const profile = (await world.directory.read(user))?.tags[serving.enrolmentTag] ?? "";
      const configured = world.destinations.of(profile).map(({ name }) => name);
      return { done: await forget(world, { user, destination, configured }), forgotten: destination };
    }
    case "resume":
      return await resume(world);
    case "pause":
      return await pause(world, command.reason);
    case "release":
    case "hold":
    case "rotate":
    case "retire":
    case "adopt":
    case "reactivate":
    case "rollback":
      return await obeyFor(world, command, serving);
  }
}

type OfUser = Extract<
  Command,
  { readonly command: "release" | "hold" | "rotate" | "retire" | "adopt" | "reactivate" | "rollback" }
>;

/** The words about one user. `rotate`, `retire` and `adopt` only go on record: the sweep that follows does what it can already. */
async function obeyFor(world: World, command: OfUser, serving: Serves): Promise<unknown> {
  const { user } = command;
  const doing = `obeying ${command.command} of ${user}`;
  const errand = { ...serving, user, doing };
  switch (command.command) {
    case "release":
      if (command.key === undefined) return { done: await releaseHold(world, errand) };
      return { done: await release(world, { user, keyId: command.key }), released: command.key };
    case "hold":
      return { done: await hold(world, errand, command.reason) };
    case "rotate":
      return await thenSweep(world, await rotate(world, errand), { ...serving, user });
    case "retire":
      return await thenSweep(world, await retire(world, errand, command.key), { ...serving, user });
    case "adopt":
      return await thenSweep(world, await adopt(world, errand, command.key), { ...serving, user });
    case "reactivate":
      return { done: await reactivate(world, errand, command.key) };
    case "rollback":
      return { done: await rollback(world, errand, command.key ?? null) };
  }
}

/** What was asked, and what came of it at once. */
async function thenSweep(
  world: World,
  done: string,
  { user, ...serving }: Serves & { readonly user: UserName },
): Promise<unknown> {
  const { users, isPaused, status } = await sweep(world, { ...serving, mode: "act", users: [user] });
  return { done, status, isPaused, decisions: users.flatMap(({ decisions }) => decisions) };
}
