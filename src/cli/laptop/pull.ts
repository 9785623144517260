import { RotationError } from "../../rotation/errors.ts";
import type { CliCommand } from "../command.ts";
import { credentialsFile, pairIn, withPair } from "./profiles.ts";
import { OPTIONS, readingOf, renew, showStored } from "./renewal.ts";
import { changeWhole, readWhole } from "./whole-file.ts";

const USAGE = "--profile <profile> --user <user> [--reader <name>] [--region <region>] [--secret <name>]";

export const PULL: CliCommand = {
  name: "pull",
  usage: USAGE,
  summary: "Puts the user's current pair into a profile of ~/.aws/credentials.",
  help: `For programs that read ~/.aws/credentials and know no credential_process: run it every day, from cron or at log-in. It reads
the user's secret with the pair of the profile, tries what it found, and replaces that pair alone; every other line stays as it is.
Where there is no newer pair, or AWS cannot be reached, it changes nothing and succeeds.

  keyturn pull --profile default --user flowid-dev-user --reader laptop-a`,
  options: { ...OPTIONS, profile: { type: "string" } },
  async run(typed, terminal) {
    const reading = readingOf(typed, terminal);
    const { profile } = typed.values;
    if (reading === null || typeof profile !== "string") {
      terminal.err(`Usage: keyturn pull ${USAGE}\n`);
      return 2;
    }
    const file = credentialsFile(terminal);
    const held = pairIn(await readWhole(file), profile, file);
    const { pair, isNew, because } = await renew(reading, held);
    if (!isNew) {
      terminal.out(`${profile} keeps ${held.id}: ${because ?? "it is the current pair"}\n`);
      return 0;
    }
    await changeWhole(file, (text) => {
      const changed = withPair(text, profile, held, pair);
      const said = `writing ${file}, the profile ${profile} was changed by somebody else meanwhile: run it again`;
      if (changed === null) throw new RotationError("Conflict", said);
      return changed;
    });
    await showStored(reading, pair);
    terminal.out(`${profile} has ${pair.id} in the place of ${held.id}\n`);
    return 0;
  },
};
