import type { Clients } from "../../cloud/clients.ts";
import { asRotationError } from "../../rotation/errors.ts";
import type { Answer, Use } from "../../rotation/observation.ts";
import type { Clock } from "../../rotation/world.ts";

/** A trail over which CloudWatch Logs Insights or Athena can be asked. */
export type TrailOptions =
  | { readonly kind: "logs-insights"; readonly logGroup: string; readonly region: string }
  | {
      readonly kind: "athena";
      readonly database: string;
      readonly table: string;
      readonly dayPartition: string;
      readonly workgroup: string;
      readonly outputLocation?: string | undefined;
      readonly region: string;
    };

type CloudTrailAnswer = Extract<Answer, { readonly source: "cloudtrail" }>;

/** What Event history answered, with the trail asked too. */
export type Deepen = (answer: CloudTrailAnswer, handOversApart: boolean) => Promise<CloudTrailAnswer>;

/**
 * The deeper source, which may only veto: it is asked where Event history shows no use, and its use is then a use, its
 * unknown unknown. Without one, every answer stays as it is.
 */
export function createDeepen(options: TrailOptions | null, clients: Clients, clock: Clock): Deepen {
  if (options === null) return (answer) => Promise.resolve(answer);
  // Bundled into a file of its own, which is loaded only here: see `scripts/build.ts`.
  const name = nameOf(options);
  const load = async () => (await import("./trail.ts")).createTrail(options, clients, { clock, name });
  let trail: ReturnType<typeof load> | null = null;
  return async (answer, handOversApart) => {
    const { use: seen, keyId } = answer;
    if (seen.verdict !== "unused") return answer;
    const askTrail = async (): Promise<Use> => {
      try {
        const ask = await (trail ??= load());
        return await ask({ keyId, from: seen.from, handOversApart });
      } catch (thrown) {
        return { verdict: "unknown", because: asRotationError(thrown, "loading the deeper evidence").message };
      }
    };
    return { ...answer, use: await askTrail(), deeper: name };
  };
}

/** What a deeper source is called in answers and errors. */
function nameOf(options: TrailOptions): string {
  const { kind, region } = options;
  return kind === "athena"
    ? `Athena's table ${options.database}.${options.table} in ${region}`
    : `the log group ${options.logGroup} in ${region}`;
}
