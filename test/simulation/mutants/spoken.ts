import type { Mutant } from "./mutant.ts";

const RULE = "src/decide/rules/exposed.ts";
const WINDOW = ["test/rotations/window.test.ts", "test/decide"];
const OPERATOR = ["test/rotations/operator.test.ts", "test/rotations/pause.test.ts", "test/rotations"];
const STORED = ["test/rotations/pages.test.ts", "test/rotations/drift.test.ts", "test/rotations"];
const LEAKED = [
  "test/rotations/leaked.test.ts",
  "test/rotations/leaked-readers.test.ts",
  "test/rotations/revoke.test.ts",
];

/** What waits for its hour, what is stored and not live, and what operators and leaks have a way of their own for. */
export const SPOKEN_MUTANTS: readonly Mutant[] = [
  {
    name: "stored is live",
    mistake: "A pair that is only stored counts as delivered.",
    patches: [
      {
        file: "src/act/deliver.ts",
        find: "const liveAt = receipt.awaits === undefined ? now : null;",
        replace: "const liveAt = now;",
      },
    ],
    tests: STORED,
  },
  {
    name: "a failed build is waited for",
    mistake: "What was made to put a stored pair live has failed, and is never begun again.",
    patches: [
      {
        file: "src/decide/deliveries.ts",
        find: 'if (live === "failed" && last !== undefined && now - last.attemptedAt >= FAILED_AGAIN_AFTER_MS) {',
        replace: 'if (live === "failed" && last !== undefined && last.attemptedAt - now >= FAILED_AGAIN_AFTER_MS) {',
      },
      {
        file: "src/decide/deliveries.ts",
        find: 'if (live === "failed") return hold("DestinationNotLive",',
        replace: 'if (live === "failed") return hold("DestinationStored",',
      },
    ],
    tests: STORED,
  },
  {
    name: "drift at rest is left",
    mistake: "A destination that is back on an older pair is only looked at while an old key is there.",
    patches: [
      {
        file: "src/decide/deliveries.ts",
        find: 'return rulings.find((ruling) => ruling?.reason === "DestinationBehind") ?? null;',
        replace:
          'return observation.keys.length < 2 ? null : (rulings.find((ruling) => ruling?.reason === "DestinationBehind") ?? null);',
      },
    ],
    tests: STORED,
  },
  {
    name: "drift is not looked for",
    mistake: "Nobody looks whether a destination is back on an older pair, before the old key goes or later.",
    patches: [
      {
        file: "src/decide/deliveries.ts",
        find: 'return rulings.find((ruling) => ruling?.reason === "DestinationBehind") ?? null;',
        replace: "return rulings.length < 0 ? (rulings[0] ?? null) : null;",
      },
      {
        file: "src/decide/rules/retire.ts",
        find: "const open = destinationNotOurs(situation) ?? (",
        replace: "const open = (situation.now < 0 ? destinationNotOurs(situation) : null) ?? (",
      },
      {
        file: "src/decide/rules/deliver-again.ts",
        find: "  const ruling = destinationNotOurs(situation);\n",
        replace: "  const ruling = now < 0 ? destinationNotOurs(situation) : null;\n",
      },
    ],
    tests: STORED,
  },
  {
    name: "an old look is followed",
    mistake: "After a delivery the look of before is decided on once more.",
    patches: [
      {
        file: "src/act/deliver.ts",
        find: '({ answer }) => !("destination" in answer && answer.destination === name),',
        replace: '({ answer }) => !("destination" in answer && answer.destination === ""),',
      },
    ],
    tests: STORED,
  },
  {
    name: "no window",
    mistake: "A profile's window is open at any hour.",
    patches: [
      {
        file: "src/decide/window.ts",
        find: "if (window === null || until === null) return null;",
        replace: "if (window === null || until === null || now > 0) return null;",
      },
    ],
    tests: WINDOW,
  },
  {
    name: "a key goes at any hour",
    mistake: "Deliveries wait for the window, and deactivations do not.",
    patches: [
      {
        file: "src/decide/retirement.ts",
        find: "const closed = (replaced: Replaced): Ruling | null => windowClosed(",
        replace: "const closed = (replaced: Replaced): Ruling | null => replaced.now > 0 ? null : windowClosed(",
      },
    ],
    tests: WINDOW,
  },
  {
    name: "an emergency waits for the window",
    mistake: "A leaked key is replaced and cut in the profile's window only.",
    patches: [
      {
        file: RULE,
        find: "(isEmergency(situation.observation) ? emergency(situation) : null),",
        replace:
          '(isEmergency(situation.observation) ? (windowClosed(situation, "cutting it") ?? emergency(situation)) : null),',
      },
      {
        file: RULE,
        find: 'import { look } from "../rulings.ts";',
        replace: 'import { look } from "../rulings.ts";\nimport { windowClosed } from "../window.ts";',
      },
    ],
    tests: LEAKED,
  },
  {
    name: "giving back waits for the window",
    mistake: "A key that was needed after all is given back in the profile's window only.",
    patches: [
      {
        file: "src/decide/rules/needed-after-all.ts",
        find: "return isSince ? null : ruling;",
        replace: 'return isSince ? null : (windowClosed(judged, "giving it back") ?? ruling);',
      },
      {
        file: "src/decide/rules/needed-after-all.ts",
        find: 'import { describeSighting, look } from "../rulings.ts";',
        replace:
          'import { describeSighting, look } from "../rulings.ts";\nimport { windowClosed } from "../window.ts";',
      },
    ],
    tests: WINDOW,
  },
  {
    name: "an exposed key waits for silence",
    mistake: "A leaked key stays as long as somebody uses it.",
    patches: [
      {
        file: RULE,
        find: "if (open !== undefined && behind.length === 0 && heir.id === currentId) {",
        replace:
          "if (open !== undefined && behind.length === 0 && heir.id === currentId && situation.now - (memoryOf(observation, open.keyId)?.latestUse?.at ?? situation.now) > days(3)) {",
      },
      {
        file: RULE,
        find: "const due = open.find((exposure) => dueAt(exposure) <= now);",
        replace:
          "const due = open.find((exposure) => dueAt(exposure) <= now && now - (memoryOf(observation, exposure.keyId)?.latestUse?.at ?? now) > days(3));",
      },
    ],
    tests: LEAKED,
  },
  {
    name: "a leaked key is cut first",
    mistake: "A leaked key is cut, and then replaced, also where nobody could read its replacement in custody.",
    patches: [
      {
        file: RULE,
        find: "  const heir = heirOf(observation);\n  if (heir === null) return unlisted(situation) ?? replace(situation);\n",
        replace:
          '  const heir = heirOf(observation);\n  const [first] = uncut(observation);\n  if (first !== undefined) return cut(situation, first, "it is cut first");\n  if (heir === null) return replace(situation);\n',
      },
    ],
    tests: LEAKED,
  },
  {
    name: "the hour is a minute",
    mistake:
      "A leaked key whose replacement could not be delivered yet is not given the time that its profile has for that.",
    patches: [
      { file: RULE, find: "(profile?.policy.cutExposedWithinMs ?? 0)", replace: "(profile === null ? 0 : minutes(1))" },
    ],
    tests: LEAKED,
  },
  {
    name: "an exposed replacement is promoted",
    mistake: "A replacement that leaked while it was pending becomes current.",
    patches: [
      {
        file: RULE,
        find: "if (pendingId !== null && (isExposed(observation, pendingId) || pending",
        replace: "if (pendingId !== null && ((isExposed(observation, pendingId) && situation.now < 0) || pending",
      },
      {
        file: "src/decide/exposure.ts",
        find: "return [pending, current].find((key) => isSound(observation, key)) ?? null;",
        replace:
          'return [pending, current].find((key) => (key !== null && key === pending && key.status === "active") || isSound(observation, key)) ?? null;',
      },
    ],
    tests: LEAKED,
  },
  {
    name: "revoke replaces nothing",
    mistake: "A key that an operator revokes is cut, and its consumers are given no other.",
    patches: [
      {
        file: RULE,
        find: "  if (keys.length < 2) {\n",
        replace: '  if (keys.length < 2 && observation.notes.exposures.every(({ by }) => by !== "revoke")) {\n',
      },
    ],
    tests: LEAKED,
  },
  {
    name: "a rollback proves nothing",
    mistake: "A rollback hands out a pair that AWS refuses.",
    patches: [
      {
        file: "src/act/operator/rollback.ts",
        find: '  if (proof.kind !== "done") throw unfinished(begun, proof.because);\n',
        replace: "",
      },
      {
        file: "src/act/operator/rollback.ts",
        find: 'const proof = await prove(proving, { kind: "prove", keyId: to });',
        replace: 'if (to === null) await prove(proving, { kind: "prove", keyId: to });',
      },
    ],
    tests: OPERATOR,
  },
  {
    name: "a rollback moves the label alone",
    mistake: "A rollback makes the earlier pair current, and delivers it nowhere.",
    patches: [
      {
        file: "src/act/operator/rollback.ts",
        find: "  for (const { name } of behind) {\n",
        replace: "  for (const { name } of behind.slice(0, 0)) {\n",
      },
    ],
    tests: OPERATOR,
  },
  {
    name: "a hold is only said",
    mistake: "An operator's hold is in the history, and no tag is written.",
    patches: [
      {
        file: "src/act/operator/hold.ts",
        find: "    await world.directory.hold(user, reason);\n",
        replace: "    if (reason === null) await world.directory.hold(user, reason);\n",
      },
    ],
    tests: OPERATOR,
  },
  {
    name: "a pause is only said",
    mistake: "An operator's pause is answered, and nothing is written.",
    patches: [
      {
        file: "src/act/operator/pause.ts",
        find: "  await journal.setPause({ since,",
        replace: "  if (since < 0) await journal.setPause({ since,",
      },
    ],
    tests: OPERATOR,
  },
  {
    name: "retire waives delivery",
    mistake: "An operator's `retire` takes a key from a destination that was not given the other.",
    patches: [
      {
        file: "src/decide/retirement.ts",
        find: "const obstacle = undelivered(replaced) ?? unreleased(replaced);",
        replace: "const obstacle = (isRetireAsked(replaced) ? null : undelivered(replaced)) ?? unreleased(replaced);",
      },
    ],
    tests: OPERATOR,
  },
  {
    name: "retire waits for no cache",
    mistake: "An operator's `retire` takes a key from readers that still have it in their caches.",
    patches: [
      {
        file: "src/decide/retirement.ts",
        find: "if (isRetireAsked(replaced)) return tooSoon(replaced, clock) ?? closed(replaced) ?? asked(replaced, clock);",
        replace: "if (isRetireAsked(replaced)) return closed(replaced) ?? asked(replaced, clock);",
      },
    ],
    tests: OPERATOR,
  },
  {
    name: "retired is every key",
    mistake: "An operator's `retire` of one key waives the proof for the next ones.",
    patches: [
      {
        file: "src/decide/retirement.ts",
        find: "  const { retireAskedAt = null, reactivatedAt = null, promotedAt = null } = memoryOf(observation, old.id) ?? {};",
        replace:
          "  const { reactivatedAt = null, promotedAt = null } = memoryOf(observation, old.id) ?? {};\n  const retireAskedAt = latest(...Object.values(observation.record.keys).map((key) => key.retireAskedAt ?? null));",
      },
    ],
    tests: OPERATOR,
  },
  {
    name: "a key of nobody's has no age",
    mistake:
      "A key of which a younger journal cannot tell whose it is counts as a stranger's, and outlives its policy.",
    patches: [
      {
        file: "src/report/deadlines.ts",
        find: "const isUnknown = !knowsWholeLife(record, key) &&",
        replace: "const isUnknown = key.id === null && !knowsWholeLife(record, key) &&",
      },
    ],
    tests: ["test/report/notices.test.ts"],
  },
];
