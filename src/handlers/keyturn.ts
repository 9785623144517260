import { compose, config } from "../compose.ts";
import { loadSettings } from "../config/load.ts";
import { minutes, seconds } from "../rotation/time.ts";
import { parseCommand } from "./command.ts";
import { obey } from "./obey.ts";

/** Outside Lambda: what the function's own time-out would leave. */
const RUN_MS = minutes(14);
/** Kept back from the run, so that the answer still gets out. */
const ENDING_MS = seconds(10);

/** The Lambda function. Throws when the event is refused or the run cannot begin; what befell users is its result. */
export async function handler(event: unknown, context?: { getRemainingTimeInMillis?(): number }): Promise<unknown> {
  const command = parseCommand(event);
  const settings = loadSettings();
  const remainingMs = context?.getRemainingTimeInMillis?.() ?? RUN_MS;
  const world = compose(config, settings, Math.max(0, remainingMs - ENDING_MS));
  try {
    return await obey(world, command, { profiles: config.profiles, enrolmentTag: settings.enrolmentTag });
  } finally {
    world.close();
  }
}
