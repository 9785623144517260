import type { Mutant } from "./mutant.ts";

const RETIREMENT = "src/decide/retirement.ts";
const REMEMBER = "src/observe/remember.ts";
const ANSWERS = "src/decide/answers.ts";
const TABLE = ["test/decide", "test/rotations"];

/** What counts as proof that nobody needs a key, and who was asked. */
export const PROOF_MUTANTS: readonly Mutant[] = [
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
    tests: ["test/rotations/crash.test.ts", "test/rotations", "test/act", "test/rotation"],
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
    name: "what others gave is overwritten",
    mistake: "A Worker that somebody moved to another user is given our pair once more (B8).",
    patches: [
      {
        file: "src/decide/deliveries.ts",
        find: "return ill ?? deliverTo(",
        replace: "return (ill?.reason === null ? ill : null) ?? deliverTo(",
      },
    ],
    tests: TABLE,
  },
  {
    name: "a rotation of whoever moved away",
    mistake: "A replacement is made although the consumer signs with a pair that somebody else gave it (B8).",
    patches: [
      {
        file: "src/decide/rules/create.ts",
        find: "(afterOrphan(situation) ?? usesAnother(situation) ?? ruling)",
        replace: "(afterOrphan(situation) ?? ruling)",
      },
    ],
    tests: ["test/rotations/health.test.ts"],
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
    name: "a current key that is gone ends the intent",
    mistake: "Whatever custody names, and was not there when the intent was written, counts as what it made.",
    patches: [
      {
        file: "src/observe/remember.ts",
        find: "if (!intent || !current || intent.before.includes(current.id)) return {};",
        replace:
          "if (intent && !current && custody.kind === 'present' && custody.current?.keyId) return { intent: null }; if (!intent || !current || intent.before.includes(current.id)) return {};",
      },
    ],
    tests: ["test/observe/intent.test.ts"],
  },
];
