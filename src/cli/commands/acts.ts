import type { CliCommand, Terminal, Typed } from "../command.ts";
import { Refused, TypedWrongly, withFunction } from "../function.ts";
import { table } from "../text-table.ts";
import { isAsked, outJson, outText, required, text, words } from "../typed.ts";
import type { Swept } from "./sweep.ts";

type Event = Readonly<Record<string, unknown>>;

/** A word of the operator's: what it takes becomes the event's fields, and the function answers with what was done. */
interface Act extends Pick<CliCommand, "name" | "summary" | "help"> {
  readonly takes?: readonly ("<user>" | "<key id>" | "[<key id>]" | "<destination>")[];
  /** It must be given a reason, such as this. */
  readonly reason?: string;
  readonly options?: CliCommand["options"];
  /** Throws where the operator thinks better of it. */
  readonly confirm?: (event: Event, typed: Typed, terminal: Terminal) => Promise<void>;
}

interface Answer {
  readonly done: string;
  /** The sweep of this user that followed at once. */
  readonly decisions?: Swept["users"][number]["decisions"];
  readonly isPaused?: boolean;
}

function outAnswer(terminal: Terminal, { done, decisions = [], isPaused = false }: Answer): void {
  outText(terminal, done);
  const rows = decisions.map(({ step, because, outcome, error }) => [step, outcome, error?.message ?? because]);
  if (rows.length > 0) terminal.out(`\n${table(["STEP", "OUTCOME", "BECAUSE"], rows, terminal.columns)}`);
  if (isPaused && rows.length > 0) outText(terminal, "\nPaused: no step was taken. `keyturn resume` lets sweeps act.");
}

function say({ takes = [], reason, options = {}, confirm, ...about }: Act): CliCommand {
  const own = { ...options, ...(reason === undefined ? {} : { reason: { type: "string" as const } }) };
  return {
    ...about,
    usage: [
      ...takes,
      ...Object.keys(own).map((name) => (name === "reason" ? "--reason <text>" : `[--${name} …]`)),
    ].join(" "),
    options: own,
    async run(typed, terminal) {
      const given = words(typed, takes).flatMap((word, index) => {
        const field = (takes[index] ?? "").replaceAll(/[^a-z ]/g, "").replace("key id", "key");
        return word === undefined ? [] : [[field, word] as const];
      });
      const why = reason === undefined ? {} : { reason: required(typed, "reason", JSON.stringify(reason)) };
      const event = { command: about.name, ...Object.fromEntries(given), ...why };
      await confirm?.(event, typed, terminal);
      const answer = (await withFunction(typed, terminal, (ask) => ask(event))) as Answer;
      if (isAsked(typed, "json")) outJson(terminal, answer);
      else outAnswer(terminal, answer);
      return 0;
    },
  };
}

/** Who is in a hurry looks at the id once more. */
async function confirmRevocation({ user, key }: Event, typed: Typed, terminal: Terminal): Promise<void> {
  const yes = text(typed, "yes-revoke");
  if (yes === key) return;
  if (yes !== undefined) throw new TypedWrongly(`--yes-revoke says ${yes}, and the key is ${String(key)}.`);
  terminal.err(
    `${String(key)} of ${String(user)} is cut off at once. Whoever has not got its replacement by then fails.\n`,
  );
  const again = await terminal.ask("Type the key id in full to go on, or say --yes-revoke <key id>: ");
  if (again.trim() !== key) throw new Refused("That is another id. Nothing was done.");
}

/** The operator's words. The function says in its answer what was done, and refuses in a sentence. */
export const ACTS: readonly CliCommand[] = [
  say({
    name: "rotate",
    takes: ["<user>"],
    summary: "Replaces a user's key now, by the ordinary safe path, although it is not due.",
    help: `The replacement is made, proved and delivered by the next sweep, and the old key goes when it is proved to be
unused: nothing breaks, and nothing is hurried. For a leaked key say \`revoke\`.

  keyturn rotate cloudflare-cognito-admin`,
  }),
  say({
    name: "hold",
    takes: ["<user>"],
    reason: "release week until 2027-02-01",
    summary: "Leaves a user alone, until `release`.",
    help: `Writes the tag keyturn-hold with the reason, which may have letters, digits, spaces and _.:/=+-@. A rotation
stays where it is.

  keyturn hold flowid-dev-user --reason "release week until 2027-02-01"`,
  }),
  say({
    name: "release",
    takes: ["<user>", "[<key id>]"],
    summary: "Ends a hold; with a key id, lets a key go that was made active again.",
    help: `  keyturn release flowid-dev-user
  keyturn release flowid-dev-user AKIAIOSFODNN7EXAMPLE`,
  }),
  say({
    name: "rollback",
    takes: ["<user>", "[<key id>]"],
    summary: "Makes the previous pair current again everywhere, and holds the user.",
    help: `For a rotation that went well for us and badly for a consumer. Refused where the previous pair is not in custody,
was deleted, or is exposed. The key id says which pair, where it is not the previous one.

  keyturn rollback cloudflare-cognito-admin`,
  }),
  say({
    name: "reactivate",
    takes: ["<user>", "<key id>"],
    summary: "Makes an Inactive key active again.",
    help: `The first thing to do when something fails after a deactivation. The key stays until it is released.

  keyturn reactivate flowid-dev-user AKIAIOSFODNN7EXAMPLE`,
  }),
  say({
    name: "retire",
    takes: ["<user>", "<key id>"],
    summary: "Takes an old key away on your word, where proof that it is unused will never come.",
    help: `Waives use and adoption, never delivery. Refused for the current, the pending and the last active key.

  keyturn retire flowid-dev-user AKIAIOSFODNN7EXAMPLE`,
  }),
  say({
    name: "revoke",
    takes: ["<user>", "<key id>"],
    options: { "yes-revoke": { type: "string" } },
    confirm: confirmRevocation,
    summary: "A leaked key: replaces it and cuts it off at once, whatever that breaks.",
    help: `Waits for nothing: no quiet, no window, no hold, no pause. The notice names the consumers that are left behind.
Asks for the key id once more; a program says it with --yes-revoke.

  keyturn revoke flowid-dev-user AKIAIOSFODNN7EXAMPLE`,
  }),
  say({
    name: "forget",
    takes: ["<user>", "<destination>"],
    summary: "A destination that left the profile is gone for good, and no longer keeps the old key.",
    help: `The destination is spelled as the notice spells it. Refused while the profile still delivers to it.

  keyturn forget cloudflare-cognito-admin cloudflare-worker:cognito-admin`,
  }),
  say({
    name: "adopt",
    takes: ["<user>", "<key id>"],
    summary: "Takes over a key that somebody else made, so that it is rotated too.",
    help: `Keyturn leaves such a stranger alone, and holds. Adopted, it counts as an old key.

  keyturn adopt flowid-dev-user AKIAIOSFODNN7EXAMPLE`,
  }),
  say({
    name: "pause",
    reason: "change freeze until 2027-01-04",
    summary: "Sweeps only look and report, until `resume`. Keys go on ageing.",
    help: `The whole installation pauses; for one user say \`hold\`.

  keyturn pause --reason "change freeze until 2027-01-04"`,
  }),
  say({
    name: "resume",
    summary: "Lets the sweeps act. A fresh installation is paused: read `plan` first.",
    help: "  keyturn plan\n  keyturn resume",
  }),
];
