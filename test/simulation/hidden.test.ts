import { expect, test } from "vitest";
import { days, minutes } from "../../src/rotation/time.ts";
import { aProfile } from "../builders.ts";
import { SimulatedClock } from "../world/clock.ts";
import { hearsay } from "./checkers/hidden.ts";
import type { CallKind, Consumer } from "./consumers.ts";
import { typedInHold } from "./holds.ts";
import { rhythmOf } from "./rhythm.ts";

const USED_MS = Date.parse("2026-01-07T09:37:00Z");
const NOW_MS = USED_MS + days(9);
const OLD = { keyId: "AKIAOLDOLDOLDOLDOLDO", secret: "old" };
const NEW = { keyId: "AKIANEWNEWNEWNEWNEWN", secret: "new" };
const DATA: CallKind = { service: "lambda", operation: "Invoke", isManagement: false, region: "us-east-1" };

const someone = (kind: Consumer["hold"]["kind"], pair = OLD, call = DATA): Consumer => ({
  name: "somebody",
  user: "ci",
  rhythm: rhythmOf({ name: "", periodMs: days(10), jitterMs: 0, isOnWeekdays: false, phaseMs: USED_MS, seed: 0 }),
  hold: { ...typedInHold(pair), kind },
  call,
  settledMs: NOW_MS,
  excused: new Set(),
  forgiven: new Set(),
});

interface Facts {
  readonly consumer?: Consumer;
  readonly reader?: Consumer;
  readonly readers?: readonly string[];
  readonly quietForMs?: number;
  readonly readAtMs?: number;
  /** What last-used told of before the deactivation. */
  readonly told?: { readonly service: string; readonly atMs: number; readonly isHeard?: boolean };
}

/** Whether the holder is excused, who signed at USED_MS, three minutes after a reader, and whom nobody could see. */
function isExcused(facts: Facts = {}): boolean {
  const { consumer = someone("typed-in"), reader = someone("pulls", NEW), readers = ["laptop"], told } = facts;
  const { quietForMs = days(5), readAtMs = USED_MS - minutes(3) } = facts;
  const { hear, isHidden } = hearsay({ clock: new SimulatedClock(NOW_MS) });
  const profile = aProfile({ isPulled: true, readers, policy: { ...aProfile().policy, quietForMs } });
  if (told !== undefined) {
    const answer = { AccessKeyLastUsed: { LastUsedDate: new Date(told.atMs), ServiceName: told.service } };
    const input = { AccessKeyId: OLD.keyId };
    hear({ name: "iam.GetAccessKeyLastUsed", input, answer, isHeard: told.isHeard ?? true });
  }
  const uses = [{ atMs: readAtMs, service: "secretsmanager", region: "us-east-1" }];
  return isHidden({ profile, consumers: [consumer, reader] }, consumer, { id: OLD.keyId, uses });
}

test("who is not counted, and signs for data beside a hand-over, is excused", () => {
  expect(isExcused()).toBe(true);
});

test.each<[string, Facts]>([
  ["the profile names no readers: then a hand-over is a use", { readers: [] }],
  ["it is given its pair by Keyturn", { consumer: someone("worker") }],
  ["it is a reader itself", { consumer: someone("pulls") }],
  ["CloudTrail shows its call", { consumer: someone("typed-in", OLD, { ...DATA, isManagement: true }) }],
  ["a reader still holds the old pair", { reader: someone("pulls", OLD) }],
  ["nobody read since a quarter of an hour before", { readAtMs: USED_MS - minutes(15) - 1 }],
  ["quietFor is not over since the read", { quietForMs: days(9) + minutes(3) + 1 }],
  ["last-used told of its use", { told: { service: "lambda", atMs: USED_MS } }],
  ["last-used told of another's in that span", { told: { service: "s3", atMs: USED_MS - minutes(15) } }],
])("nobody is excused where %s", (_, facts) => {
  expect(isExcused(facts)).toBe(false);
});

test.each<[string, Facts]>([
  ["the read was a quarter of an hour before", { readAtMs: USED_MS - minutes(15) }],
  ["quietFor ends now", { quietForMs: days(9) + minutes(3) }],
  ["last-used told of the read alone", { told: { service: "secretsmanager", atMs: USED_MS } }],
  ["last-used told of what was before", { told: { service: "lambda", atMs: USED_MS - minutes(15) - 1 } }],
  ["nobody heard the answer", { told: { service: "lambda", atMs: USED_MS, isHeard: false } }],
])("it is excused still where %s", (_, facts) => {
  expect(isExcused(facts)).toBe(true);
});
