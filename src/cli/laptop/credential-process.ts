import { createHash } from "node:crypto";
import { join } from "node:path";
import { formatPair, parseContent } from "../../cloud/custody-content.ts";
import { asRotationError, RotationError } from "../../rotation/errors.ts";
import type { Credential } from "../../rotation/keys.ts";
import type { CliCommand, Terminal, Typed } from "../command.ts";
import { credentialsFile, pairIn } from "./profiles.ts";
import { OPTIONS, readingOf, renew, showStored, type Reading, type Renewal } from "./renewal.ts";
import { changeWhole, readWhole } from "./whole-file.ts";

const USAGE = "--user <user> [--profile <profile>] [--reader <name>] [--region <region>] [--secret <name>]";

export const CREDENTIAL_PROCESS: CliCommand = {
  name: "credential-process",
  usage: USAGE,
  summary: "Prints the user's current pair, for `credential_process` of an AWS profile.",
  help: `AWS's tools run it themselves, once "keyturn install-profile" has written it into a profile. It reads the user's secret with the
pair that it has, keeps the answer in ~/.keyturn, and prints it ("keyturn credential-process --user <user>"). Where AWS cannot be reached, or there is no pair yet, it prints the one it has.

  --user <user>       whose pair
  --profile <name>    the profile of ~/.aws/credentials that holds the first pair; else default
  --reader <name>     this machine's name in the profile's \`readers\`, by which it signs
  --region <region>   where the secret is; else as any AWS tool finds it
  --secret <name>     the secret; else keyturn/<user>`,
  options: { ...OPTIONS, profile: { type: "string" } },
  async run(typed, terminal) {
    const reading = readingOf(typed, terminal);
    if (reading === null) {
      terminal.err(`Usage: keyturn credential-process ${USAGE}\n`);
      return 2;
    }
    const { pair, because } = await currentPair(reading, typed, terminal);
    if (because !== null) terminal.err(`keyturn: kept ${pair.id}: ${because}\n`);
    terminal.out(`${formatPair(pair)}\n`);
    return 0;
  },
};

/** Held are what was stored last, and what somebody typed in: after a long absence, or a lost cache, only one of them may work. */
async function currentPair(reading: Reading, { values }: Typed, terminal: Terminal) {
  const profile = typeof values["profile"] === "string" ? values["profile"] : "default";
  const cache = cacheOf(reading, profile);
  const cached = await readCache(cache);
  const typedIn = await readTypedIn(terminal, profile).catch((thrown: unknown) => {
    if (cached === null) throw thrown;
    return null;
  });
  let failure: unknown = null;
  for (const pair of [cached, typedIn]) {
    try {
      if (pair !== null) return await stored(reading, cache, pair, await renew(reading, pair));
    } catch (thrown) {
      failure ??= thrown;
    }
  }
  throw failure;
}

/** What cannot be stored is not handed out: the next run would have only the old pair to ask with. */
async function stored(reading: Reading, cache: string, held: Credential, renewal: Renewal): Promise<Renewal> {
  const text = formatPair(renewal.pair);
  try {
    await changeWhole(cache, (before) => (before === text ? null : text));
  } catch (thrown) {
    return { pair: held, isNew: false, because: asRotationError(thrown, `writing ${cache}`).message };
  }
  if (renewal.isNew) await showStored(reading, renewal.pair);
  return renewal;
}

/** One for each user, secret, Region and source: the same name may be another account's. */
function cacheOf({ folder, user, secretId, region }: Reading, profile: string): string {
  const which = createHash("sha256")
    .update(JSON.stringify([secretId, region, profile]))
    .digest("hex");
  return join(folder, `${user}-${which.slice(0, 12)}.json`);
}

/** Null where there is none, and for what cannot be understood: then what was typed in is asked with. */
async function readCache(cache: string): Promise<Credential | null> {
  try {
    const text = await readWhole(cache);
    return text === null ? null : parseContent(text, `reading ${cache}`).pair;
  } catch (thrown) {
    if (thrown instanceof RotationError) return null;
    throw thrown;
  }
}

async function readTypedIn(terminal: Terminal, profile: string): Promise<Credential> {
  const file = credentialsFile(terminal);
  return pairIn(await readWhole(file), profile, file);
}
