import type { Command } from "../../src/handlers/command.ts";
import { obey } from "../../src/handlers/obey.ts";
import type { World } from "../../src/rotation/world.ts";
import type { DirectWorld } from "./direct/world.ts";
import type { Installation } from "./installation.ts";
import { DEPLOY } from "./system.ts";

/** A command as an operator types it, less the user. */
export type Word = { readonly command: string; readonly key?: string; readonly reason?: string };

/** What a command answers. */
export interface Said {
  readonly done: string;
  readonly decisions?: readonly { readonly step: string; readonly outcome: string }[];
}

/** Types a command about the user, as the handler obeys it: a run of its own. */
export async function say(
  here: Installation,
  word: Word,
  bend: (world: DirectWorld) => World = (world) => world,
): Promise<Said> {
  const run = here.run();
  const about = word.command === "pause" || word.command === "resume" ? {} : { user: DEPLOY };
  const serving = { profiles: here.profiles, enrolmentTag: "keyturn" };
  const said = await obey(bend(run), { ...about, ...word } as unknown as Command, serving);
  here.notices.push(...run.notifier.notices);
  return said as Said;
}

/** The reason of the user's hold. */
export const holdOf = ({ cloud }: Installation): string | undefined =>
  cloud.iam.users.get(DEPLOY)?.tags.find(({ Key }) => Key.toLowerCase() === "keyturn-hold")?.Value;
