import fc from "fast-check";
import { expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import type { Custody } from "../../src/rotation/observation.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { NOW } from "../builders.ts";
import { LostAnswer } from "../world/call.ts";
import { SimulatedClock } from "../world/clock.ts";
import { createCloud } from "../world/cloud.ts";
import { directWorld } from "../world/direct/world.ts";
import { RUNS } from "./situations.ts";

const USER = userName("deploy");
const OWNER = { account: "123456789012", userId: "AIDAEXAMPLEEXAMPLE01" };
const PLACE = { owner: OWNER, replicaRegions: [] };
const keyIdOf = (key: number) => accessKeyId(`AKIAKEY${String(key).repeat(13)}`);
const pairOf = (key: number) => ({ id: keyIdOf(key), secret: new Secret(`secret ${String(key)}`), createdAt: NOW });

interface Turn {
  readonly run: number;
  readonly does: "look" | "intend" | "store" | "promote" | "withdraw";
  readonly key: number;
  readonly fate: "answered" | "made, unheard" | "not made";
}

const turn: fc.Arbitrary<Turn> = fc.record({
  run: fc.nat(1),
  does: fc.constantFrom("look", "look", "intend", "store", "store", "promote", "promote", "withdraw" as const),
  key: fc.nat(2),
  fate: fc.constantFrom("answered", "answered", "made, unheard", "not made" as const),
});

/** Two runs at one user's custody, each with what it last saw of it, which may be old. */
function twoRuns() {
  const cloud = createCloud({ clock: new SimulatedClock(NOW) });
  let fate: Turn["fate"] = "answered";
  const { custody } = directWorld(cloud, {
    send: async (request) => {
      const [now, isChange] = [fate, !/^(Describe|Get|List)/.test(request.operation)];
      if (isChange) fate = "answered";
      if (isChange && now === "not made") throw new LostAnswer();
      const answer = cloud.call(request);
      if (isChange && now === "made, unheard") throw new LostAnswer();
      return answer;
    },
  });
  const versions = () => [...(cloud.secretsManager.named(`keyturn/${USER}`)?.versions.values() ?? [])];
  const holdersOf = (label: string) => versions().filter(({ stages }) => stages.has(label));
  return { custody, versions, holdersOf, meet: (next: Turn["fate"]) => (fate = next) };
}

type Ground = ReturnType<typeof twoRuns>;

async function take({ custody, meet }: Ground, { does, key, fate }: Turn, seen: Custody): Promise<void> {
  meet(fate);
  const present = seen.kind === "present" ? seen : null;
  if (does === "intend") {
    await custody.writeIntent(USER, { at: NOW, before: [] }, { ...PLACE, isAbsent: present === null });
  }
  if (does === "store" && present !== null) await custody.storePending(USER, pairOf(key));
  if (does === "promote" && present !== null && present.pending !== null) {
    await custody.promote(USER, present.pending, present.current);
  }
  if (does === "withdraw" && present !== null) await custody.withdrawPending(USER, keyIdOf(key));
}

test("whatever is lost, and however old the look: labels move by compare and swap, and each key keeps its own secret", async () => {
  const property = fc.asyncProperty(fc.array(turn, { maxLength: 16 }), async (turns) => {
    const ground = twoRuns();
    const seen: Custody[] = [{ kind: "absent" }, { kind: "absent" }];
    for (const now of turns) {
      const view = seen[now.run] ?? { kind: "absent" };
      const [before] = ground.holdersOf("AWSCURRENT");
      await take(ground, now, view).catch((thrown: unknown) => {
        if (!(thrown instanceof RotationError)) throw thrown;
      });
      ground.meet("answered");
      const [current] = ground.holdersOf("AWSCURRENT");
      // Only who had seen the very version that was current may have put another in its place.
      const known = now.does === "promote" && view.kind === "present" ? view.current?.versionId : undefined;
      const isMoved = before !== undefined && current?.id !== before.id;
      expect(!isMoved || known === before.id).toBe(true);
      // The first version is current at once, and so must not be a pair.
      const isFirst = before === undefined && current !== undefined;
      expect(isFirst && current.text.includes("SecretAccessKey")).toBe(false);
      for (const label of ["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"]) {
        expect(ground.holdersOf(label).length).toBeLessThan(2);
      }
      for (const { text } of ground.versions().filter((version) => version.text.includes("AccessKeyId"))) {
        const { AccessKeyId: id, SecretAccessKey: secret } = JSON.parse(text) as Readonly<Record<string, string>>;
        expect(secret).toBe(`secret ${String(id?.at(-1))}`);
      }
      if (now.does === "look") seen[now.run] = await ground.custody.read(USER);
    }
  });
  await fc.assert(property, RUNS);
});
