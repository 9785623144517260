import type { Mutant } from "./mutant.ts";

const QUIET = "src/decide/quiet.ts";
const RETIREMENT = "src/decide/retirement.ts";
const ANSWERS = "src/decide/answers.ts";
const TABLE = ["test/decide", "test/rotations"];

const readyAfter = (replace: string): Mutant["patches"] => [
  {
    file: QUIET,
    find: "    plus(quietSince, quietMs(policy) + LAST_USED_LAG_MS),\n",
    replace: `    plus(quietSince, ${replace}),\n`,
  },
];

/** How long a key must have been silent, and what breaks the silence. */
export const SILENCE_MUTANTS: readonly Mutant[] = [
  {
    name: "unknown last-used is unused",
    mistake: "A last-used that could not be read counts as one that says never.",
    patches: [
      {
        file: ANSWERS,
        find: 'if (use?.verdict === "unknown") return hold(',
        replace: 'if (use?.verdict === "unknown" && now() < 0) return hold(',
      },
      {
        file: ANSWERS,
        find: "/** CloudTrail keeps 90 days;",
        replace: "const now = (): number => 0;\n/** CloudTrail keeps 90 days;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "unknown CloudTrail is silent",
    mistake: "A CloudTrail that could not be read counts as one that shows no use.",
    patches: [
      {
        file: ANSWERS,
        find: 'return use.verdict === "unknown" ? hold("UseUnknown", `${what} cannot be told: ${use.because}`) : null;',
        replace: "return null;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "an unreadable destination is ours",
    mistake: "What is live at a destination and cannot be read counts as our own delivery.",
    patches: [
      {
        file: ANSWERS,
        find: 'if (answer?.live !== "unknown") return null;',
        replace: "if (answer !== null) return null;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "quiet counted from creation",
    mistake: "Quiet is counted from the replacement's creation, not from when everybody could have it.",
    patches: [
      {
        file: QUIET,
        find: "const base = plus(everywhereAt, policy.cacheForMs);",
        replace: "const base = current.createdAt;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "quiet ignores uses",
    mistake: "Quiet is counted from the delivery, whatever uses came after it.",
    patches: [
      {
        file: QUIET,
        find: "const quietSince = latest(base, usedUntil, disturbedAt, memory.sessionsEndAt ?? null) ?? base;",
        replace: "const quietSince = latest(base, usedUntil === null ? null : base, disturbedAt) ?? base;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "sessions forgotten",
    mistake: "Who traded the key for a session counts as gone while the session lasts.",
    patches: [
      {
        file: QUIET,
        find: "latest(base, usedUntil, disturbedAt, memory.sessionsEndAt ?? null)",
        replace: "latest(base, usedUntil, disturbedAt)",
      },
    ],
    tests: TABLE,
  },
  {
    name: "readers' caches forgotten",
    mistake: "Quiet does not wait until the readers' caches have run out.",
    patches: [
      {
        file: QUIET,
        find: "const base = plus(everywhereAt, policy.cacheForMs);",
        replace: "const base = everywhereAt;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "promotion is everywhere",
    mistake: "Quiet is counted from the promotion, although a destination was delivered to later.",
    patches: [
      {
        file: QUIET,
        find: "latest(promotedAt, lastDeliveredAt(observation, current.id), ",
        replace: "latest(promotedAt, ",
      },
    ],
    tests: TABLE,
  },
  {
    name: "quiet without the lag",
    mistake: "Quiet does not add the four hours by which last-used is late (B7).",
    patches: readyAfter("quietMs(policy)"),
    tests: TABLE,
  },
  {
    name: "idleAtMost forgotten",
    mistake: "Quiet is quietFor, although the profile declares a longer silence of a consumer that lives (B6).",
    patches: readyAfter("policy.quietForMs + LAST_USED_LAG_MS"),
    tests: TABLE,
  },
  {
    name: "the collapse forgotten",
    mistake: "A use is taken for the last of its quarter of an hour, and is the first.",
    patches: [
      {
        file: QUIET,
        find: "use === null ? null : plus(use.at, LAST_USED_COLLAPSE_MS);",
        replace: "use === null ? null : use.at;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "a pull is no use at all",
    mistake: "For a profile that pulls every call to Secrets Manager counts as a hand-over.",
    patches: [
      {
        file: QUIET,
        find: "isHandedOver ? unexplainedRead(old) : old.latestRead",
        replace: "isHandedOver ? null : old.latestRead",
      },
    ],
    tests: TABLE,
  },
  {
    name: "handed over is who asked",
    mistake: "A hand-over restarts quietFor although not all readers were seen to sign with the new pair.",
    patches: [
      {
        file: "src/decide/readers.ts",
        find: "return replaced.profile.readers.length > 0 && missingReaders(replaced).length === 0;",
        replace: "return replaced.profile.readers.length > 0;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "a hand-over restarts nothing",
    mistake: "A laptop that has only just pulled is not waited for.",
    patches: [
      {
        file: QUIET,
        find: "memory.handOverAt === null ? null : plus(memory.handOverAt, policy.quietForMs + LAST_USED_LAG_MS),",
        replace: "null,",
      },
    ],
    tests: TABLE,
  },
  {
    name: "confirmed and gone",
    mistake: "After a last re-delivery the readers' caches are not waited for.",
    patches: [
      {
        file: QUIET,
        find: "confirmedAt === null ? null : plus(confirmedAt, policy.cacheForMs + LAST_USED_LAG_MS + LAST_USED_COLLAPSE_MS),",
        replace: "null,",
      },
    ],
    tests: TABLE,
  },
  {
    name: "reactivation restarts nothing",
    mistake: "A key that was made active again goes as if it never had been (B3).",
    patches: [
      {
        file: RETIREMENT,
        find: "if (reactivatedAt === null || (releasedAt !== null && releasedAt >= reactivatedAt)) return null;",
        replace: "if (reactivatedAt !== 0 || releasedAt !== 0) return null;",
      },
      {
        file: QUIET,
        find: "const disturbedAt = latest(memory.reactivatedAt, memory.deactivation?.at ?? null, currentSince);",
        replace: "const disturbedAt = null;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "no release needed",
    mistake: "A key that was made active again goes after another quiet, and nobody was asked (B3).",
    patches: [
      { file: RETIREMENT, find: "undelivered(replaced) ?? unreleased(replaced);", replace: "undelivered(replaced);" },
    ],
    tests: TABLE,
  },
  {
    name: "an earlier event dates a deactivation that CloudTrail lost",
    mistake: "Whoever disabled a key once counts as who did it last, although it was used since.",
    patches: [
      {
        file: "src/decide/rules/delete.ts",
        find: "return silentSinceOf(observation, old) <= plus(author.at, 2 * LAST_USED_COLLAPSE_MS);",
        replace: "return author.at > 0;",
      },
    ],
    tests: ["test/decide/soaking.test.ts"],
  },
];
