import type { Mutant } from "./mutant.ts";

const EVIDENCE = "test/world/direct/evidence.ts";
const HISTORY = "src/cloud/event-history.ts";
const VERSIONS = "src/destinations/worker/versions.ts";
const WIRE = [
  "test/wire/world-contract.test.ts",
  "test/wire/adapters.test.ts",
  "test/wire/retries.test.ts",
  "test/cloud",
  "test/observe",
];

/**
 * Mistakes of the adapters. The simulation runs its own, in process: there the mistake is made in these, to see that a
 * checker notices it. In the production adapters, which talk HTTP, the contract's tests have to.
 */
export const ADAPTER_MUTANTS: readonly Mutant[] = [
  {
    name: "one Region only (simulated adapter)",
    mistake: "CloudTrail is asked in the first Region only.",
    patches: [
      {
        file: EVIDENCE,
        find: "for (const region of await enabledRegions(session)) {",
        replace: "for (const region of (await enabledRegions(session)).slice(0, 1)) {",
      },
    ],
  },
  {
    name: "one Region only",
    mistake: "CloudTrail is asked in the first Region only.",
    patches: [
      {
        file: "src/observe/evidence/cloudtrail.ts",
        find: "!Object.hasOwn(regionsUnasked, region));",
        replace: "!Object.hasOwn(regionsUnasked, region)).slice(0, 1);",
      },
    ],
    tests: WIRE,
  },
  {
    name: "first page of events only (simulated adapter)",
    mistake: "Only the first page of CloudTrail's answer is read.",
    patches: [
      {
        file: EVIDENCE,
        find: "if (token === null) return found;",
        replace: "if (token === null || found.length >= 0) return found;",
      },
    ],
  },
  {
    name: "first page of events only",
    mistake: "Only the first page of CloudTrail's answer is read.",
    patches: [
      {
        file: HISTORY,
        find: "if (token === undefined) return;",
        replace: "if (token === undefined || page === 0) return;",
      },
    ],
    tests: WIRE,
  },
  {
    name: "first page of keys only (simulated adapter)",
    mistake: "Only the first page of a user's keys is read.",
    patches: [
      {
        file: "test/world/direct/access-keys.ts",
        find: "} while (marker !== null);",
        replace: "} while (marker !== null && found.length === 0);",
      },
    ],
  },
  {
    name: "first page of users only (simulated adapter)",
    mistake: "Only the first page of users is read.",
    patches: [
      {
        file: "test/world/direct/directory.ts",
        find: "} while (marker !== null);",
        replace: "} while (marker !== null && details.users.length === 0);",
      },
    ],
  },
  {
    name: "first page only",
    mistake: "Only the first page of any listing is read.",
    patches: [
      {
        file: "src/cloud/pages.ts",
        find: "if (pages.length > PAGES_MAX) break;",
        replace: "if (pages.length > 0) break;",
      },
    ],
    tests: WIRE,
  },
  {
    name: "retry of CreateAccessKey by the adapter",
    mistake: "The SDK sends CreateAccessKey again when no answer came.",
    patches: [{ file: "src/cloud/access-keys.ts", find: "iamOnce.send(command)", replace: "iam.send(command)" }],
    tests: ["test/wire/retries.test.ts", ...WIRE],
  },
  {
    name: "pair pushed by two requests",
    mistake: "A Worker's two secrets are set by a request each.",
    patches: [
      {
        file: "src/cloud/cloudflare.ts",
        find: "        body: JSON.stringify({ secrets: Object.fromEntries(secrets) }),\n      });\n",
        replace:
          '        body: JSON.stringify({ secrets: Object.fromEntries(secrets.slice(0, 1)) }),\n      });\n      await send({ doing: `setting the rest of Worker ${worker.script}`, method: "PATCH", path: scriptPath(worker, "secrets-bulk"), body: JSON.stringify({ secrets: Object.fromEntries(secrets.slice(1)) }) });\n',
      },
    ],
    tests: ["test/destinations", "test/wire/cloudflare-client.test.ts", "test/wire/cloudflare-edge.test.ts"],
  },
  {
    name: "a colleague's deploy is overruled",
    mistake: "A staged delivery looks neither before nor behind itself for what others deployed (B10).",
    patches: [
      {
        file: VERSIONS,
        find: 'if (!isSame(before?.shares, from)) throw conflict("somebody deployed meanwhile. Theirs stays live");',
        replace: "",
      },
      {
        file: VERSIONS,
        find: "if (overtaken === undefined || overtaken.id === before?.id) return;",
        replace: "if (overtaken === undefined || overtaken.id !== null) return;",
      },
      {
        file: "src/destinations/worker/staged.ts",
        find: 'if (!isSame(live?.shares, wholly(version))) throw versions.conflict("somebody deployed meanwhile. Theirs stays live");',
        replace: "if (live === undefined) return null;",
      },
      {
        file: "src/destinations/worker/staged.ts",
        find: "const isOurs = live?.shares.some(({ versionId }) => versionId === version.id) === true;",
        replace: "const isOurs = live !== undefined;",
      },
    ],
    tests: ["test/destinations"],
  },
  {
    name: "a preview is shipped",
    mistake: "Whatever is newer than the live version is taken for a copy of it (B10).",
    patches: [
      {
        file: "src/destinations/worker/standing.ts",
        find: "const isCopyOfLive = newer.every((version, index) => follows(version, index));",
        replace: "const isCopyOfLive = newer.every((version, index) => follows(version, index) || index >= 0);",
      },
    ],
    tests: ["test/destinations"],
  },
  {
    name: "our own version is a stranger's",
    mistake: "A version that was left half way is not known again (B10).",
    patches: [
      {
        file: "src/destinations/worker/tags.ts",
        find: 'return (purpose === "staged" || purpose === "back") && tag === tagOf(purpose, keyId, nonce);',
        replace:
          'return (purpose === "staged" || purpose === "back") && tag === tagOf(purpose, keyId, nonce) && tag === "";',
      },
    ],
    tests: ["test/destinations"],
  },
  {
    name: "two users stage at once",
    mistake:
      "Two users of one Worker are staged for at the same moment, and each is in the other's way for ever (B10).",
    patches: [
      {
        file: "src/destinations/cloudflare-worker.ts",
        find: "      underWay.add(place);\n",
        replace: "",
      },
    ],
    tests: ["test/destinations"],
  },
  {
    name: "AWSPENDING stays (custody)",
    mistake: "Promotion moves AWSCURRENT and leaves AWSPENDING where it was (B5).",
    patches: [
      {
        file: "src/cloud/custody.ts",
        find: '  await secret.move("AWSPENDING", { from: versionId, to: null });\n',
        replace: "",
      },
    ],
    tests: WIRE,
  },
  {
    name: "a tag key with capitals is not seen",
    mistake: "Tag keys are compared with their case, and IAM does not (B11).",
    patches: [
      {
        file: "src/cloud/directory.ts",
        find: '[(Key ?? "").toLowerCase(), Value ?? ""]',
        replace: '[Key ?? "", Value ?? ""]',
      },
    ],
    tests: WIRE,
  },
  {
    name: "unknown last-used is unused (adapter)",
    mistake: "A last-used that could not be asked for counts as never.",
    patches: [
      {
        file: "src/observe/evidence/last-used.ts",
        find: 'return { verdict: "unknown", because: asRotationError(thrown, "asking IAM").message };',
        replace:
          'return { verdict: "unused", from: TRACKED_SINCE, to: plus(clock.now(), asRotationError(thrown, "").message.length > 0 ? 0 : 1) };',
      },
    ],
    tests: WIRE,
  },
  {
    name: "the id goes out first",
    mistake: "Of two Actions secrets the id is written before the secret.",
    patches: [
      {
        file: "src/destinations/github-actions.ts",
        find: "return [secrets.secretAccessKey, secrets.accessKeyId];",
        replace: "return [secrets.accessKeyId, secrets.secretAccessKey];",
      },
      {
        file: "src/destinations/github-actions.ts",
        find: "[pair.secret, new Secret(pair.id)]",
        replace: "[new Secret(pair.id), pair.secret]",
      },
    ],
    tests: ["test/destinations/github-actions.test.ts"],
  },
  {
    name: "a torn pair is left to the next sweep",
    mistake: "The second of two Actions secrets is written once, whatever becomes of it.",
    patches: [
      {
        file: "src/destinations/github-actions.ts",
        find: "await (before.length > 1 ? insist(clock, put) : put());",
        replace: "await put();",
      },
    ],
    tests: ["test/destinations/github-actions.test.ts"],
  },
  {
    name: "a former token goes at once",
    mistake: "Keyturn's own former token is deleted as soon as there is another.",
    patches: [{ file: "src/tokens/decide.ts", find: "SILENT_FOR_MS = hours(25)", replace: "SILENT_FOR_MS = hours(0)" }],
    tests: ["test/tokens"],
  },
  {
    name: "every token is ours",
    mistake: "A token that another installation made is taken for one of our own that was left behind.",
    patches: [
      {
        file: "src/tokens/decide.ts",
        find: "name.includes(` [${mark} for `)",
        replace: "name.includes(mark.slice(0, 8))",
      },
    ],
    tests: ["test/tokens"],
  },
  {
    name: "one token more each hour",
    mistake: "A try that failed is repeated although its token is still there.",
    patches: [
      {
        file: "src/tokens/decide.ts",
        find: 'return left.length > 0 ? { kind: "rest" } : null;',
        replace: "return null;",
      },
    ],
    tests: ["test/tokens"],
  },
];
