import type { Decision } from "../rotation/decision.ts";
import { asRotationError } from "../rotation/errors.ts";
import { type Notice, NOTICES, OWNER_TAG } from "../rotation/notice.ts";
import type { Observation } from "../rotation/observation.ts";
import type { UserRecord } from "../rotation/record.ts";
import type { World } from "../rotation/world.ts";
import { type Findings, noticesOf } from "./notices.ts";
import { codeOf, remember } from "./remember.ts";

type Ways = Pick<World, "notifiers" | "log">;

/** What was told of one user: what to remember, who could not tell it, what lasts, and whether an end is still to be told. */
export interface Told {
  readonly records: UserRecord["notices"];
  readonly failed: readonly string[];
  readonly open: readonly Notice[];
  readonly isWaiting: boolean;
}

/** Says what is new, due again or over, and gives back what to remember of it. Never throws. */
export async function tell(world: Ways, findings: Findings, known: UserRecord["notices"]): Promise<Told> {
  const { user, now, observation, turns, failure } = findings;
  // What hides the rest ends nothing: behind it all may be as it was.
  const isHidden = hides(turns.at(-1)?.decision) || observation?.standing.barred !== null;
  const unseen = isHealthUnasked(observation) ? (["ConsumerUnhealthy"] as const) : [];
  const look = { now, isWhole: failure === null && !isHidden, unseen };
  const { toSay, records, open } = remember(known, noticesOf(findings), look);
  const owner = observation?.iamUser?.tags[OWNER_TAG];
  const addressed = toSay.map((notice) => (notice.isOver ? { ...notice, user, ...(owner ? { owner } : {}) } : notice));
  // Sent before they are written down: whoever dies in between says them twice rather than never.
  const failed = await report(world, addressed);
  const isUnsaid = toSay.length > 0 && failed.length === world.notifiers.length;
  const kept = isUnsaid ? known : records;
  const isWaiting = Object.keys(kept).some((key) => NOTICES[codeOf(key)]?.lasts === true);
  return { records: kept, failed, open, isWaiting };
}

/** The rules that rule before those of an ordinary rotation are asked. */
const HIDING: readonly string[] = ["cannot-see", "not-ours-to-touch", "exposed", "smtp", "orphan", "stranger"];

/** Whether a decision leaves unseen what another would tell: it came before, or in a closed window nothing was tried. */
function hides(last: Decision | undefined): boolean {
  return last?.reason === "BlindSpot" || last?.reason === "WindowClosed" || HIDING.includes(last?.rule ?? "");
}

/** Consumers are asked last, when nothing else is in the way. */
function isHealthUnasked(observation: Observation | null): boolean {
  const { destinations = [], evidence = [] } = observation ?? {};
  return destinations.some(({ hasHealth }) => hasHealth) && !evidence.some(({ answer }) => answer.source === "health");
}

/** Sends the notices to every notifier, and names those that failed. Never throws, and changes no decision. */
export async function report({ notifiers, log }: Ways, notices: readonly Notice[]): Promise<readonly string[]> {
  if (notices.length === 0) return [];
  const failed = notifiers.map(async (notifier) => {
    const { name } = notifier;
    try {
      await notifier.notify(notices);
      return [];
    } catch (thrown) {
      const error = asRotationError(thrown, `notifying by ${name}`);
      const unsaid = notices.map(({ user, dedupeKey }) => `${user ?? "keyturn"} ${dedupeKey}`);
      log.event("error", "a notifier failed", { notifier: name, error, notices: unsaid });
      return [name];
    }
  });
  return (await Promise.all(failed)).flat();
}
