import fc from "fast-check";
import { expect, test } from "vitest";
import { quietClock } from "../../src/decide/quiet.ts";
import type { QuietClock } from "../../src/decide/quiet.ts";
import { rememberEvidence } from "../../src/observe/remember.ts";
import type { Profile } from "../../src/rotation/policy.ts";
import type { Evidence } from "../../src/rotation/observation.ts";
import type { UserRecord } from "../../src/rotation/record.ts";
import { days } from "../../src/rotation/time.ts";
import { aCustody, aDelivery, aKey, aMemory, anObservation, aRecord, ago, K1, K2, NOW } from "../builders.ts";
import { evidence, memory, past, profile, RUNS } from "./situations.ts";

const keys = [aKey(K1, days(140)), aKey(K2, days(70))] as const;
const custody = aCustody({ current: K2, previous: K1 });

function clockOf(record: UserRecord, served: Profile): QuietClock {
  const observation = anObservation({ keys, custody, record });
  const clock = quietClock({ observation, profile: served, now: NOW, old: keys[0], current: keys[1] });
  if (clock === null) throw new Error("the promotion is on record");
  return clock;
}

const record = fc.record({ old: memory, promotedAt: past, deliveredAt: past }).map(({ old, promotedAt, deliveredAt }) =>
  aRecord({
    keys: { [K1]: old, [K2]: aMemory({ promotedAt, adoptedAt: ago(days(1)) }) },
    deliveries: [aDelivery(K2, deliveredAt)],
  }),
);

/** What may make a use of no use: that a read was a hand-over, and that all readers have the new pair. */
const isExplaining = ({ answer }: Evidence): boolean =>
  answer.source === "readers" || (answer.source === "cloudtrail" && answer.handOverAt !== null);

test("whatever is learnt later, the quiet clock never moves back, but where a hand-over explains a read", () => {
  fc.assert(
    fc.property(record, evidence, profile, (known, found, served) => {
      const told = served.readers.length > 0 ? found.filter((entry) => !isExplaining(entry)) : found;
      const seen = { keys, custody, isPulled: served.isPulled, now: NOW };
      const [before, after] = [clockOf(known, served), clockOf(rememberEvidence(known, told, seen), served)];
      expect(after.quietSince).toBeGreaterThanOrEqual(before.quietSince);
      expect(after.readyAt).toBeGreaterThanOrEqual(before.readyAt);
    }),
    RUNS,
  );
});

test("answers count the same in whatever order they come, older ones among them", () => {
  fc.assert(
    fc.property(record, evidence, profile, (known, found, served) => {
      const seen = { keys, custody, isPulled: served.isPulled, now: NOW };
      const [one, other] = [found, found.toReversed()].map((told) => rememberEvidence(known, told, seen));
      expect(clockOf(one ?? known, served).readyAt).toBe(clockOf(other ?? known, served).readyAt);
    }),
    RUNS,
  );
});

test("no key is ready before it was silent for its quiet and four hours after everybody could have the new one", () => {
  fc.assert(
    fc.property(record, profile, (known, served) => {
      const { base, quietSince, readyAt } = clockOf(known, served);
      const { quietForMs, idleAtMostMs } = served.policy;
      expect(quietSince).toBeGreaterThanOrEqual(base);
      expect(readyAt - base).toBeGreaterThanOrEqual(Math.max(quietForMs, idleAtMostMs ?? 0) + 4 * 3_600_000);
    }),
    RUNS,
  );
});
