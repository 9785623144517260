import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import { userName } from "../../src/rotation/keys.ts";
import { hours, minutes } from "../../src/rotation/time.ts";
import type { Installation } from "../world/installation.ts";
import { ALL_ACTIVE, leak, listingAfterACut, revoke } from "../world/leak.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import { aSystem, custodyOf, DEPLOY, lastOf, ofKey, person, promoted, settled } from "../world/system.ts";
import { denied } from "../world/faults.ts";

/** The sentence that the operator reads. */
async function saidOf(here: Installation, keyId: string): Promise<string> {
  return ((await revoke(here, keyId)) as unknown as { readonly done: string }).done;
}

const unread = (): never => {
  throw new RotationError("Unreachable", "listing keys, no answer came");
};

describe("revoke", () => {
  test("is refused for who is not enrolled, and for a key that the user never had", async () => {
    const { here, first } = await aSystem();
    await expect(revoke(here, first.keyId, "nobody")).rejects.toThrow("no such user is enrolled here");
    await expect(revoke(here, "AKIANOTYOURSNOTYOURS")).rejects.toThrow("the user never had such a key");
  });

  test("says what was done, and cuts at once although a destination is behind", async () => {
    const { here, second, worker } = await settled();
    worker.failing = "before";
    const done = await saidOf(here, second);
    expect(done).toContain(`${second} of deploy is marked as exposed, and is Inactive now. `);
    expect(done).toContain("cloudflare-worker:api could not be given");
    expect(ofKey(here, second)).toBe("Inactive");
    here.clock.advance(minutes(1));
    expect(await saidOf(here, second)).toContain(
      `${second} of deploy is marked as exposed, and was Inactive already. `,
    );
  });

  test("says of one of two keys what became of that one", async () => {
    const { here, first, second } = await promoted();
    expect(await saidOf(here, first.keyId)).toContain(
      `${first.keyId} of deploy is marked as exposed, and is Inactive now. `,
    );
    expect(await saidOf(here, second)).toContain(`${second} of deploy is marked as exposed, and is Inactive now. `);
  });

  test("says that a thief's second key is deleted, which made room for the replacement", async () => {
    const { here, second } = await settled();
    const thiefs = person(here).createKey().keyId;
    await leak(here, second);
    await here.pass(hours(1));
    expect(await saidOf(here, thiefs)).toContain(`${thiefs} of deploy is marked as exposed, and is deleted. `);
  });

  test("does not call a key Inactive now that a person disabled a moment before", async () => {
    const { here, second } = await settled();
    person(here).setStatus(second, "Inactive");
    expect(await saidOf(here, second)).toContain("is marked as exposed, and was Inactive already. ");
  });

  test.for([
    ["shows it as Active still", ALL_ACTIVE],
    ["cannot be read", unread],
  ] as const)("says that the key is Inactive that it has cut, though IAM's list %s", async ([, shown]) => {
    const { here, second } = await settled();
    here.bend = (world) => listingAfterACut(world, shown);
    expect(await saidOf(here, second)).toContain("is marked as exposed, and is Inactive now. ");
    expect(ofKey(here, second)).toBe("Inactive");
  });

  test.for([
    ["lost-after", "and is Inactive now", "Inactive"],
    ["lost-before", "and is STILL ACTIVE", "Active"],
  ] as const)("says what IAM shows where the answer to the cut is %s", async ([kind, said, status]) => {
    const { here, second } = await settled();
    here.cloud.faults.add({ service: "iam", operation: "UpdateAccessKey", kind, times: "forever" });
    expect(await saidOf(here, second)).toContain(`is marked as exposed, ${said}. `);
    expect(ofKey(here, second)).toBe(status);
  });

  test("says nothing of a key that it has not cut, and of which IAM's list says nothing", async () => {
    const { here, second } = await settled();
    const refused = {
      service: "iam",
      code: "AccessDenied",
      status: 403,
      kind: "error-before",
      times: "forever",
    } as const;
    here.cloud.faults.add({ ...refused, operation: "UpdateAccessKey" });
    here.cloud.faults.add({ ...refused, operation: "ListAccessKeys" });
    expect(await saidOf(here, second)).toContain(`${second} of deploy is marked as exposed. `);
  });

  test("says loudly that a key is active which IAM would not deactivate", async () => {
    const { here, second } = await settled();
    const refused = { code: "AccessDenied", status: 403, kind: "error-before", times: "forever" } as const;
    here.cloud.faults.add({ service: "iam", operation: "UpdateAccessKey", ...refused });
    expect(await saidOf(here, second)).toContain(`${second} of deploy is marked as exposed, and is STILL ACTIVE. `);
    expect(ofKey(here, second)).toBe("Active");
  });
});

