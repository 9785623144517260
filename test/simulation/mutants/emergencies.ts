import type { Mutant } from "./mutant.ts";

const RULE = "src/decide/rules/exposed.ts";

/** What an emergency takes for spare, for given, for made, and for told. */
export const EMERGENCY_MUTANTS: readonly Mutant[] = [
  {
    name: "a key that is there is spare",
    mistake: "What a place confirmed last makes room, where another pair was stored or tried since: consumers have it.",
    patches: [{ file: RULE, find: "attemptedAt >= given.attemptedAt", replace: "attemptedAt > given.attemptedAt" }],
    tests: ["test/rotations/spare.test.ts", "test/decide/exposed.test.ts"],
  },
  {
    name: "what was tried last is there",
    mistake: "A delivery that failed counts as what its place has, and what the place was given before makes room.",
    patches: [
      {
        file: RULE,
        find: "const given = lastGivenTo(record, destination);",
        replace: "const given = lastDeliveryTo({ record }, destination);",
      },
    ],
    tests: ["test/rotations/spare.test.ts"],
  },
  {
    name: "a place without a delivery has nothing",
    mistake:
      "After the journal was lost a key that was current makes room, and the places that it went to are on no record.",
    patches: [
      {
        file: RULE,
        find: "return isTold && isDelivered(observation, key.id);",
        replace: "return (isTold || true) && isDelivered(observation, key.id);",
      },
    ],
    tests: ["test/rotations/spare.test.ts"],
  },
  {
    name: "a young journal knows where it went",
    mistake:
      "A replacement that leaked is cut at once, because a journal that is younger than it has no delivery of it.",
    patches: [
      { file: RULE, find: "const wentOut = !isKnown ||", replace: "const wentOut = (!isKnown && keyId === null) ||" },
    ],
    tests: ["test/rotations/spare.test.ts"],
  },
  {
    name: "an unlisted replacement is made again",
    mistake: "A replacement that IAM does not list yet counts as gone, and a second one takes the slot.",
    patches: [
      { file: RULE, find: "return unlisted(situation) ?? replace(situation);", replace: "return replace(situation);" },
    ],
    tests: ["test/rotations/stale-answers.test.ts"],
  },
  {
    name: "IAM knows best what was made",
    mistake: "A run does not know the key that it has made itself, where IAM's listing is minutes old.",
    patches: [
      {
        file: "src/observe/observe.ts",
        find: "there === null || listed.some(({ id }) => id === there.id)",
        replace: "there === null || listed.length >= 0",
      },
    ],
    tests: ["test/rotations/stale-answers.test.ts"],
  },
  {
    name: "what does not answer is there",
    mistake: "A replacement that IAM neither lists nor knows the secret of is taken to be there, and no other is made.",
    patches: [
      {
        file: "src/reconcile.ts",
        find: "if ((isTaken || isDead) && step",
        replace: "if ((isTaken || (isDead && course === null)) && step",
      },
    ],
    tests: ["test/rotations/stale-answers.test.ts"],
  },
  {
    name: "what was deleted a moment ago is there",
    mistake:
      "That a replacement works which IAM does not list is proof at once, although a deleted one works for seconds.",
    patches: [
      {
        file: "src/act/prove.ts",
        find: "const DELETED_WORKS_FOR_MS = minutes(1);",
        replace: "const DELETED_WORKS_FOR_MS = minutes(0);",
      },
    ],
    tests: ["test/rotations/stale-answers.test.ts"],
  },
  {
    name: "the attachment of a known policy counts",
    mistake: "What CloudTrail tells of a policy that is marked already dates another one, where a clock was behind.",
    patches: [
      {
        file: "src/observe/evidence/reads.ts",
        find: "policies.includes(policy)) return event;",
        replace: 'policy !== "") return event;',
      },
    ],
    tests: ["test/rotations/quarantine.test.ts", "test/world/direct.test.ts"],
  },
  {
    name: "a place forgets what it was given",
    mistake: "The last delivery to a place is forgotten with its key, and what it was given before counts as there.",
    patches: [
      {
        file: "src/observe/remember.ts",
        find: "const deliveries = withoutGone(record, keys);",
        replace: "const deliveries = record.deliveries.filter(({ keyId }) => keyId in keys);",
      },
    ],
    tests: ["test/rotations/places.test.ts"],
  },
  {
    name: "each try tells the same again",
    mistake: "An event that waits for a run which died tells people the same every fifteen seconds.",
    patches: [
      { file: "src/handlers/exposed.ts", find: "const world = tellingOnce(of);", replace: "const world = of;" },
    ],
    tests: ["test/rotations/leak-events.test.ts"],
  },
];
