import type { Mutant } from "./mutant.ts";

const RULE = "src/decide/rules/exposed.ts";
const TESTS = [
  "test/rotations/leaked.test.ts",
  "test/rotations/leaked-readers.test.ts",
  "test/rotations/quarantine.test.ts",
  "test/rotations/revoke.test.ts",
  "test/world/direct.test.ts",
];

/** What is done about a leaked key. */
export const LEAK_MUTANTS: readonly Mutant[] = [
  {
    name: "an exposed key is given back",
    mistake: "Late evidence gives a key back that was cut because it is exposed.",
    patches: [
      {
        file: "src/decide/rules/needed-after-all.ts",
        find: "observation.keys.some(({ id }) => isExposed(observation, id))",
        replace: "observation.keys.every(({ id }) => isExposed(observation, id))",
      },
    ],
    tests: ["test/decide/order.test.ts", ...TESTS],
  },
  {
    name: "nothing makes room",
    mistake: "Without room for a replacement the emergency waits for the cut.",
    patches: [{ file: RULE, find: "if (victim !== null) {", replace: "if (victim !== null && keys.length > 2) {" }],
    tests: TESTS,
  },
  {
    name: "any key makes room",
    mistake: "An active key that was made by hand is deleted for a replacement.",
    patches: [
      {
        file: RULE,
        find: "others.find((key) => isSpare(observation, key))",
        replace: 'others.find((key) => isSpare(observation, key) || key.status === "active")',
      },
    ],
    tests: TESTS,
  },
  {
    name: "a refused mark is nobody's",
    mistake: "What a run was told of a leaked key, and could not write down, is not marked with the quarantine either.",
    patches: [
      {
        file: RULE,
        find: "keys.filter(({ createdAt }) => createdAt <= at)",
        replace: "keys.filter(({ id, createdAt }) => createdAt <= at && !isExposed(observation, id))",
      },
    ],
    tests: TESTS,
  },
  {
    name: "a refused mark ends the run",
    mistake: "While a mark is refused nothing is done about a leaked key.",
    patches: [
      {
        file: "src/reconcile.ts",
        find: 'if (outcome.step.kind === "mark") unmarked.push(...datedBy(outcome.step));',
        replace: 'if (outcome.step.kind === "mark") return datedBy(outcome.step).length > 2;',
      },
    ],
    tests: TESTS,
  },
  {
    name: "a refused mark condemns what is younger",
    mistake: "Where neither CloudTrail nor a mark tells since when a policy is attached every key is older than it.",
    patches: [
      {
        file: "src/reconcile.ts",
        find: "exposures.filter((exposure) => at < exposure.at)",
        replace: "exposures.filter((exposure) => at <= exposure.at)",
      },
    ],
    tests: TESTS,
  },
  {
    name: "a cut without a mark is given back",
    mistake: "A leaked key whose mark was refused is given back by the next sweep, to whom it was taken from.",
    patches: [
      {
        file: "src/observe/observe.ts",
        find: "const notes = withCuts(seen, recorded);",
        replace: "const notes = withCuts(seen, { ...recorded, keys: {} });",
      },
    ],
    tests: TESTS,
  },
  {
    name: "what leaked in its soak is forgotten",
    mistake: "That a key leaked which was Inactive already is known to its mark alone, and that was refused.",
    patches: [
      {
        file: "src/observe/observe.ts",
        find: "known.deactivation.exposedBy !== undefined) continue;",
        replace: "known.deactivation.at > 0) continue;",
      },
    ],
    tests: TESTS,
  },
  {
    name: "an unmarked quarantine is none",
    mistake: "Where a quarantine cannot be written down the rules below go on.",
    patches: [
      {
        file: RULE,
        find: "return unmarked(observation, isFewer);",
        replace: "return unmarked(observation, true) && null;",
      },
    ],
    tests: ["test/decide/exposed.test.ts", ...TESTS],
  },
  {
    name: "what was read is cut an hour later",
    mistake:
      "What a thief read in custody, and could not be marked, is left to a later run, and who read it is gone by then.",
    patches: [
      {
        file: "src/reconcile.ts",
        find: "({ ...exposure, at: instant(0) })",
        replace: "({ ...exposure, at: exposure.at })",
      },
    ],
    tests: TESTS,
  },
  {
    name: "many destinations use up the steps",
    mistake: "A run that tries as many destinations as it has steps never comes to the cut.",
    patches: [{ file: "src/reconcile.ts", find: "STEPS_MAX + subject.destinations.length", replace: "STEPS_MAX" }],
    tests: TESTS,
  },
  {
    name: "who is gone read nothing",
    mistake: "A leaked key that was deleted to make room works for some seconds more, and is not asked about.",
    patches: [
      {
        file: RULE,
        find: "if (!isListed && !isJustGone) return null;",
        replace: "if (!isListed) return null;",
      },
    ],
    tests: TESTS,
  },
  {
    name: "an old key was read by nobody",
    mistake:
      "What lay in custody before the current pair is not asked about, although a leaked key could read it there.",
    patches: [{ file: RULE, find: "[current, pending, ...old].filter(", replace: "[current, pending].filter(" }],
    tests: ["test/rotations/leaked-readers.test.ts"],
  },
  {
    name: "given back in a quarantine",
    mistake: "A key is given back although a quarantine policy that is not marked yet may mean it.",
    patches: [
      {
        file: "src/decide/rules/needed-after-all.ts",
        find: " || isNewlyQuarantined(observation)) return null;",
        replace: " || (observation.keys.length === 0 && isNewlyQuarantined(observation))) return null;",
      },
    ],
    tests: TESTS,
  },
  {
    name: "an older attachment is this one",
    mistake: "What CloudTrail tells of the attachment before counts as the one that it does not tell of yet.",
    patches: [
      { file: RULE, find: "told !== null && told > unseenAt;", replace: "told !== null && told > unseenAt - now;" },
    ],
    tests: TESTS,
  },
  {
    name: "the older of two makes room",
    mistake: "Of two exposed keys of which none is current the older one is deleted, and it is in use.",
    patches: [{ file: RULE, find: "(unheld ?? others[0])", replace: "(unheld === null ? unheld : others[0])" }],
    tests: TESTS,
  },
  {
    name: "a reader is cut last",
    mistake: "The leaked key of a user that reads custody works until its replacement is current.",
    patches: [
      {
        file: "src/act/create-replacement.ts",
        find: "if (isUrgent) await cutReaders(acting, at);",
        replace: "if (isUrgent && made(acting) === null) await cutReaders(acting, at);",
      },
      {
        file: "src/act/create-replacement.ts",
        find: "/** Where the user reads custody, who has its exposed key would find the replacement there. */",
        replace: "const made = (acting: Acting): Acting => acting;\n",
      },
      {
        file: RULE,
        find: "if (open !== undefined && readsCustody(situation)) return cut(",
        replace: 'if (open !== undefined && readsCustody(situation) && heir.status !== "active") return cut(',
      },
    ],
    tests: TESTS,
  },
  {
    name: "custody lets sessions read",
    mistake: "Custody's resource policy does not deny the sessions of its user.",
    patches: [
      {
        file: "src/cloud/custody-notes.ts",
        find: 'Null: { "aws:TokenIssueTime": "false" }',
        replace: 'Null: { "aws:TokenIssueTime": "true", "aws:PrincipalArn": "true" }',
      },
    ],
    tests: TESTS,
  },
  {
    name: "an exposed key waits for everybody",
    mistake: "An exposed key stays as long as a destination is behind.",
    patches: [
      {
        file: RULE,
        find: "if (due !== undefined) return cut(",
        replace: "if (due !== undefined && due.at > now) return cut(",
      },
    ],
    tests: TESTS,
  },
  {
    name: "a quarantine condemns the replacement",
    mistake: "A quarantine policy condemns every key, however young.",
    patches: [
      {
        file: RULE,
        find: 'if (policies === undefined || policies === (notes.quarantine?.policies ?? "")) return null;',
        replace: 'if (policies === undefined || (policies === "" && notes.quarantine === null)) return null;',
      },
      { file: RULE, find: "({ createdAt }) => createdAt <= at)", replace: "({ createdAt }) => createdAt <= now)" },
    ],
    tests: ["test/rotations/quarantine.test.ts", ...TESTS],
  },
  {
    name: "cannot-see above an emergency",
    mistake: "Custody that cannot be read keeps an exposed key.",
    patches: [
      {
        file: "src/decide/rules/cannot-see.ts",
        find: "if (isEmergency(observation) || isNewlyQuarantined(observation)) return null;",
        replace: "if (isEmergency(observation) && observation.blindSpots.length === 0) return null;",
      },
    ],
    tests: TESTS,
  },
  {
    name: "a read of custody is no exposure",
    mistake: "A pair that a leaked key may have read in custody takes its place.",
    patches: [
      {
        file: RULE,
        find: 'if (reads.verdict === "none") return null;',
        replace: 'if (reads.verdict !== "unknown") return null;',
      },
    ],
    tests: TESTS,
  },
  {
    name: "a disabled replacement keeps its slot",
    mistake: "A replacement that somebody disabled stays pending while the leaked key needs another.",
    patches: [{ file: RULE, find: 'pending?.status === "inactive"', replace: "situation.now < 0" }],
    tests: ["test/decide/exposed.test.ts"],
  },
  {
    name: "what is stored is in use",
    mistake: "Of two leaked keys the one that is live goes, because another was stored since.",
    patches: [{ file: RULE, find: "!isInUse(observation, id)", replace: "!isHeld(observation, id)" }],
    tests: ["test/decide/exposed.test.ts"],
  },
  {
    name: "a stale answer ends a quarantine",
    mistake: "An answer of before the attachment counts as its end, and the policy then condemns the replacement.",
    patches: [{ file: RULE, find: "if (isFewer && isJustSeen)", replace: "if (isFewer && isJustSeen && now < 0)" }],
    tests: ["test/decide/exposed.test.ts"],
  },
  {
    name: "given back unread",
    mistake: "A key is given back although nobody can tell whether it leaked.",
    patches: [
      {
        file: "src/decide/rules/needed-after-all.ts",
        find: "if (observation.notes.isUnread === true) return null;",
        replace: "if (observation.notes.isUnread === true && situation.now < 0) return null;",
      },
    ],
    tests: ["test/decide/order.test.ts"],
  },
  {
    name: "the leaked one makes room",
    mistake: "Of two Inactive keys the leaked one goes, and with it the reason for which another is made.",
    patches: [
      { file: RULE, find: "taken.find(({ id }) => !isExposed(observation, id)) ?? taken[0]", replace: "taken[0]" },
    ],
    tests: ["test/decide/exposed.test.ts"],
  },
  {
    name: "who made room was taken by somebody",
    mistake: "The intent of the rotation names the key that was deleted for room, and so its user waits for ever.",
    patches: [
      {
        file: "src/act/delete.ts",
        find: "before: record.intent.before.filter((known) => known !== id)",
        replace: "before: record.intent.before",
      },
    ],
    tests: ["test/simulation/simulation.test.ts"],
  },
  {
    name: "an emergency goes on without its user",
    mistake: "A user whose tag was taken away in the middle of a run is left alone by one step, and not by the next.",
    patches: [
      {
        file: "src/reconcile.ts",
        find: 'if (outcome.kind === "withdrawn" && outcome.isMoved === true) return false;',
        replace: "",
      },
    ],
    tests: ["test/rotations/places.test.ts"],
  },
  {
    name: "a detached policy is attached still",
    mistake:
      "The attachment that CloudTrail tells of counts, although the policy was detached since and attached once more.",
    patches: [
      {
        file: "src/observe/evidence/reads.ts",
        find: "return isOver ? null : (attached?.at ?? null);",
        replace: "return isOver && attached === null ? null : (attached?.at ?? null);",
      },
    ],
    tests: ["test/world/direct.test.ts"],
  },
  {
    name: "what was rolled back is nobody's",
    mistake:
      "A replacement that an operator rolled back before it was delivered is nobody's, and keeps a leaked key's slot.",
    patches: [
      {
        file: RULE,
        find: "record.intent?.created === key.id || record.rollback?.from === key.id;",
        replace: "record.intent?.created === key.id;",
      },
      {
        file: "src/report/deadlines.ts",
        find: "takenOverAt !== undefined || record.rollback?.from === id;",
        replace: "takenOverAt !== undefined;",
      },
    ],
    tests: ["test/rotations/spare.test.ts"],
  },
];
