import { compose } from "../../src/compose.ts";
import type { Config } from "../../src/config/define.ts";
import { loadSettings } from "../../src/config/load.ts";
import { parseCommand } from "../../src/handlers/command.ts";
import { obey } from "../../src/handlers/obey.ts";
import { minutes } from "../../src/rotation/time.ts";

export { followClock } from "./clock.ts";

/** What the Lambda function does with an event, but that the configuration is given. */
export async function handle(config: Config, event: unknown): Promise<unknown> {
  const settings = loadSettings();
  const world = compose(config, settings, minutes(14));
  try {
    return await obey(world, parseCommand(event), { profiles: config.profiles, enrolmentTag: settings.enrolmentTag });
  } finally {
    world.close();
  }
}
