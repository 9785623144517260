import { expect, test } from "vitest";
import { userName } from "../../src/rotation/keys.ts";
import type { UserRecord } from "../../src/rotation/record.ts";
import { aSystem, DEPLOY, dyingWorld } from "../world/system.ts";
import type { System } from "../world/system.ts";

/** What is written down of the user, as the next run will read it. */
async function recordOf({ here }: System): Promise<UserRecord | null> {
  return (await here.journal.read(userName(DEPLOY))).record;
}

test("B2: a creation that IAM refused leaves no intent that would cast suspicion on a person's key", async () => {
  const system = await aSystem();
  const refused = { code: "AccessDenied", status: 403, kind: "error-before", times: 1 } as const;
  system.here.cloud.faults.add({ service: "iam", operation: "CreateAccessKey", ...refused });
  await system.here.sweep();
  const record = await recordOf(system);
  expect(record?.keys).toHaveProperty(system.first.keyId);
  expect(record?.intent).toBeNull();
});

test("a key whose secret could not be stored is written down by its id before anything else is done", async () => {
  let isDead = false;
  const dies = { name: "the last thing that happens", notify: async () => Promise.resolve(void (isDead = true)) };
  const system = await aSystem({ bend: (world) => ({ ...dyingWorld(world, () => isDead), notifiers: [dies] }) });
  const isPending = ({ input }: { readonly input: Readonly<Record<string, unknown>> }): boolean =>
    JSON.stringify(input["VersionStages"]) === '["AWSPENDING"]';
  const denied = { code: "AccessDeniedException", kind: "error-before", times: 1, when: isPending } as const;
  system.here.cloud.faults.add({ service: "secretsmanager", operation: "PutSecretValue", ...denied });
  await system.here.sweep();
  const made = system.here.cloud.iam.keysOf(DEPLOY).map(({ id }) => id);
  expect((await recordOf(system))?.intent?.created).toBe(made.find((id) => id !== system.first.keyId));
});

test("a delivery whose answer was lost is written down: the destination may hold the pair", async () => {
  const system = await aSystem();
  system.worker.failing = "after";
  await system.here.sweep();
  const held = system.worker.pair().keyId;
  expect(held).not.toBe(system.first.keyId);
  expect((await recordOf(system))?.deliveries).toContainEqual(
    expect.objectContaining({ keyId: held, deliveredAt: null }),
  );
});

test("a pair is handed on only after three answers in a row", async () => {
  const system = await aSystem();
  const asked: string[] = [];
  system.here.bend = (world) => ({
    ...world,
    prover: {
      callerArn: async (credential, region) => {
        const answer = await world.prover.callerArn(credential, region);
        asked.push(system.worker.pair().keyId === credential.id ? "too late" : answer.kind);
        return answer;
      },
    },
  });
  await system.here.sweep();
  expect(asked.slice(-3)).toEqual(["answered", "answered", "answered"]);
  expect(system.worker.pair().keyId).not.toBe(system.first.keyId);
});
