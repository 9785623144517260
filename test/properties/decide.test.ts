import fc from "fast-check";
import { expect, test } from "vitest";
import { decide, judgeAll } from "../../src/decide/decide.ts";
import type { Situation } from "../../src/rotation/decision.ts";
import type { Answer, Evidence } from "../../src/rotation/observation.ts";
import { rememberEvidence } from "../../src/observe/remember.ts";
import { NOW } from "../builders.ts";
import { RUNS, situation } from "./situations.ts";

test("any situation has exactly one ruling: that of the first rule that has one, and the same each time", () => {
  fc.assert(
    fc.property(situation, (any) => {
      const decision = decide(any);
      const first = judgeAll(any).find(({ ruling }) => ruling !== null);
      expect(decision.rule).toBe(first?.rule ?? "nothing-due");
      expect(decision).toEqual(decide(structuredClone(any)));
    }),
    RUNS,
  );
});

const silenced = (answer: Answer): Answer => {
  switch (answer.source) {
    case "last-used":
      return { ...answer, use: { verdict: "unknown", because: "silenced" } };
    case "cloudtrail":
      return { ...answer, use: { verdict: "unknown", because: "silenced" }, handOverAt: null, sessions: [] };
    case "attribution":
      return { ...answer, attribution: { ...answer.attribution, signers: [], sessions: [], because: "silenced" } };
    case "readers":
      return { ...answer, seen: { at: {}, readUntil: null } };
    case "authorship":
      return { ...answer, author: { kind: "unknown", because: "silenced" } };
    case "reads":
      return { ...answer, reads: { verdict: "unknown", because: "silenced" } };
    case "quarantine":
      return { ...answer, attachedAt: null };
    case "destination":
      return { ...answer, live: "unknown" };
    case "health":
      return { ...answer, health: { verdict: "unknown", because: "silenced" } };
  }
};

/** What an answer is about. Two answers of one question are lost together: the second would say what the first did. */
const aboutOf = (entry: Evidence | undefined): string =>
  entry === undefined
    ? "nothing"
    : [
        entry.answer.source,
        ...("keyId" in entry.answer ? [entry.answer.keyId] : []),
        JSON.stringify("destination" in entry.answer && entry.answer.destination),
      ].join(" ");

/** The situation after these answers, and what they teach the record. */
function told({ observation, profile, now }: Situation, evidence: readonly Evidence[]): Situation {
  const { keys, custody } = observation;
  const seen = { keys, custody, isPulled: profile?.isPulled ?? false, now: NOW };
  const record = rememberEvidence(observation.record, evidence, seen);
  return { profile, now, observation: { ...observation, evidence, record } };
}

const takes = (of: Situation): boolean => ["deactivate", "delete"].includes(decide(of).step.kind);

test("an answer that is lost never takes a key that the answer would have kept", () => {
  let taken = 0;
  fc.assert(
    fc.property(situation, fc.nat(), (any, at) => {
      const { evidence } = any.observation;
      const about = aboutOf(evidence[at % evidence.length]);
      const lost = evidence.map((entry) =>
        aboutOf(entry) === about ? { ...entry, answer: silenced(entry.answer) } : entry,
      );
      const isTaken = takes(told(any, evidence));
      if (isTaken) taken += 1;
      expect(!isTaken && takes(told(any, lost))).toBe(false);
    }),
    RUNS,
  );
  // Among these situations there are some in which a key goes.
  expect(taken).toBeGreaterThan(RUNS.numRuns / 50);
});

test("with every answer lost no key is taken", () => {
  fc.assert(
    fc.property(situation, (any) => {
      const lost = any.observation.evidence.map((entry) => ({ ...entry, answer: silenced(entry.answer) }));
      expect(takes(told(any, lost))).toBe(false);
    }),
    RUNS,
  );
});
