import { ProfileInput, profileOf } from "../../../src/config/profile-input.ts";
import { profileRefusals } from "../../../src/config/refusals.ts";
import type { Profile } from "../../../src/rotation/policy.ts";
import { quietMs } from "../../../src/rotation/policy.ts";
import { days, hours, minutes } from "../../../src/rotation/time.ts";
import { count } from "../coverage.ts";
import type { Coverage } from "../coverage.ts";
import type { Dice } from "../dice.ts";

/** What the owner says of the consumers. */
const KINDS = ["alone", "alone", "many", "many", "many", "hasty", "optional", "pulled", "pulled"] as const;

interface Shape {
  readonly consumers: number;
  readonly pulls: boolean;
  readonly quietForMs: number;
  readonly idleAtMostMs: number | null;
  readonly cacheForMs: number;
}

function shapeOf(dice: Dice, kind: (typeof KINDS)[number]): Shape {
  const isMany = kind !== "alone" && kind !== "hasty";
  const isHasty = kind === "hasty";
  return {
    consumers: kind === "many" || kind === "pulled" ? dice.between(kind === "many" ? 2 : 1, 4) : 1,
    pulls: kind === "pulled",
    quietForMs: isHasty ? hours(dice.pick([2, 8, 30])) : days(dice.pick([2, 2, 3, 5, 7, 10])),
    idleAtMostMs: isMany ? days(dice.pick([3, 5, 8, 15, 31, 35])) : null,
    cacheForMs: isHasty ? minutes(5) : dice.pick([minutes(5), hours(1), hours(1), hours(12), days(2)]),
  };
}

/** Two in three owners have their readers name themselves, each that holds the pair by a name of its own. */
const readersOf = (dice: Dice, consumers: number): string[] =>
  dice.chance(0.66) ? Array.from({ length: consumers }, (_, at) => `consumer-${String(at)}`) : [];

const spelled = (ms: number): string =>
  ms % hours(1) === 0 ? `${String(ms / hours(1))}h` : `${String(ms / minutes(1))}min`;

/** A profile that `keyturn.config.ts` may name, with sums that come out. Throws where the configuration would refuse it. */
export function drawProfile(dice: Dice, coverage: Coverage): { readonly profile: Profile; readonly consumers: number } {
  const kind = dice.pick(KINDS);
  count(coverage, "profile", kind);
  const shape = shapeOf(dice, kind);
  const soakForMs = dice.pick([minutes(255), days(1), days(3), days(7)]);
  const { quietForMs, idleAtMostMs, cacheForMs, pulls } = shape;
  const silenceMs = pulls ? (idleAtMostMs ?? 0) + quietForMs : Math.max(quietForMs, idleAtMostMs ?? 0);
  const waitMs = silenceMs + cacheForMs + hours(4);
  const rotateAfterMs = Math.ceil((days(1) + waitMs + soakForMs) / hours(1)) * hours(1) + days(dice.between(1, 40));
  const maxAgeMs = rotateAfterMs + days(1) + Math.ceil(waitMs / hours(1)) * hours(1);
  const read = ProfileInput.parse({
    users: ["deploy"],
    destinations: [{ kind: "secrets-manager" }],
    consumers: shape.consumers,
    pulls,
    rotateAfter: spelled(rotateAfterMs),
    quietFor: spelled(quietForMs),
    ...(idleAtMostMs === null ? {} : { idleAtMost: spelled(idleAtMostMs) }),
    soakFor: spelled(soakForMs),
    maxAge: spelled(maxAgeMs),
    cacheFor: spelled(cacheForMs),
    readers: pulls ? readersOf(dice, shape.consumers) : [],
    adoption: kind === "optional" ? "optional" : "required",
    regions: dice.chance(0.7) ? ["us-east-1"] : ["us-east-1", "eu-central-1"],
    unaskedRegions: dice.chance(0.1) ? { "eu-central-1": "nobody works there at all" } : {},
    ...(kind === "hasty" ? { acceptShortQuiet: "all of them call every minute" } : {}),
  });
  const [refusal] = profileRefusals({ name: "drawn", read });
  if (refusal !== undefined) throw new RangeError(`drew a profile that is refused: ${JSON.stringify(refusal)}`);
  return { profile: profileOf("drawn", read), consumers: shape.consumers };
}

/**
 * The longest silence after which a consumer must find its key. One that is alone need not declare any: its old key stays
 * until it was seen to use the new one, or was silent for 90 days.
 */
export function promisedSilenceMs(profile: Profile, isAlone: boolean): number {
  const { idleAtMostMs, adoption } = profile.policy;
  return isAlone && idleAtMostMs === null && adoption === "required" ? days(89) : quietMs(profile.policy);
}
