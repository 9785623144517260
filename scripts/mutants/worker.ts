import { pathToFileURL } from "node:url";
import type { Decision, Rule, Ruling, Situation } from "../../src/rotation/decision.ts";
import type { simulate as Simulate } from "../../test/simulation/entry.ts";
import { wordsOf } from "./words.ts";

/** What the parent wants: these seeds, until one breaks a promise or the time is over. */
export interface Order {
  readonly bundle: string;
  readonly seeds: readonly number[];
  readonly budgetMs: number;
  /** Goes on after a broken promise: the control. */
  readonly isControl: boolean;
  /** Broken promises, in the words of `wordsOf`, that the unmutated program knows too: they say nothing of a mutant. */
  readonly open: readonly string[];
}

/** What became of one seed. */
export interface SeedReport {
  readonly seed: number;
  readonly broken: string | null;
  /** `wins <rule>`, and `swap <rule> / <next rule>` where the two would decide otherwise in the other order. */
  readonly marks: readonly string[];
  readonly decisions: number;
}

type Watching = typeof globalThis & {
  keyturnDecided?: (situation: Situation, rules: readonly Rule[], rule: Rule, ruling: Ruling) => void;
};

// Thousands of refusals a second are made, and nobody reads where.
Error.stackTraceLimit = 0;
let marks = new Set<string>();
let decisions = 0;
const said = ({ step, reason }: Pick<Decision, "step" | "reason">): string => JSON.stringify([step, reason]);

(globalThis as Watching).keyturnDecided = (situation, rules, rule, ruling) => {
  decisions += 1;
  marks.add(`wins ${rule.name}`);
  const next = rules[rules.indexOf(rule) + 1];
  const other = next?.judge(situation) ?? null;
  if (next !== undefined && other !== null && said(other) !== said(ruling))
    marks.add(`swap ${rule.name} / ${next.name}`);
};

async function work({ bundle, seeds, budgetMs, isControl, open }: Order): Promise<void> {
  const { simulate } = (await import(pathToFileURL(bundle).href)) as { readonly simulate: typeof Simulate };
  const startedMs = process.cpuUsage().user / 1_000;
  for (const seed of seeds) {
    if (process.cpuUsage().user / 1_000 - startedMs > budgetMs) break;
    [marks, decisions] = [new Set(), 0];
    const broken = await simulate(seed, { isTraced: false }).then(
      ({ violations }) =>
        violations.map(({ invariant, text }) => `${invariant}: ${text}`).find((one) => !open.includes(wordsOf(one))) ??
        null,
      (thrown: unknown) => `CRASH: ${String(thrown)}`,
    );
    process.send?.({ seed, broken, marks: [...marks], decisions } satisfies SeedReport);
    if (broken !== null && !isControl) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.disconnect?.();
}

process.once("message", (order) => void work(order as Order));
