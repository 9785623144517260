import { expect, test } from "vitest";
import { metricsOf } from "../../src/report/metrics.ts";
import { days, plus, seconds } from "../../src/rotation/time.ts";
import { NOW } from "./builders.ts";

const SWEEP = {
  startedAt: NOW,
  endedAt: plus(NOW, seconds(90)),
  rules: ["retire", "retire", "delete", "prove", "nothing-due", "not-ours-to-touch", "another", null],
  resting: 40,
  isComplete: true,
  keysMadeAt: [plus(NOW, seconds(90) - days(80)), plus(NOW, seconds(90) - days(88.5)), NOW],
  open: (["KeyOverdue", "DeliveryLate", "EvidenceLate", "UseUnknown", "Stranger", "NobodyListens"] as const).map(
    (code) => ({ code }),
  ),
  usage: { calls: 71, throttles: 3 },
};

test("a sweep is counted by phase, age and trouble", () => {
  expect(metricsOf("keyturn", SWEEP)).toMatchObject({
    Delivering: 1,
    Quieting: 2,
    Soaking: 1,
    Settled: 41,
    Held: 3,
    OldestKeyDays: 88.5,
    KeysOverdue: 1,
    RotationsBlocked: 2,
    EvidenceUnknown: 1,
    NotifierFailures: 0,
    TopicsUnheard: 1,
    ApiCalls: 71,
    Throttles: 3,
    SweepSeconds: 90,
  });
});

test("each number of the line is declared as a metric of the namespace, once, and nothing else is", () => {
  const { _aws, ...counts } = metricsOf("keyturn-dev", SWEEP);
  const { Timestamp, CloudWatchMetrics } = _aws as {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly [{ readonly Metrics: readonly { readonly Name: string }[] }];
  };
  const [declared] = CloudWatchMetrics;
  expect(declared).toMatchObject({ Namespace: "keyturn-dev", Dimensions: [[]] });
  expect(declared.Metrics.map(({ Name }) => Name)).toEqual(Object.keys(counts));
  expect(Object.values(counts).every((count) => typeof count === "number")).toBe(true);
  expect(Timestamp).toBe(SWEEP.endedAt);
});

test("an account without keys has no oldest one", () => {
  expect(metricsOf("keyturn", { ...SWEEP, keysMadeAt: [] })).toMatchObject({ OldestKeyDays: 0 });
});

test("a sweep that did not look at everybody says what it found, and of nothing that it is over", () => {
  const open = [{ code: "KeyOverdue" }] as const;
  const counts = metricsOf("keyturn", { ...SWEEP, open, isComplete: false });
  expect(counts).toMatchObject({ KeysOverdue: 1, NotifierFailures: 0 });
  expect(counts).not.toHaveProperty("RotationsBlocked");
  expect(counts).not.toHaveProperty("EvidenceUnknown");
});
