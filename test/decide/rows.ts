import { expect, test } from "vitest";
import { decide } from "../../src/decide/decide.ts";
import type { Reason, Step } from "../../src/rotation/decision.ts";
import type { Observation } from "../../src/rotation/observation.ts";
import type { Profile } from "../../src/rotation/policy.ts";
import { aProfile, NOW } from "../builders.ts";

interface Row {
  readonly seen: Observation;
  readonly profile?: Profile;
  readonly rule: string;
  readonly step: Step["kind"];
  readonly reason: Reason;
}

/** One test a row: its name, what is seen, and the decision that must follow. */
export const rows = (table: Readonly<Record<string, Row>>): void => {
  test.for(Object.entries(table))("%s", ([, row]) => {
    const decision = decide({
      observation: row.seen,
      profile: row.profile ?? aProfile(),
      now: NOW,
    });
    expect({ rule: decision.rule, step: decision.step.kind, reason: decision.reason }).toEqual({
      rule: row.rule,
      step: row.step,
      reason: row.reason,
    });
  });
};

/** The rest of a row whose decision is to hold. */
export const hold = (rule: string, reason: Reason) => ({ rule, step: "hold", reason }) as const;
