import type { Serving } from "../observe/subjects.ts";
import { asRotationError } from "../rotation/errors.ts";
import { accessKeyId, userName } from "../rotation/keys.ts";
import { hours, plus } from "../rotation/time.ts";
import type { Destination, World } from "../rotation/world.ts";
import { everybody, iso } from "./status.ts";

/** `could not tell`: time may mend it, or the question could not be asked. */
type Verdict = "ok" | "not ok" | "could not tell";
interface Check {
  readonly check: string;
  readonly verdict: Verdict;
  readonly said: string;
  readonly wayOut: string | null;
}

/** AWS's own example, and so nobody's key. Source: IAM User Guide. */
const NOBODYS_KEY = accessKeyId("AKIAIOSFODNN7EXAMPLE");
const NAMED_MAX = 20;

/** What the function can see of its own installation. Reads only; each question that fails is a line of its own. */
export async function examine(
  world: World,
  { profile, ...serving }: Serving & { readonly profile?: string | undefined },
): Promise<unknown> {
  const { account } = await world.identity.read();
  const asked = await Promise.all([
    checking("sweeps", () => sweeps(world)),
    checking("users", () => users(world, serving)),
    checking("custody", async () => `users with a secret: ${String((await world.custody.users()).length)}`),
    checking("CloudTrail", () => cloudTrail(world)),
    checking("credential report", async () =>
      (await world.directory.keyReport()) === null
        ? doubt("there is none yet", "IAM makes one within minutes. Without it every user is looked at in full.")
        : "IAM has one",
    ),
    ...Object.keys(serving.profiles)
      .filter((name) => profile === undefined || name === profile)
      .flatMap((name) => world.destinations.of(name).map((destination) => destinationCheck(name, destination))),
  ]);
  const checks = asked.flat();
  const bad = checks.filter(({ verdict }) => verdict !== "ok").length;
  const done =
    bad === 0
      ? "Everything that the function can see is in order."
      : `${String(bad)} of ${String(checks.length)} checks not ok.`;
  const profiles = Object.values(serving.profiles).map(({ name, users: served }) => {
    const readsCustody = world.destinations.of(name).some((destination) => destination.readsCustody);
    return { name, users: served, readsCustody };
  });
  return { done, at: iso(world.clock.now()), account, enrolmentTag: serving.enrolmentTag, profiles, checks };
}

type Finding = Omit<Check, "check">;
const bad = (said: string, wayOut: string): Finding => ({ verdict: "not ok", said, wayOut });
const doubt = (said: string, wayOut: string): Finding => ({ verdict: "could not tell", said, wayOut });

/** Time mends some failures; the others are an operator's. */
async function checking(
  check: string,
  ask: () => Promise<string | Finding | readonly Finding[]>,
): Promise<readonly Check[]> {
  try {
    const found = await ask();
    if (typeof found === "string") return [{ check, verdict: "ok", said: found, wayOut: null }];
    return [found].flat().map((each) => ({ check, ...each }));
  } catch (thrown) {
    const { code, message } = asRotationError(thrown, `asking for ${check}`);
    if (code === "Throttled" || code === "Unreachable") {
      return [{ check, ...doubt(message, "Ask again in a few minutes.") }];
    }
    return [
      { check, ...bad(message, "Mend what is named: a permission of the function's role, or its configuration.") },
    ];
  }
}

async function sweeps({ journal }: World): Promise<string | Finding> {
  const { runningSince } = await journal.sweepState();
  if (runningSince !== null) return `acting since ${new Date(runningSince).toISOString()}`;
  return bad("paused: they look and report, and change nothing", "Read `keyturn plan`, then say `keyturn resume`.");
}

async function users(world: World, serving: Serving): Promise<string | readonly Finding[]> {
  const { subjects, unread } = await everybody(world, serving);
  const barred = subjects.flatMap(({ user, standing }) =>
    standing.barred === null ? [] : [bad(`${user}: ${standing.barred.because}`, "Correct the tags, or the profile.")],
  );
  const failed = unread.map(({ user, error }) =>
    doubt(`${user}: ${error.message}`, "Ask again, or mend what is named."),
  );
  if (subjects.length + unread.length === 0) {
    return [bad("nobody is enrolled", "Enrol a user: `keyturn enroll <user> --as <profile>`.")];
  }
  const findings = [...barred, ...failed];
  return findings.length === 0 ? `${String(subjects.length)} are enrolled` : findings.slice(0, NAMED_MAX);
}

/** A question about a key that is nobody's shows whether every enabled Region answers. */
async function cloudTrail(world: World): Promise<string | Finding> {
  const from = plus(world.clock.now(), -hours(1));
  const question = { source: "cloudtrail", keyId: NOBODYS_KEY, from, handOversApart: false } as const;
  const answer = await world.evidence.answer(question, { user: userName("nobody"), unaskedRegions: {} });
  if (answer.source !== "cloudtrail" || answer.use.verdict === "unknown") {
    const because = answer.source === "cloudtrail" && answer.use.verdict === "unknown" ? answer.use.because : "";
    return doubt(because, "Allow cloudtrail:LookupEvents and account:ListRegions, or name the Region as unasked.");
  }
  return `${String(answer.regionsAsked.length)} Regions answer: ${answer.regionsAsked.join(", ")}`;
}

function destinationCheck(profile: string, destination: Destination): Promise<readonly Check[]> {
  return checking(`${profile}: ${destination.name}`, async () => {
    const answer = await destination.preflight();
    if (answer.kind === "ready") return "a pair could be delivered now";
    return bad(answer.because, "Mend the destination as it says. Nothing is rotated until then.");
  });
}
