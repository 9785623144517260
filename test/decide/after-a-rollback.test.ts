import { expect, test } from "vitest";
import { partsOf } from "../../src/decide/parts.ts";
import { days } from "../../src/rotation/time.ts";
import { aCustody, aDelivery, aKey, aMemory, anObservation, aRecord, ago, K1, K2 } from "../builders.ts";

/** K2 was current for a while; then somebody moved custody's label back to the older K1. */
const keys = [aKey(K1, days(100)), aKey(K2, days(20))];

test.for([
  ["custody shows it as the previous one", aCustody({ current: K1, previous: K2 }), aRecord()],
  [
    "it was once promoted",
    aCustody({ current: K1 }),
    aRecord({ keys: { [K2]: aMemory({ promotedAt: ago(days(19)) }) } }),
  ],
  ["it was once delivered", aCustody({ current: K1 }), aRecord({ deliveries: [aDelivery(K2, ago(days(19)))] })],
] as const)(
  "N8: a key that is younger than the current one is old, and no stranger, where %s",
  ([, custody, record]) => {
    const parts = partsOf(anObservation({ keys, custody, record }));
    expect([parts.old.map(({ id }) => id), parts.strangers]).toEqual([[K2], []]);
  },
);

test("N8: one that nobody knows is a stranger", () => {
  const parts = partsOf(anObservation({ keys, custody: aCustody({ current: K1 }) }));
  expect([parts.old, parts.strangers.map(({ id }) => id)]).toEqual([[], [K2]]);
});