describe("L8, N9: a key that security took away", () => {
  test.for(["disabled", "deleted"])("stays %s when AWS Health names it, until an operator says revoke", async (how) => {
    const { here, second, worker } = await settled();
    if (how === "disabled") person(here).setStatus(second, "Inactive");
    else person(here).deleteKey(second);
    await leak(here, second);
    await here.pass(hours(4));
    expect(here.keysOf(DEPLOY)).toEqual(how === "disabled" ? [`${second} Inactive`] : []);
    await revoke(here, second);
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(custodyOf(here)).not.toBe(second);
  });

  test("also a hand-made one, before Keyturn ever held a pair", async () => {
    const { here, first, worker } = await aSystem();
    person(here).setStatus(first.keyId, "Inactive");
    await leak(here, first.keyId);
    expect(here.keysOf(DEPLOY)).toEqual([`${first.keyId} Inactive`]);
    await revoke(here, first.keyId);
    expect(worker.pair().keyId).toBe(custodyOf(here));
  });
});

describe("N3: what must not stop it", () => {
  test("N3: one destination's pre-flight does not stop the creation, and the others have the pair", async () => {
    const { here, first, worker, calls, work } = await aSystem();
    const late = memoryDestination("cloudflare-worker:late", first);
    here.destinations = { ci: [worker, late] };
    late.blockedBecause = "finish the gradual deployment";
    await leak(here, first.keyId);
    expect(worker.pair().keyId).toBe(custodyOf(here));
    await here.pass(hours(1), work);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    expect(calls.failures()).toEqual([]);
  });

  test("N3: custody that cannot be read holds it for an hour, and revoke not at all", async () => {
    for (const by of ["an hour", "revoke"]) {
      const { here, first, second } = await promoted();
      const secret = here.cloud.secretsManager.named(`keyturn/${DEPLOY}`);
      if (secret !== null) secret.kms = { read: "AccessDeniedException", write: "AccessDeniedException" };
      await (by === "revoke" ? revoke(here, second) : leak(here, second));
      expect(ofKey(here, second)).toBe(by === "revoke" ? "Inactive" : "Active");
      await here.pass(hours(1));
      expect([ofKey(here, second), ofKey(here, first.keyId)]).toEqual(["Inactive", "Active"]);
      expect(lastOf(await here.sweep())).toBe("cannot-see hold BlindSpot held");
    }
  });

  test("N3: another run with the lease: the mark is written at once, and the run waits its turn", async () => {
    const { here, second } = await settled();
    const world = here.run();
    await world.identity.read();
    const revision = await here.journal.read(userName(DEPLOY));
    const now = world.clock.now();
    const until = (now + minutes(3)) as typeof now;
    if (revision.record === null) throw new Error("there is a record");
    await here.journal.write(revision, {
      record: revision.record,
      lease: { user: userName(DEPLOY), holder: "another", until },
      now,
      history: [],
    });
    await leak(here, second);
    expect(here.clock.now()).toBeGreaterThan(until);
    expect(ofKey(here, second)).toBe("Inactive");
  });

  test("N3: a mark that is refused fails the run, which has cut the key", async () => {
    const { here, second } = await settled();
    here.cloud.faults.add(denied("secretsmanager", "TagResource"));
    await expect(leak(here, second)).rejects.toThrow("tagging custody of deploy");
    expect(ofKey(here, second)).toBe("Inactive");
  });

  test("an operator's hold does, and revoke overrides it", async () => {
    const { here, second, worker } = await settled();
    person(here).tag("keyturn-hold", "incident 7");
    await leak(here, second);
    await here.pass(hours(3));
    expect(ofKey(here, second)).toBe("Active");
    await revoke(here, second);
    expect(ofKey(here, second)).toBe("Inactive");
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(lastOf(await here.sweep())).toBe("not-ours-to-touch hold HeldByOperator held");
  });
});
