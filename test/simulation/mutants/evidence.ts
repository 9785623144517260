import type { Mutant } from "./mutant.ts";

const QUIET = "src/decide/quiet.ts";
const RETIREMENT = "src/decide/retirement.ts";
const REMEMBER = "src/observe/remember.ts";
const DELETE = "src/decide/rules/delete.ts";
const ANSWERS = "src/decide/answers.ts";
const TABLE = ["test/decide", "test/rotations"];

const readyAfter = (replace: string): Mutant["patches"] => [
  {
    file: QUIET,
    find: "    plus(quietSince, quietMs(policy) + LAST_USED_LAG_MS),\n",
    replace: `    plus(quietSince, ${replace}),\n`,
  },
];

/** What counts as proof that nobody needs a key. */
export const EVIDENCE_MUTANTS: readonly Mutant[] = [
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
      { file: QUIET, find: "latest(promotedAt, lastDeliveredAt(observation, current.id));", replace: "promotedAt;" },
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
        find: "const read = isPulled ? unexplainedRead(old) : old.latestRead;",
        replace: "const read = isPulled ? null : old.latestRead;",
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
    name: "CloudTrail approves alone",
    mistake: "A key goes by CloudTrail's silence, and last-used is not asked.",
    patches: [{ file: RETIREMENT, find: "    useUnknown(replaced) ??\n", replace: "" }],
    tests: TABLE,
  },
  {
    name: "CloudTrail is not asked",
    mistake: "A key goes by last-used alone.",
    patches: [{ file: RETIREMENT, find: "    trailVeto(replaced, clock) ??\n", replace: "" }],
    tests: TABLE,
  },
  {
    name: "adoption is not asked",
    mistake: "The old key goes although nobody was seen to use the replacement.",
    patches: [{ file: RETIREMENT, find: "    notAdopted(replaced) ??\n", replace: "" }],
    tests: TABLE,
  },
  {
    name: "adoption by our own probe",
    mistake: "The use that our own probe left counts as adoption.",
    patches: [
      {
        file: REMEMBER,
        find: 'at.sighting.service !== "sts" && !isOurFootprint(at.sighting.at, known.probes);',
        replace: "at.sighting !== null || isOurFootprint(at.sighting.at, known.probes);",
      },
    ],
    tests: TABLE,
  },
  {
    name: "a planned probe is forgotten",
    mistake: "A run that died may have tried its key, and that use counts as adoption.",
    patches: [
      {
        file: REMEMBER,
        find: "const planned = isOlder ? [] : [{ from: intent.at, to: plus(intent.at, PLANNED_PROBE_MS) }];",
        replace: 'const planned: KeyRecord["probes"] = isOlder && plus(now, PLANNED_PROBE_MS) < 0 ? [] : [];',
      },
      { file: REMEMBER, find: 'at.sighting.service !== "sts" && !isOurFootprint', replace: "!isOurFootprint" },
    ],
    tests: ["test/rotations", "test/act", "test/rotation"],
  },
  {
    name: "adoption is waived for all",
    mistake: "Adoption is waived whenever the old key's record begins with its replacement.",
    patches: [
      {
        file: "src/decide/adoption.ts",
        find: '  if (isWaived(replaced)) return "waived";',
        replace: '  if (isWaived(replaced) || replaced.now > 0) return "waived";',
      },
    ],
    tests: TABLE,
  },
  {
    name: "no waiver",
    mistake: "A key that nobody ever used waits for an adoption that nobody can give (S3).",
    patches: [
      {
        file: "src/decide/adoption.ts",
        find: '  if (isWaived(replaced)) return "waived";',
        replace: '  if (isWaived(replaced) && replaced.now < 0) return "waived";',
      },
    ],
    tests: TABLE,
  },
  {
    name: "a seen use is forgotten",
    mistake: "An older answer of last-used takes the place of a newer one (N6).",
    patches: [
      {
        file: REMEMBER,
        find: "return known !== null && known.at >= found.at ? known : found;",
        replace: "return known === null ? found : found;",
      },
    ],
    tests: [...TABLE],
  },
  {
    name: "late evidence is not looked for",
    mistake: "A use before the deactivation that comes to light after it changes nothing (B4).",
    patches: [
      {
        file: "src/decide/rules/needed-after-all.ts",
        find: "if (use !== null) {",
        replace: "if (use !== null && now < 0) {",
      },
    ],
    tests: TABLE,
  },
  {
    name: "a rolled-back holder is not seen",
    mistake: "Nobody looks whether a destination is back on what it held before (B4, B8).",
    patches: [
      {
        file: ANSWERS,
        find: 'return filled(observation).find((name) => liveAt(observation, name)?.live === "previous");',
        replace: "return filled(observation).find((name) => liveAt(observation, name) === null);",
      },
    ],
    tests: TABLE,
  },
  {
    name: "live state is not asked",
    mistake: "The old key goes, and nobody looks whether what is live still carries our pair.",
    patches: [
      {
        file: "src/decide/deliveries.ts",
        find: '  if (questions.length > 0) return look(questions, "whether what is live still carries our pair");',
        replace: "  if (questions.length >= 0) return null;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "foreign version again and again",
    mistake: "A version that others deployed is delivered once more at every sweep (B8).",
    patches: [
      {
        file: "src/decide/deliveries.ts",
        find: "if ((delivery?.confirmedAt ?? null) !== null) return null;",
        replace: "if ((delivery?.confirmedAt ?? null) === 0) return null;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "former destination ignored",
    mistake: "A destination that left the profile is not asked about (B9).",
    patches: [
      {
        file: "src/decide/deliveries.ts",
        find: "return held.find(({ destination }) => !isConfigured(destination))?.destination;",
        replace: 'return held.find(({ destination }) => isConfigured(destination) && destination === "")?.destination;',
      },
    ],
    tests: TABLE,
  },
  {
    name: "behind is delivered",
    mistake: "The old key goes although a destination never confirmed the replacement.",
    patches: [
      { file: RETIREMENT, find: "undelivered(replaced) ?? unreleased(replaced);", replace: "unreleased(replaced);" },
      {
        file: "src/decide/deliveries.ts",
        find: "return !readsCustody && !isThere;",
        replace: "return !readsCustody && !isThere && last === undefined;",
      },
    ],
    tests: TABLE,
  },
  {
    name: "replicas are not asked",
    mistake: "The old key goes although a replica of custody does not show the new pair.",
    patches: [
      {
        file: RETIREMENT,
        find: 'if (custody.kind !== "present" || custody.replicasBehind.length === 0) return null;',
        replace: 'if (custody.kind !== "present" || custody.replicasBehind.length >= 0) return null;',
      },
    ],
    tests: TABLE,
  },
  {
    name: "old is only what is older",
    mistake: "A key that custody once held, and is younger than the current one, belongs to nobody (N8).",
    patches: [
      {
        file: "src/decide/parts.ts",
        find: "isCustodyEmpty || isKnown(observation, key.id) || (",
        replace: "isCustodyEmpty || (",
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
    name: "a reactivation is not noticed",
    mistake: "A key that is Active again is not on record as such (B3).",
    patches: [
      {
        file: REMEMBER,
        find: "inactiveSince: null, deactivation: null, reactivatedAt: now };",
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
];
