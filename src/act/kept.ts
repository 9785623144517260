import { asRotationError } from "../rotation/errors.ts";
import type { Acting } from "./acting.ts";

/**
 * What destinations keep that is not live and holds an older pair, for people: bringing it back brings the old key back.
 * It keeps no key from going: every older version holds one, for ever. What cannot be read is said, too.
 */
export async function keptAt({ world, profile, observation }: Acting): Promise<readonly string[]> {
  const { deliveries } = observation.record;
  const lines = world.destinations.of(profile.name).map(async ({ name, kept }) => {
    if (kept === undefined) return [];
    const here = deliveries.filter(({ destination }) => destination === name);
    const [last] = here.toSorted((one, other) => other.attemptedAt - one.attemptedAt);
    try {
      const words = await kept(last?.receipt ?? null);
      return words === null ? [] : [`${name} keeps ${words}`];
    } catch (error) {
      return [`what ${name} keeps could not be read: ${asRotationError(error, `looking at ${name}`).message}`];
    }
  });
  return (await Promise.all(lines)).flat();
}
