import type { Mutant } from "./mutant.ts";

const OPERATOR = ["test/rotations/operator.test.ts"];
const DEPLOYMENT = ["test/wire/deployment/deployment.test.ts"];

/** Cases in which an earlier design went wrong, and that no other list has: operators' words, rights, the clock. */
export const CASE_MUTANTS: readonly Mutant[] = [
  {
    name: "making room starves retiring",
    mistake: "Whoever has two keys waits for room, and nothing below that rule is ever asked.",
    patches: [
      {
        file: "src/decide/rules/make-room.ts",
        find: "if (!isCustodyEmpty || profile === null || all.length < 2) return null;",
        replace:
          'if (!isCustodyEmpty && observation.keys.length > 1) return hold("TwoHandMadeKeys", "no room"); if (profile === null || all.length < 2) return null;',
      },
    ],
    tests: ["test/rotations/laptops.test.ts"],
  },
  {
    name: "a retired key is given back",
    mistake: "What comes to light after an operator's word to retire a key gives the key back.",
    patches: [
      {
        file: "src/decide/rules/needed-after-all.ts",
        find: "if (isAsked) return null;",
        replace: "if (isAsked && observation.keys.length > 2) return null;",
      },
    ],
    tests: OPERATOR,
  },
  {
    name: "a rollback to the pair that is there",
    mistake: "Without an earlier pair a rollback says that it is done.",
    patches: [
      {
        file: "src/act/operator/rollback.ts",
        find: "(pending === null ? previous : current)?.keyId ?? null",
        replace: "(pending === null ? (previous ?? current) : current)?.keyId ?? null",
      },
      {
        file: "src/act/operator/rollback.ts",
        find: "if (told === null && pending === null && parts.currentId === to) throw refused",
        replace: "if (told === null && pending === null && parts.currentId === null) throw refused",
      },
    ],
    tests: OPERATOR,
  },
  {
    name: "a rollback in the middle of a deactivation",
    mistake:
      "A key that was taken a second ago is handed on as soon as it answers, while the deactivation is on its way.",
    patches: [
      {
        file: "src/act/operator/rollback.ts",
        find: "if (isOnItsWay) await",
        replace: "if (isOnItsWay && takenAt < 0) await",
      },
    ],
  },
  {
    name: "a rollback by an old listing",
    mistake: "A rollback right after a deactivation hands the key out that IAM's listing shows as it was.",
    patches: [
      { file: "src/act/operator/rollback.ts", find: "return isOnRecord || keys.some", replace: "return keys.some" },
    ],
    tests: ["test/rotations/operator.test.ts"],
  },
  {
    name: "a rollback said twice",
    mistake: "A rollback that is repeated takes back what the first one did.",
    patches: [
      {
        file: "src/act/operator/rollback.ts",
        find: "const isTold = isHeld && last !== null",
        replace: "const isTold = isHeld && last !== null && last.at < 0",
      },
    ],
    tests: OPERATOR,
  },
  {
    name: "who lost the current key has no way out",
    mistake: "An operator's words are refused for a user whose current key somebody took away.",
    patches: [
      {
        file: "src/act/operator/begin.ts",
        find: "if (profile === null || (ruling !== null && !isTaken)) throw",
        replace: "if (profile === null || ruling !== null) throw",
      },
    ],
    tests: OPERATOR,
  },
  {
    name: "the first alarm in every rotation",
    mistake: "An old key is called overdue while an ordinary rotation still takes it away.",
    patches: [
      {
        file: "src/report/deadlines.ts",
        find: "const WARN_BEFORE_MS = days(3);",
        replace: "const WARN_BEFORE_MS = days(14);",
      },
    ],
    tests: ["test/rotations/retirement.test.ts"],
  },
  {
    name: "the clock is never doubted",
    mistake: "Once set by AWS's first answer the clock is not compared with any later one.",
    patches: [
      {
        file: "src/cloud/clock.ts",
        find: "if (Math.abs(differsMs) > DRIFT_MAX_MS) driftMs ??= differsMs;",
        replace: "if (differsMs > 1_000 * DRIFT_MAX_MS) driftMs ??= differsMs;",
      },
    ],
    tests: ["test/cloud/clock.test.ts"],
  },
  {
    name: "deleted without asking whether it is well",
    mistake: "At the end of the soak no consumer's health is asked.",
    patches: [
      {
        file: "src/decide/rules/delete.ts",
        find: "?? (currentId === null ? null : healthOpen(observation, currentId));",
        replace: "?? (currentId === null ? healthOpen(observation, old.id) : null);",
      },
    ],
    tests: ["test/rotations/health.test.ts"],
  },
  {
    name: "old versions count",
    mistake: "Versions that are not live, and still hold the old key, keep it for ever.",
    patches: [
      {
        file: "src/act/deactivate.ts",
        find: "const kept = await keptAt(acting);",
        replace: "const kept = await keptAt(acting);\n  must(kept.length === 0, `nothing keeps ${keyId}`);",
      },
    ],
    tests: ["test/rotations/drift.test.ts"],
  },
  {
    name: "the former token goes at once",
    mistake: "The token that was replaced is deleted while a warm function may hold it.",
    patches: [
      {
        file: "src/tokens/decide.ts",
        find: "left.find((token) => heldUntil(token) <= now)",
        replace: "left.find((token) => heldUntil(token) >= 0)",
      },
    ],
    tests: ["test/tokens"],
  },
  {
    name: "a leak is heard in one Region",
    mistake: "What AWS Health says in another Region is handed on to that Region's own bus.",
    patches: [
      {
        file: "scripts/leaked-keys.json",
        find: '"Id": "keyturn",\n            "Arn": { "Fn::Sub": "arn:${AWS::Partition}:events:${KeyturnRegion}:',
        replace: '"Id": "keyturn",\n            "Arn": { "Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:',
      },
    ],
    tests: ["test/wire/deployment/leaked-keys.test.ts"],
  },
  {
    name: "whoever holds may hold anybody",
    mistake: "The right to hold is a right to tag users that are not enrolled.",
    patches: [
      {
        file: "scripts/stage.cjs",
        find: 'Null: { ...isEnrolled.Null, "aws:TagKeys": "false" },\n    "ForAllValues:StringEquals"',
        replace: 'Null: { "aws:TagKeys": "false" },\n    "ForAllValues:StringEquals"',
      },
    ],
    tests: DEPLOYMENT,
  },
  {
    name: "the function may enrol",
    mistake: "The function has the right to write the enrolment tag, with which it could take any user for its own.",
    patches: [
      {
        file: "scripts/stage.cjs",
        find: '"ForAllValues:StringLike": { "aws:TagKeys": "AKIA*" },',
        replace: '"ForAllValues:StringLike": { "aws:TagKeys": ["AKIA*", name] },',
      },
      {
        file: "serverless.yml",
        find: 'aws:TagKeys: ["AKIA*", keyturn-hold]',
        replace: 'aws:TagKeys: ["AKIA*", keyturn-hold, keyturn]',
      },
    ],
    tests: DEPLOYMENT,
  },
  {
    name: "a dead key keeps its place",
    mistake: "A Worker whose key somebody took away is not well, and therefore gets no other.",
    patches: [
      {
        file: "src/act/create-replacement.ts",
        find: "destination.preflight(null, deadKeys(observation))",
        replace: "destination.preflight(null, deadKeys(observation).slice(0, 0))",
      },
      {
        file: "src/act/deliver.ts",
        find: "destination.preflight(keyId, deadKeys(acting.observation))",
        replace: "destination.preflight(keyId, deadKeys(acting.observation).slice(0, 0))",
      },
    ],
    tests: ["test/rotations/health.test.ts"],
  },
  {
    name: "what was heard before another pair went there still counts",
    mistake:
      "A pair that is handed to a place once more keeps the receipt of the time before, whatever went there since.",
    patches: [
      {
        file: "src/act/deliver.ts",
        find: "const known = isLast ? earlier : undefined;",
        replace: "const known = earlier;",
      },
    ],
    tests: ["test/rotations/pages.test.ts"],
  },
  {
    name: "a stranger is an old key beside what was made after it",
    mistake: "Somebody's key counts as an old one once a replacement is current that is younger than it.",
    patches: [
      {
        file: "src/act/create-replacement.ts",
        find: "return strangers.reduce((marked, { id }) => withKey(marked, id, { isStranger: true }), record);",
        replace:
          "return strangers.length < 9 ? record : strangers.reduce((marked, { id }) => withKey(marked, id, {}), record);",
      },
    ],
    tests: ["test/rotations/leaked.test.ts"],
  },
];
