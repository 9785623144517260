import type { Clients } from "../../cloud/clients.ts";
import type { AthenaTable, LogGroup } from "../../cloud/trail-queries.ts";
import { asRotationError } from "../../rotation/errors.ts";
import type { Answer } from "../../rotation/observation.ts";
import type { Clock } from "../../rotation/world.ts";

/** A trail over which CloudWatch Logs Insights or Athena can be asked. */
export type TrailOptions = LogGroup | AthenaTable;

type CloudTrailAnswer = Extract<Answer, { readonly source: "cloudtrail" }>;

/**
 * Asks the deeper source too where Event history shows no use. It may only veto: its use is then a use, its unknown
 * unknown. Without one, every answer stays as it is.
 */
export function createDeepen(options: TrailOptions | null, clients: Clients, clock: Clock) {
  // Bundled into a file of its own, which is loaded only here: see `scripts/build.ts`.
  const load = async (from: TrailOptions) => (await import("./trail.ts")).createTrail(from, clients, clock);
  let trail: ReturnType<typeof load> | null = null;
  return async (answer: CloudTrailAnswer, handOversApart: boolean): Promise<CloudTrailAnswer> => {
    if (options === null || answer.use.verdict !== "unused") return answer;
    const { keyId, use } = answer;
    try {
      const ask = await (trail ??= load(options));
      return { ...answer, deeper: options.kind, use: await ask({ keyId, from: use.from, handOversApart }) };
    } catch (thrown) {
      const because = asRotationError(thrown, "asking a trail").message;
      return { ...answer, deeper: options.kind, use: { verdict: "unknown", because } };
    }
  };
}
