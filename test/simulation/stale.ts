import { hours, minutes } from "../../src/rotation/time.ts";
import type { CloudAnswer, CloudCall } from "../world/call.ts";
import type { Stage } from "./stage.ts";

interface StaleAnswer {
  readonly atMs: number;
  readonly answer: CloudAnswer;
}

/** Answers that were true a while ago, of services that are eventually consistent. */
export interface StaleAnswers {
  readonly keep: (name: string, request: CloudCall, answer: CloudAnswer) => void;
  /** The earlier answer to the same question, and when it was true; null where there is none that the service could still give. */
  readonly find: (name: string, request: CloudCall) => StaleAnswer | null;
}

/** How old an answer may be. IAM is eventually consistent and names no number; last-used is late by hours anyway. */
const OLDEST_MS: ReadonlyMap<string, number> = new Map([
  ["iam.ListAccessKeys", minutes(4)],
  ["iam.GetUser", minutes(4)],
  ["iam.GetAccountAuthorizationDetails", minutes(4)],
  ["iam.GetAccessKeyLastUsed", hours(4)],
]);

export function staleAnswers({ clock, cloud }: Stage): StaleAnswers {
  const kept = new Map<string, StaleAnswer[]>();
  const keyOf = (name: string, { input }: CloudCall): string =>
    [name, input["UserName"], input["AccessKeyId"], input["Marker"]].join(" ");
  const oldestOf = (name: string): number => {
    const oldestMs = OLDEST_MS.get(name) ?? 0;
    // What is late already may be told late once more only as far as the lag allows.
    return name === "iam.GetAccessKeyLastUsed" ? Math.max(0, oldestMs - cloud.lags.lastUsedMs) : oldestMs;
  };
  return {
    keep: (name, request, answer) => {
      if (!OLDEST_MS.has(name)) return;
      const key = keyOf(name, request);
      const answers = kept.get(key) ?? [];
      if (answers.length === 0) kept.set(key, answers);
      answers.push({ atMs: clock.now(), answer });
      if (answers.length > 8) answers.shift();
    },
    find: (name, request) => {
      const fromMs = clock.now() - oldestOf(name);
      return kept.get(keyOf(name, request))?.find(({ atMs }) => atMs >= fromMs) ?? null;
    },
  };
}
