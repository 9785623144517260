import type { Mutant } from "./mutant.ts";

const REMEMBER = "src/observe/remember.ts";
const DELETE = "src/decide/rules/delete.ts";
const TABLE = ["test/decide", "test/rotations"];

/** Which keys go for good, and what must have been seen of them. */
export const ENDING_MUTANTS: readonly Mutant[] = [
  {
    name: "old is only what is older",
    mistake: "A key that custody once held, and is younger than the current one, belongs to nobody (N8).",
    patches: [
      {
        file: "src/decide/parts.ts",
        find: "isCustodyEmpty || isKnown(observation, key.id) || isOlder(key);",
        replace: "isCustodyEmpty || isOlder(key);",
      },
    ],
    tests: TABLE,
  },
  {
    name: "orphan on absence of evidence",
    mistake: "A key that appeared under an intent is deleted although nothing says that we made it (B2).",
    patches: [
      {
        file: "src/decide/rules/orphan.ts",
        find: 'if (maker === "ours") return judgeOurs(situation, key);',
        replace: 'if (maker === "ours" || maker === "unknown") return judgeOurs(situation, key);',
      },
    ],
    tests: TABLE,
  },
  {
    name: "a young orphan goes",
    mistake: "A lost key is deleted before last-used could have told of a use (B2).",
    patches: [
      {
        file: "src/decide/rules/orphan.ts",
        find: "const ORPHAN_AGE_MS = LAST_USED_LAG_MS + LAST_USED_COLLAPSE_MS;",
        replace:
          "const ORPHAN_AGE_MS = LAST_USED_LAG_MS - LAST_USED_LAG_MS + LAST_USED_COLLAPSE_MS - LAST_USED_COLLAPSE_MS;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "an intent never ends",
    mistake: "An intent of a failed creation casts suspicion on a person's key a month later (B2).",
    patches: [
      {
        file: "src/decide/parts.ts",
        find: "export const INTENT_VALID_MS = minutes(15);",
        replace: "export const INTENT_VALID_MS = minutes(60 * 24 * 30);",
      },
    ],
    tests: TABLE,
  },
  {
    name: "a delivered orphan goes",
    mistake: "A journal younger than a key is believed when it says that the key was never delivered (N18).",
    patches: [
      {
        file: "src/decide/rules/orphan.ts",
        find: "if (!knowsWholeLife(observation.record, key)) {",
        replace: "if (!knowsWholeLife(observation.record, key) && now < 0) {",
      },
    ],
    tests: TABLE,
  },
  {
    name: "no soak",
    mistake: "An Inactive key is deleted at once.",
    patches: [{ file: DELETE, find: "return soaking(judged) ?? unproved(judged)", replace: "return unproved(judged)" }],
    tests: TABLE,
  },
  {
    name: "a use in the soak is not looked for",
    mistake: "A key is deleted although a use of it came to light while it was Inactive.",
    patches: [
      {
        file: DELETE,
        find: "return soaking(judged) ?? unproved(judged) ?? unreplaced(judged)",
        replace: "return soaking(judged) ?? unreplaced(judged)",
      },
    ],
    tests: TABLE,
  },
  {
    name: "disabled by others is replaced",
    mistake: "A key that somebody else disabled is deleted although nobody was seen to use the current one.",
    patches: [{ file: DELETE, find: "unproved(judged) ?? unreplaced(judged) ??", replace: "unproved(judged) ??" }],
    tests: TABLE,
  },
  {
    name: "delete what a destination holds",
    mistake: "After a rollback the key that a destination holds again is deleted.",
    patches: [
      {
        file: DELETE,
        find: "unreplaced(judged) ?? held(judged) ?? remove(judged);",
        replace: "unreplaced(judged) ?? remove(judged);",
      },
    ],
    tests: TABLE,
  },
  {
    name: "an undated key goes",
    mistake: "A key of which nobody knows since when it is Inactive counts as long unused (S5).",
    patches: [
      {
        file: DELETE,
        find: "if (firstSeenAt < inactiveSinceOf(judged)) return true;",
        replace: "if (firstSeenAt <= inactiveSinceOf(judged)) return true;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "an older hand hides ours",
    mistake: "What a person did to a key before we took it counts as done since.",
    patches: [
      {
        file: "src/decide/rules/needed-after-all.ts",
        find: "(takenAt === null || author.at >=",
        replace: "(takenAt === null || author.at > 0 || author.at >=",
      },
    ],
    tests: TABLE,
  },
  {
    name: "a disabled current key rotates",
    mistake: "A current key that somebody disabled, or deleted, is replaced as if it were there.",
    patches: [
      {
        file: "src/decide/rules/not-ours-to-touch.ts",
        find: " ?? taken(situation, partsOf(observation));",
        replace: " ?? (situation.now < 0 ? taken(situation, partsOf(observation)) : null);",
      },
    ],
    tests: TABLE,
  },
  {
    name: "a recreated user inherits",
    mistake: "A user made again under the same name inherits custody and journal.",
    patches: [
      {
        file: "src/decide/rules/not-ours-to-touch.ts",
        find: "  if (!other) return null;",
        replace: '  if (!other || account !== "") return null;',
      },
    ],
    tests: TABLE,
  },
  {
    name: "missing once is gone",
    mistake: "A key that one listing does not show counts as deleted.",
    patches: [
      {
        file: "src/decide/parts.ts",
        find: "const MISSING_FOR_MS = hours(1);",
        replace: "const MISSING_FOR_MS = hours(0);",
      },
    ],
    tests: TABLE,
  },
  {
    name: "a settling listing is a reactivation",
    mistake: "A listing that still shows the key Active counts as somebody's reactivation.",
    patches: [
      {
        file: REMEMBER,
        find: "const LISTING_SETTLES_MS = minutes(5);",
        replace: "const LISTING_SETTLES_MS = minutes(0);",
      },
    ],
    tests: [...TABLE],
  },
  {
    name: "what was not answered was not sent",
    mistake: "A deactivation without an answer counts as refused while the run that froze before it may still send it.",
    patches: [
      {
        file: REMEMBER,
        find: "const UNANSWERED_SETTLES_MS = minutes(20);",
        replace: "const UNANSWERED_SETTLES_MS = minutes(5);",
      },
    ],
    tests: ["test/rotations/concurrency.test.ts"],
  },
  {
    name: "a reactivation is not noticed",
    mistake: "A key that is Active again is not on record as such (B3).",
    patches: [
      {
        file: REMEMBER,
        find: "inactiveSince: null, deactivation: null, reactivatedAt: now, releasedAt: null };",
        replace: "inactiveSince: null, deactivation: null };",
      },
    ],
    tests: [...TABLE],
  },
  {
    name: "no wait after an orphan",
    mistake: "A key whose secret could not be stored is followed by the next within the hour.",
    patches: [
      {
        file: "src/decide/rules/create.ts",
        find: "  if (now >= until) return null;\n",
        replace: "  if (now >= until || count > 0) return null;\n",
      },
    ],
    tests: TABLE,
  },
  {
    name: "a sweep forgets who leaked meanwhile",
    mistake: "At its end a sweep writes down whom it left, over those of whom a leak was told since it began.",
    patches: [
      {
        file: "src/sweep.ts",
        find: "const left = [...new Set([...found.left, ...memory.left])];",
        replace: "const left = [...new Set(memory.left)];",
      },
      {
        file: "src/handlers/exposed.ts",
        find: 'if (by === "health" && unseen !== undefined)',
        replace: 'if (by !== "health" && by !== "revoke" && unseen !== undefined)',
      },
    ],
    tests: ["test/rotations/leak-events.test.ts"],
  },
  {
    name: "an event that could not look is done",
    mistake: "AWS Health's event does not come again where its user could not be looked at.",
    patches: [
      {
        file: "src/handlers/exposed.ts",
        find: 'if (by === "health" && unseen !== undefined)',
        replace: 'if (by !== "health" && by !== "revoke" && unseen !== undefined)',
      },
    ],
    tests: ["test/rotations/leak-events.test.ts"],
  },
  {
    name: "cut before by the clocks alone",
    mistake:
      "A replacement that was made after the cut counts as read where CloudTrail cannot tell, and the clock was ahead.",
    patches: [
      {
        file: "src/decide/rules/exposed.ts",
        find: "const isCutBefore = !isListed || isOnRecord ||",
        replace: "const isCutBefore = !isListed || (isOnRecord && since === null) ||",
      },
    ],
    tests: ["test/rotations/leaked-readers.test.ts"],
  },
  {
    name: "a withdrawn replacement is never spare",
    mistake: "Who made the key that fills the slot is asked only while its intent is on record.",
    patches: [
      {
        file: "src/decide/rules/exposed.ts",
        find: "const [made] = [...partsOf(observation).suspects, ...partsOf(observation).strangers];",
        replace: "const [made] = partsOf(observation).suspects;",
      },
    ],
    tests: ["test/rotations/leak-events.test.ts"],
  },
];
