import { expect, test } from "vitest";
import type { Reason } from "../../src/rotation/decision.ts";
import type { Observation } from "../../src/rotation/observation.ts";
import { tell } from "../../src/report/report.ts";
import { recordingLog, recordingNotifier } from "../world/direct/recorders.ts";
import { daysAgo, decided, findings, K1, NOW, observation } from "./builders.ts";

/** What is told to be over by a look that comes two days after this was last seen. */
async function endedBy(code: string, rule: string, reason: Reason, seen: Partial<Observation> = {}): Promise<string[]> {
  const mail = recordingNotifier("mail");
  const decision = { ...decided(reason), rule };
  const turns = [{ decision, outcome: { kind: "held" } as const }];
  const records = { [code]: { saidAt: daysAgo(3), seenAt: daysAgo(2) } };
  await tell({ notifiers: [mail], log: recordingLog() }, findings({ turns, observation: observation(seen) }), records);
  return mail.notices.filter(({ isOver }) => isOver).map(({ code: told }) => told);
}

test("a notice that a look could have seen again is over", async () => {
  expect(await endedBy("NotAdopted", "nothing-due", "NothingDue")).toEqual(["NotAdopted"]);
});

test.for<[string, Reason]>([
  ["cannot-see", "BlindSpot"],
  ["not-ours-to-touch", "CurrentKeyDisabled"],
  ["exposed", "KeyExposed"],
  ["smtp", "SmtpNotRuledOut"],
  ["orphan", "OrphanTooYoung"],
  ["stranger", "Stranger"],
  ["retire", "WindowClosed"],
])("what %s hides by %s is not over", async ([rule, reason]) => {
  expect(await endedBy("NotAdopted", rule, reason)).toEqual([]);
});

test("an unhealthy consumer is not well before it was asked", async () => {
  const place = { name: "worker", slots: ["worker"], readsCustody: false, hasHealth: true };
  const health = { verdict: "healthy", because: null, lastSignedAt: null } as const;
  const answer = { source: "health", destination: "worker", keyId: K1, health } as const;
  const evidence = [{ askedAt: NOW, answeredAt: NOW, answer }];
  const unhealthy = "ConsumerUnhealthy:worker";
  expect(await endedBy(unhealthy, "retire", "OldKeyStillUsed", { destinations: [place] })).toEqual([]);
  expect(await endedBy(unhealthy, "retire", "OldKeyQuieting", { destinations: [place], evidence })).toEqual([
    "ConsumerUnhealthy",
  ]);
  // It no longer has a route that could be asked.
  expect(await endedBy(unhealthy, "retire", "OldKeyStillUsed")).toEqual(["ConsumerUnhealthy"]);
});
