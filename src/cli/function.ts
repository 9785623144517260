import { reachFunction } from "../cloud/function.ts";
import { RotationError } from "../rotation/errors.ts";
import type { Terminal, Typed } from "./command.ts";

/** What was typed cannot be meant: exit code 2. */
export class TypedWrongly extends Error {}
/** The function was reached, and said no: exit code 1. */
export class Refused extends Error {}
/** The function was not reached: exit code 3. */
export class NotReached extends Error {}

/** One event, answered; plain JSON. */
export type Ask = (event: Readonly<Record<string, unknown>>) => Promise<unknown>;

export const functionName = ({ values }: Typed, { env }: Terminal): string =>
  String(values["function"] ?? (env["KEYTURN_FUNCTION"] || "keyturn"));

const WAY_OUT: Readonly<Partial<Record<RotationError["code"], string>>> = {
  NotFound: "Name it with --function or KEYTURN_FUNCTION, and see that AWS_REGION is the Region it was deployed to.",
  Denied:
    "You need credentials of its account that may call lambda:InvokeFunction on it. See `keyturn doctor --profile <name>`.",
  Misconfigured:
    "See that a Region and credentials are configured: AWS_REGION, AWS_PROFILE, or `keyturn doctor --profile <name>`.",
  Unreachable: "Nothing was sent. See that this machine has a network, and where AWS_ENDPOINT_URL points if it is set.",
  Throttled: "Lambda is busy. Say it again in a minute.",
};

const UNHEARD = "Whether it was heard is not known. Every command that is said twice acts once: say it again.";

/** What tells the answer to a command; of the others it is the sentence `done`. */
const LISTS: Readonly<Record<string, string>> = {
  status: "users",
  plan: "users",
  sweep: "users",
  report: "users",
  explain: "rules",
  history: "lines",
  doctor: "checks",
};

/** Another function says yes to any event: nobody is to believe that a key was revoked because of that. */
function mustBeKeyturns(name: string, command: unknown, answer: unknown): void {
  const list = LISTS[String(command)];
  const said = ((answer ?? {}) as Readonly<Record<string, unknown>>)[list ?? "done"];
  if (list === undefined ? typeof said === "string" : Array.isArray(said)) return;
  const how = `${name} answered, and not as Keyturn does: it is another function, or another version of it.`;
  throw new NotReached(`${how}\n${WAY_OUT.NotFound ?? ""}`);
}

/** Opens the function for one command. The connection ends with `work`. */
export async function withFunction<T>(typed: Typed, terminal: Terminal, work: (ask: Ask) => Promise<T>): Promise<T> {
  const name = functionName(typed, terminal);
  const deployed = reachFunction(name);
  try {
    return await work(async (event) => {
      const invoked = await deployed.invoke(event).catch((thrown: unknown) => {
        throw notReached(thrown);
      });
      if (invoked.kind === "threw") throw new Refused(invoked.message);
      mustBeKeyturns(name, event["command"], invoked.answer);
      return invoked.answer;
    });
  } finally {
    deployed.close();
  }
}

function notReached(thrown: unknown): NotReached {
  const error = thrown instanceof RotationError ? thrown : new RotationError("Bug", String(thrown));
  const wayOut = error.outcomeUnknown ? UNHEARD : WAY_OUT[error.code];
  return new NotReached([error.message, wayOut ?? []].flat().join("\n"));
}

/** Says of whom that was asked for nothing is known. Gives the exit code: a name that was misspelt is not done. */
export function tellUnknown(terminal: Terminal, asked: readonly string[], known: readonly string[]): 0 | 1 {
  const unknown = asked.filter((name) => !known.some((one) => one.toLowerCase() === name.toLowerCase()));
  if (unknown.length === 0) return 0;
  terminal.err(
    `Nobody of that name is enrolled: ${unknown.join(", ")}. \`keyturn status\` has the names; \`keyturn enroll\` adds one.\n`,
  );
  return 1;
}

const PAGES_MAX = 1_000;

/** What comes in pages. */
interface Page {
  readonly next: unknown;
  readonly total?: number;
}

/** The items of all pages, and the first page; the terminal hears how far it is. */
export async function collect<P extends object, T>(
  { ask, terminal }: { readonly ask: Ask; readonly terminal: Terminal },
  event: Readonly<Record<string, unknown>>,
  itemsOf: (page: P) => readonly T[],
): Promise<{ readonly items: readonly T[]; readonly first: P }> {
  const first = (await ask(event)) as P & Page;
  const items = [...itemsOf(first)];
  let { next } = first;
  for (let count = 1; next !== null; count += 1) {
    if (count >= PAGES_MAX) throw new Refused(`The function went on for more than ${String(PAGES_MAX)} pages.`);
    if (terminal.isInteractive) terminal.err(`${String(items.length)} of ${String(first.total ?? "many")} …\n`);
    const page = (await ask({ ...event, from: next })) as P & Page;
    items.push(...itemsOf(page));
    ({ next } = page);
  }
  return { items, first };
}
