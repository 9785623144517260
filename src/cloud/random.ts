import { randomBytes, randomInt } from "node:crypto";
import type { Random } from "../rotation/world.ts";

const FRACTIONS = 2 ** 32;

/** Randomness from the operating system. */
export function createRandom(): Random {
  return { fraction: () => randomInt(FRACTIONS) / FRACTIONS, token: () => randomBytes(16).toString("hex") };
}
