import type { Mutant } from "./mutant.ts";

const REST = "src/observe/rest.ts";
const TESTS = ["test/rotations/rest.test.ts", "test/sweep.test.ts", "test/rotations"];

/** When a user is not looked at, and what people are told. */
export const REST_MUTANTS: readonly Mutant[] = [
  {
    name: "a rest without a seal",
    mistake: "A user rests although what the bulk readings show of it has changed.",
    patches: [
      {
        file: REST,
        find: "return subject.standing.barred === null && rest.seal === sealOf(subject);",
        replace: "return subject.standing.barred === null && rest.seal.length + sealOf(subject).length > 0;",
      },
    ],
    tests: TESTS,
  },
  {
    name: "the report is not sealed",
    mistake: "A user rests although the credential report shows another key.",
    patches: [
      {
        file: REST,
        find: "const shown = reported?.map(({ isActive, changedAt }) => [isActive, changedAt]);",
        replace: "const shown = reported?.map(() => null).slice(0, 0);",
      },
    ],
    tests: TESTS,
  },
  {
    name: "a rest on an old report",
    mistake: "A user goes to rest although the credential report does not show its only key yet.",
    patches: [
      {
        file: REST,
        find: "if (reported?.length !== 1 || shown?.isActive !== true || shown.changedAt < key.createdAt) return null;",
        replace: "if (shown === null) return null;",
      },
    ],
    tests: TESTS,
  },
  {
    name: "a rest that never ends",
    mistake: "A rest has no end of its own.",
    patches: [{ file: REST, find: " || now >= rest.until) return false;", replace: " || now < 0) return false;" }],
    tests: TESTS,
  },
  {
    name: "a rest over the due day",
    mistake: "A rest goes on when the key is due.",
    patches: [
      { file: REST, find: "Math.min(lookAt, dueAt)", replace: "Math.max(lookAt, dueAt + REST_SPREAD_MS * 40)" },
    ],
    tests: TESTS,
  },
  {
    name: "a rest with a pending pair",
    mistake: "A user goes to rest whatever was decided.",
    patches: [
      {
        file: REST,
        find: 'if (decision.reason !== "NothingDue" || subject.standing.barred !== null) return null;',
        replace: 'if (decision.reason === "NotEnrolled" || subject.standing.barred !== null) return null;',
      },
    ],
    tests: TESTS,
  },
  {
    name: "a barred user rests",
    mistake: "A user that shares a slot, or is held, goes on resting.",
    patches: [
      { file: REST, find: "return subject.standing.barred === null && rest.seal", replace: "return rest.seal" },
    ],
    tests: TESTS,
  },
  {
    name: "a look does not wake",
    mistake: "A look that ends in no rest leaves the old one on record.",
    patches: [
      { file: "src/observe/remember.ts", find: "keys, deliveries, rest: null };", replace: "keys, deliveries };" },
      {
        file: "src/reconcile.ts",
        find: "await close(world, ledger, { notices, rest, isUnderWay });",
        replace: "await close(world, ledger, { notices, rest: rest ?? ledger.record().rest, isUnderWay });",
      },
    ],
    tests: TESTS,
  },
  {
    name: "a rest with an untold notice",
    mistake: "A user goes to rest although a notice of it could not be sent.",
    patches: [
      {
        file: "src/reconcile.ts",
        find: "const isQuiet = failedNotifiers.length === 0 && ",
        replace: "const isQuiet = ",
      },
    ],
    tests: TESTS,
  },
  {
    name: "nobody is awake",
    mistake: "The users that are not at rest are not handed on to the next sweep.",
    patches: [
      {
        file: "src/sweep.ts",
        find: "return names === null || names.length > AWAKE_MAX ? null : names;",
        replace: "return names?.slice(0, 0) ?? null;",
      },
    ],
    tests: TESTS,
  },
  {
    name: "custody is listed once",
    mistake: "Custody is listed in the first sweep, and never again.",
    patches: [
      {
        file: "src/observe/subjects.ts",
        find: "const CUSTODY_LISTED_EVERY_MS = hours(12);",
        replace: "const CUSTODY_LISTED_EVERY_MS = hours(120_000);",
      },
    ],
    tests: TESTS,
  },
  {
    name: "only the tagged",
    mistake: "A user whose tag is gone is not looked at, although custody is there.",
    patches: [
      {
        file: "src/observe/subjects.ts",
        find: "new Set([...enrolled, ...inCustody])",
        replace: "new Set([...enrolled, ...inCustody.slice(0, 0)])",
      },
    ],
    tests: TESTS,
  },
  {
    name: "the last are never reached",
    mistake: "A sweep begins at the front, whomever the last one left.",
    patches: [
      {
        file: "src/sweep.ts",
        find: "const wasLeft = new Set(left);",
        replace: "const wasLeft = new Set(left.slice(0, 0));",
      },
    ],
    tests: ["test/sweep.test.ts"],
  },
  {
    name: "said once and never again",
    mistake: "What blocks a rotation is told once, and no reminder follows.",
    patches: [
      {
        file: "src/report/remember.ts",
        find: "return againAfterMs !== null && now - before.saidAt >= againAfterMs;",
        replace: "return againAfterMs !== null && now < before.saidAt - againAfterMs;",
      },
    ],
    tests: ["test/report"],
  },
  {
    name: "an unsent notice is said",
    mistake: "A notice that no notifier could send counts as said.",
    patches: [
      {
        file: "src/report/report.ts",
        find: "const kept = isUnsaid ? known : records;",
        replace: "const kept = isUnsaid ? records : records;",
      },
    ],
    tests: ["test/report", "test/rotations"],
  },
  {
    name: "nobody hears of an overdue key",
    mistake: "The age of a key is nobody's worry.",
    patches: [
      {
        file: "src/report/deadlines.ts",
        find: "if (beyondMs < -WARN_BEFORE_MS) return [];",
        replace: "if (beyondMs > -WARN_BEFORE_MS * 1_000) return [];",
      },
    ],
    tests: ["test/report"],
  },
];
