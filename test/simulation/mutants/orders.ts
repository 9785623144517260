import type { Mutant } from "./mutant.ts";

const CREATE = "src/act/create-replacement.ts";
const PROMOTE = "src/act/promote.ts";
const ROTATIONS = ["test/rotations"];

/** The three bad orders of published rotators, and other ways of making and handing on a key. */
export const ORDER_MUTANTS: readonly Mutant[] = [
  {
    name: "delete the oldest for room",
    mistake: "When both slots are taken, the oldest key is deleted to make room.",
    patches: [
      {
        file: "src/decide/rules/create.ts",
        find: "pendingId !== null || observation.keys.length >= KEYS_PER_USER_MAX) return null;",
        replace: "pendingId !== null) return null;",
      },
      {
        file: "src/decide/decide.ts",
        find: "rules: readonly Rule[] = RULES",
        replace: 'rules: readonly Rule[] = RULES.filter((rule) => rule.name !== "make-room")',
      },
      {
        file: CREATE,
        find: "must(subject.iamUser !== null && observation.keys.length < 2, `${subject.user} exists and has room for a key`);",
        replace: `const [oldest] = observation.keys.toSorted((one, other) => one.createdAt - other.createdAt);
  if (observation.keys.length > 1 && oldest) await world.accessKeys.delete(subject.user, oldest.id);`,
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "deactivate before creating",
    mistake: "The old key is set Inactive before its replacement is made.",
    patches: [
      {
        file: CREATE,
        find: "  const at = world.clock.now();\n",
        replace: `  for (const key of observation.keys) await world.accessKeys.setStatus(subject.user, key.id, "inactive");
  const at = world.clock.now();\n`,
      },
    ],
  },
  {
    name: "create, deliver, delete in one breath",
    mistake: "As soon as the replacement is current, the old key is deleted.",
    patches: [
      {
        file: PROMOTE,
        find: "  const promotedAt = world.clock.now();\n",
        replace: `  for (const key of observation.keys) if (key.id !== keyId) await world.accessKeys.delete(subject.user, key.id);
  const promotedAt = world.clock.now();\n`,
      },
    ],
  },
  {
    name: "create, deliver, deactivate in one breath",
    mistake: "As soon as the replacement is current, the old key is set Inactive.",
    patches: [
      {
        file: PROMOTE,
        find: "  const promotedAt = world.clock.now();\n",
        replace: `  for (const key of observation.keys)
    if (key.id !== keyId) await world.accessKeys.setStatus(subject.user, key.id, "inactive");
  const promotedAt = world.clock.now();\n`,
      },
    ],
  },
  {
    name: "pair pushed by two calls",
    mistake: "A destination is given the id first and the secret afterwards.",
    patches: [
      {
        file: "src/act/deliver.ts",
        find: "  const receipt = await destination.deliver(credential, ready.anchor, replaced).catch",
        replace: `    const Secret = credential.secret.constructor as new (text: string) => typeof credential.secret;
    await destination.deliver({ id: keyId, secret: new Secret("as it was before") }, ready.anchor);
    const receipt = await destination.deliver(credential, ready.anchor, replaced).catch`,
      },
    ],
  },
  {
    name: "retry of CreateAccessKey",
    mistake: "CreateAccessKey is sent again when no answer came.",
    patches: [
      {
        file: CREATE,
        find: "clearing(acting, acting.world.accessKeys.create(acting.subject.user), isHeard)",
        replace: `clearing(acting, acting.world.accessKeys.create(acting.subject.user).catch((error: unknown) => {
    if (error instanceof RotationError && error.outcomeUnknown) return acting.world.accessKeys.create(acting.subject.user);
    throw error;
  }), isHeard)`,
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "no intent",
    mistake: "A key is made with nothing on record of what is about to be made.",
    patches: [
      {
        file: CREATE,
        find: "...withStrangers(record, observation), intent,",
        replace: "...withStrangers(record, observation),",
      },
    ],
  },
  {
    name: "no marker",
    mistake: "A secret is made together with its first pair, which is current at once (B12).",
    patches: [
      { file: CREATE, find: "const marker = await writeIntent(acting, intent);", replace: "const marker = null;" },
      {
        file: "test/world/direct/custody.ts",
        find: "      const versionId = versionToken(credential.id);\n      await requests.ask(",
        replace: `      const versionId = versionToken(credential.id);
      const input = { Name: prefix + user, ClientRequestToken: versionId, SecretString: pairText(credential) };
      const made = session.ask("", { service: "secretsmanager", operation: "CreateSecret", input });
      if (await made.then(() => true, () => false)) return { versionId, keyId: credential.id };
      await requests.ask(`,
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "no pre-flight of destinations",
    mistake: "A key is made although a destination cannot be delivered to.",
    patches: [
      { file: CREATE, find: 'if (answer.kind === "ready") continue;', replace: "if (answer.kind !== null) continue;" },
    ],
    tests: ROTATIONS,
  },
  {
    name: "delivered before stored",
    mistake: "The replacement goes to its destinations before custody has it.",
    patches: [
      {
        file: CREATE,
        find: "    return await world.custody.storePending(subject.user, key);",
        replace:
          "    for (const it of world.destinations.of(subject.profile?.name ?? String())) if (!it.readsCustody) await it.deliver(key, null);\n    return await world.custody.storePending(subject.user, key);",
      },
    ],
  },
  {
    name: "secret in the history",
    mistake: "The line of history on a delivery shows the secret.",
    patches: [
      {
        file: "src/act/deliver.ts",
        find: "lineOf(acting, `${what} ${name}`, { keyId })",
        replace: "lineOf(acting, `delivered ${credential.secret.reveal()} to ${name}`, { keyId })",
      },
    ],
  },
  {
    name: "a refusal keeps its intent",
    mistake: "An intent stands although IAM refused to make the key, and casts suspicion on a person's (B2).",
    patches: [
      { file: CREATE, find: "    if (isVoid(error)) await", replace: "    if (isVoid(error) && error === null) await" },
    ],
    tests: ["test/act/on-record.test.ts"],
  },
  {
    name: "the answer is not kept",
    mistake: "The id of a key whose secret could not be stored is not written down.",
    patches: [
      {
        file: CREATE,
        find: "    await ledger.save((record) => record);\n    throw error;",
        replace: "    throw error;",
      },
    ],
    tests: ["test/act/on-record.test.ts"],
  },
  {
    name: "hand-made holders forgotten",
    mistake:
      "The destinations of a hand-made key are not on record, so that one taken out of the profile is forgotten (B9).",
    patches: [
      {
        file: CREATE,
        find: "const presumed = presumedHolders(acting, step, at);",
        replace: "const presumed: readonly Delivery[] = [];",
      },
    ],
    tests: ROTATIONS,
  },
  {
    name: "one answer proves",
    mistake: "A pair is handed on after its first answer, from the one host that knows it.",
    patches: [
      { file: "src/act/prove.ts", find: "const ANSWERS_IN_A_ROW = 3;", replace: "const ANSWERS_IN_A_ROW = 1;" },
    ],
    tests: ["test/act/on-record.test.ts"],
  },
  {
    name: "proved by no call",
    mistake: "A pair counts as proved, and was never tried.",
    patches: [
      {
        file: "src/act/prove.ts",
        find: "profile.regions.map((region) => answersSteadily(world, credential, { region, arn })),",
        replace: "[].map((region) => answersSteadily(world, credential, { region, arn })),",
      },
    ],
  },
  {
    name: "an old proof counts",
    mistake: "A pair that once answered is delivered for ever (B1).",
    patches: [
      {
        file: "src/decide/rules/prove.ts",
        find: "if (keyId === null || situation.observation.proved.includes(keyId)) return null;",
        replace: `if (keyId === null || situation.observation.proved.includes(keyId)) return null;
    if ((situation.observation.record.keys[keyId]?.probes.length ?? 0) > 0) return null;`,
      },
      {
        file: "src/act/acting.ts",
        find: "  must(observation.proved.includes(keyId), `${keyId} answered in this sweep`);\n",
        replace: "",
      },
    ],
    tests: ["test/decide", "test/rotations"],
  },
  {
    name: "a dead pair is handed on",
    mistake: "Nobody asks whether IAM lists the replacement as Active before it is delivered and promoted (B1).",
    patches: [
      {
        file: "src/decide/rules/stranger.ts",
        find: "if (key === undefined) return pendingTaken(situation, parts);",
        replace:
          "if (key === undefined) return parts.isCustodyEmpty && parts.pendingId !== null ? pendingTaken(situation, parts) : null;",
      },
      {
        file: "src/act/acting.ts",
        find: 'observation.keys.some(({ id, status }) => id === keyId && status === "active"),',
        replace: "observation.keys.length >= 0,",
      },
      {
        file: "src/decide/rules/prove.ts",
        find: "if (keyId === null || situation.observation.proved.includes(keyId)) return null;",
        replace: `if (keyId === null || situation.observation.proved.includes(keyId)) return null;
    if ((situation.observation.record.keys[keyId]?.probes.length ?? 0) > 0) return null;`,
      },
      {
        file: "src/act/acting.ts",
        find: "  must(observation.proved.includes(keyId), `${keyId} answered in this sweep`);\n",
        replace: "",
      },
    ],
    tests: ["test/decide", "test/rotations"],
  },
  {
    name: "an attempt is not on record",
    mistake: "A delivery whose answer is lost leaves no trace.",
    patches: [
      {
        file: "src/act/deliver.ts",
        find: "  await ledger.save((record) => withAttempt(record, attempt, { ...step, anchor: ready.anchor }));\n",
        replace: "  await ledger.save((record) => (withAttempt === null ? record : record));\n",
      },
    ],
    tests: ["test/act/on-record.test.ts"],
  },
  {
    name: "no back-off",
    mistake: "A destination that failed is tried again at once.",
    patches: [
      {
        file: "src/act/deliver.ts",
        find: "destination, failures, until: plus(now, waitMs) }",
        replace: "destination, failures, until: plus(now, -waitMs) }",
      },
    ],
    tests: ["test/decide", "test/rotations"],
  },
  {
    name: "AWSPENDING stays",
    mistake: "Promotion leaves AWSPENDING on the pair, and nothing takes it away later (B5).",
    patches: [
      {
        file: "src/decide/rules/promote.ts",
        find: 'if (current === null || custody.kind !== "present" || !custody.isHalfPromoted) return null;',
        replace: "if (custody !== null || current === null) return null;",
      },
      {
        file: "test/world/direct/custody.ts",
        find: '    await requests.moveLabel(user, "AWSPENDING", { from });\n',
        replace: "",
      },
    ],
    tests: ["test/decide", "test/rotations"],
  },
  {
    name: "presumed is delivered last",
    mistake:
      "Who is presumed to hold what custody's label was moved back to counts as having it, and not what was delivered.",
    patches: [
      {
        file: "src/act/create-replacement.ts",
        find: "it.keyId === replaces || (it.deliveredAt !== null && !isAdopted)",
        replace: "it.keyId === replaces",
      },
    ],
    tests: ["test/rotations/places.test.ts"],
  },
];
