import type { Mutant } from "./mutant.ts";

const LEDGER = "src/act/ledger.ts";
const ROTATIONS = ["test/act", "test/rotations/second-look.test.ts", "test/rotations"];

/** How a step is done: second look, lease, records, fresh tags. */
export const ACT_MUTANTS: readonly Mutant[] = [
  {
    name: "no re-check before deactivating",
    mistake: "A deactivation is done by the look that decided it.",
    patches: [
      {
        file: "src/act/deactivate.ts",
        find: "const second = await recheck(acting, step);",
        replace:
          'const second = recheck === null ? await recheck(acting, step) : ({ kind: "same", fresh: { ...acting.observation, record: ledger.record() } } as const);',
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "no re-check before deleting",
    mistake: "A deletion is done by the look that decided it.",
    patches: [
      {
        file: "src/act/delete.ts",
        find: "const second = await recheck(acting, step);",
        replace:
          'const second = recheck === null ? await recheck(acting, step) : ({ kind: "same", fresh: { ...acting.observation, record: ledger.record() } } as const);',
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "a re-check is not heeded",
    mistake: "The second look is taken, and whatever it says the step is done.",
    patches: [{ file: "src/act/recheck.ts", find: "return isSame ?", replace: "return isSame || step !== null ?" }],
    tests: ROTATIONS,
  },
  {
    name: "no lease",
    mistake: "A run takes no lease: two work on one user at once.",
    patches: [
      {
        file: LEDGER,
        find: "const lease: Lease | null = isClosing ? null : { user, holder, until: plus(now, LEASE_MS) };",
        replace: "const lease: Lease | null = null;",
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "a lease of a minute",
    mistake: "A lease ends before the act that it is for.",
    patches: [
      { file: LEDGER, find: "const LEASE_MS = minutes(5);", replace: "const LEASE_MS = minutes(0.2);" },
      { file: LEDGER, find: "const LEASE_LEFT_MIN_MS = minutes(4);", replace: "const LEASE_LEFT_MIN_MS = minutes(0);" },
    ],
    tests: ROTATIONS,
  },
  {
    name: "a lost write is a success",
    mistake: "A write of the journal that failed is not found out: the run goes on.",
    patches: [
      {
        file: LEDGER,
        find: "        if (!isOurs(found) || !isEqual(found.record, next.record)) throw lose(user);",
        replace: "",
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "no write before an act",
    mistake: "Steps that have nothing to write are done without taking the lease.",
    patches: [
      {
        file: "src/act/index.ts",
        find: "if (!isMark && !writesFirst && !ledger.isHeld()) await ledger.save((record) => record);",
        replace:
          "if (!isMark && !writesFirst && !ledger.isHeld() && ledger === null) await acting.ledger.save((record) => record);",
      },
    ],
    tests: ["test/rotations/concurrency.test.ts", ...ROTATIONS],
  },
  {
    name: "staged changes dropped",
    mistake: "What a step has staged is lost with the next look.",
    patches: [
      {
        file: LEDGER,
        find: "revision: () => ({ ...pen.revision(), record }),",
        replace: "revision: () => pen.revision(),",
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "staged history dropped",
    mistake: "The lines that a step has staged are not written.",
    patches: [
      {
        file: LEDGER,
        find: "    lines = [...lines, ...more];",
        replace: "    lines = more.length > 1_000 ? more : lines;",
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "deactivation not on record first",
    mistake: "A deactivation is journalled after its answer only.",
    patches: [
      {
        file: "src/act/deactivate.ts",
        find: "  await ledger.save((record) => withKey(record, keyId, { deactivation: begun }), line);\n",
        replace: "  ledger.stage((record) => withKey(record, keyId, { deactivation: begun }), line);\n",
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "deletion not on record first",
    mistake: "A deletion is journalled after its answer only.",
    patches: [
      {
        file: "src/act/delete.ts",
        find: "  await ledger.save(() => withUnheard(second.fresh.record, unheard), line);\n",
        replace: "  ledger.stage(() => withUnheard(second.fresh.record, unheard), line);\n",
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "a refused deactivation stays on record",
    mistake: "A deactivation that IAM refused stays on record, and passes for our hand when somebody disables the key.",
    patches: [
      {
        file: "src/act/deactivate.ts",
        find: "if (isRefused) await ledger.save(",
        replace: "if (isRefused && keyId === null) await ledger.save(",
      },
    ],
    tests: ["test/rotations/second-thoughts.test.ts", ...ROTATIONS],
  },
  {
    name: "a refusal forgets the attempt before",
    mistake:
      "A deactivation without an answer is forgotten when the next is refused, and passes for somebody else's hand.",
    patches: [{ file: "src/act/deactivate.ts", find: "{ deactivation: before }", replace: "{ deactivation: null }" }],
    tests: ["test/rotations/leaked-readers.test.ts"],
  },
  {
    name: "promotion not on record",
    mistake: "The time of a promotion is not written down.",
    patches: [
      {
        file: "src/act/promote.ts",
        find: "({ ...withKey(record, keyId, { promotedAt }), ...change }),",
        replace: "({ ...withKey(record, keyId, {}), ...change, ...(promotedAt < 0 ? {} : {}) }),",
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "tags are not read afresh",
    mistake: "An act goes by tags that the listing showed up to a quarter of an hour ago (B11).",
    patches: [
      {
        file: "src/act/acting.ts",
        find: "  return movedSince(subject, await world.directory.read(subject.user));\n",
        replace: "  return movedSince(subject, subject.iamUser);\n",
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "hard steps go by the listing",
    mistake: "A key is handed out, or taken, by tags that are a minute old (B11).",
    patches: [
      {
        file: "src/act/acting.ts",
        find: 'const HARD: readonly ActStep["kind"][] = ["deliver", "deactivate", "delete", "reactivate"];',
        replace: 'const HARD: readonly ActStep["kind"][] = [];',
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "a hold is not a hold",
    mistake: "The tag keyturn-hold is not looked for.",
    patches: [{ file: "src/observe/standing.ts", find: "    held(user) ??\n", replace: "" }],
    tests: ["test/rotations/unreadable.test.ts", "test/rotations"],
  },
  {
    name: "a slot is shared",
    mistake: "Two users deliver to one place.",
    patches: [
      {
        file: "src/observe/standing.ts",
        find: "    slotShared(user, census, slots);",
        replace: "    (slots.length < 0 ? slotShared(user, census, slots) : null);",
      },
    ],
    tests: ["test/rotations/unreadable.test.ts", "test/rotations"],
  },
  {
    name: "two enrolments",
    mistake: "A user that two stages enrol is served by both.",
    patches: [
      { file: "src/observe/standing.ts", find: "if (tags.length > 1) return", replace: "if (tags.length > 9) return" },
    ],
    tests: ["test/rotations/unreadable.test.ts", "test/rotations"],
  },
  {
    name: "keys unreadable are none",
    mistake: "Keys that could not be listed count as no keys.",
    patches: [
      {
        file: "src/observe/observe.ts",
        find: 'seeing("keys", () => world.accessKeys.list(user), blindSpots),',
        replace: "world.accessKeys.list(user).catch(() => []),",
      },
    ],
    tests: ["test/rotations/unreadable.test.ts", "test/rotations"],
  },
  {
    name: "an unreadable journal is a new one",
    mistake: "A journal that could not be read counts as one that knows nothing.",
    patches: [
      {
        file: "src/observe/observe.ts",
        find: 'known.revision ?? seeing("journal", () => world.journal.read(user), blindSpots),',
        replace: "known.revision ?? world.journal.read(user).catch(() => null),",
      },
    ],
    tests: ["test/rotations/unreadable.test.ts", "test/rotations"],
  },
  {
    name: "unreadable custody is absent",
    mistake: "Custody that could not be read counts as custody that is not there.",
    patches: [
      {
        file: "src/observe/observe.ts",
        find: 'const custody = await seeing("custody", () => world.custody.read(user, recognise), blindSpots);',
        replace:
          'const custody = await world.custody.read(user, recognise).catch(() => ({ kind: "absent" as const }));',
      },
    ],
    tests: ["test/rotations/unreadable.test.ts", "test/rotations"],
  },
  {
    name: "paused, and acts",
    mistake: "A table without its running item does not stop the sweep.",
    patches: [
      {
        file: "src/sweep.ts",
        find: "const isPaused = state.runningSince === null;",
        replace: "const isPaused = state.runningSince === null && state.left.length > 1_000;",
      },
    ],
    tests: ["test/rotations/lost-journal.test.ts", "test/sweep.test.ts", "test/rotations"],
  },
];
