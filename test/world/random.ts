/** Randomness from a seed: the same seed gives the same cloud. */
export interface SeededRandom {
  /** At least 0, less than 1. */
  readonly fraction: () => number;
  /** `length` characters out of an alphabet. */
  readonly text: (alphabet: string, length: number) => string;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX = "0123456789abcdef";

/** Mulberry32, which is enough where nothing has to be unguessable. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const text = (alphabet: string, length: number): string => {
    let drawn = "";
    for (let left = length; left > 0; left -= 1) drawn += alphabet.charAt(Math.floor(fraction() * alphabet.length));
    return drawn;
  };
  return { fraction, text };
}

/** A unique id as IAM makes them: AKIA (keys), AIDA (users), AROA (roles), ASIA (sessions). Twenty characters. */
export const uniqueId = (random: SeededRandom, prefix: string): string => prefix + random.text(BASE32, 16);

/** Forty characters of base64, with `+` and `/` among them, which careless encoders break. */
export const secretText = (random: SeededRandom): string => random.text(BASE64, 40);

/** The six characters that Secrets Manager puts behind the name in an ARN. */
export const arnSuffix = (random: SeededRandom): string => random.text(LETTERS, 6);

/** A version-4-shaped UUID. */
export function uuid(random: SeededRandom): string {
  const hex = random.text(HEX, 32);
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20)].join("-");
}
