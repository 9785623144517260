import { pathToFileURL } from "node:url";
import { MUTANTS } from "../../test/simulation/mutants/index.ts";
import { replacing } from "../mistakes/index.ts";
import { bundleMutant } from "../mutants/bundle.ts";
import type { followClock, handle } from "./entry.ts";

/** Keyturn, bundled from its sources, with its clock replaced by one that follows the simulated cloud's. */
export interface Program {
  readonly followClock: typeof followClock;
  readonly handle: typeof handle;
}

const loaded = new Map<string | null, Promise<Program>>();

/** With a mistake of the catalogue (`test/simulation/mutants`) built in, or with none. */
export function loadProgram(mistake: string | null): Promise<Program> {
  const loading = loaded.get(mistake) ?? load(mistake);
  loaded.set(mistake, loading);
  return loading;
}

async function load(mistake: string | null): Promise<Program> {
  const mutant = MUTANTS.find(({ name }) => name === mistake);
  if (mutant === undefined && mistake !== null) throw new Error(`no mistake is called ${mistake}`);
  const clock = replacing("src/cloud/clock.ts", "scripts/deliveries/clock.ts");
  const { file, isWhole } = await bundleMutant(mutant?.patches ?? [], "scripts/deliveries/entry.ts", [clock]);
  if (!isWhole) throw new Error(`the mistake ${mistake ?? ""} is no part of the program`);
  return (await import(pathToFileURL(file).href)) as Program;
}
