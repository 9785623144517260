import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import { userName } from "../../src/rotation/keys.ts";
import { days, hours, instant, minutes, plus } from "../../src/rotation/time.ts";
import { MemoryJournal } from "../world/direct/journal.ts";
import type { Installation } from "../world/installation.ts";
import { healthEvent, invoke, leak, meanwhile, quarantine, revoke } from "../world/leak.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import {
  aCaller,
  aSystem,
  custodyOf,
  DEPLOY,
  doneIn,
  dyingWorld,
  handMade,
  lastOf,
  ofKey,
  person,
  toldOf,
} from "../world/system.ts";
import type { System, SystemOptions } from "../world/system.ts";

async function loseJournal(here: Installation): Promise<void> {
  here.journal = new MemoryJournal();
  await here.journal.setRunning(instant(here.clock.now()));
}

/** The first rotation is over but for the wait: the hand-made key in its quiet, K2 current. */
async function promoted(options: SystemOptions = {}): Promise<System & { readonly second: string }> {
  const system = await aSystem(options);
  const { here, work } = system;
  await here.passUntil(() => custodyOf(here) !== null, days(1), work);
  return { ...system, second: custodyOf(here) ?? "" };
}

/** The first key is deleted, the second current and alone. */
async function settled(options: SystemOptions = {}): Promise<System & { readonly second: string }> {
  const system = await promoted(options);
  const { here, first, work } = system;
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
  return system;
}

/** The second rotation as far: K2 in its quiet, and in custody as the previous pair; K3 current. */
async function twice(): Promise<System & { readonly second: string; readonly third: string }> {
  const system = await settled();
  const { here, second, work } = system;
  await here.passUntil(() => custodyOf(here) !== second, days(80), work);
  return { ...system, third: custodyOf(here) ?? "" };
}

describe("an event of AWS Health", () => {
  test.for(["by hand", "by Keyturn"])(
    "has a key that was made %s replaced and cut within 5 minutes, no consumer fails",
    async (by) => {
      const system = by === "by hand" ? await aSystem() : await settled();
      const { here, first, worker, calls, work } = system;
      const leaked = by === "by hand" ? first.keyId : (custodyOf(here) ?? "");
      const stop = meanwhile(here, work);
      const from = here.clock.now();
      const result = await leak(here, leaked);
      stop();
      expect(here.clock.now() - from).toBeLessThan(minutes(5));
      expect(ofKey(here, leaked)).toBe("Inactive");
      expect(worker.pair().keyId).toBe(custodyOf(here));
      expect(doneIn(result)).toEqual(["create-replacement", "prove", "deliver", "promote", "deactivate"]);
      await here.pass(days(9), work);
      expect(ofKey(here, leaked)).toBe("gone");
      expect(calls.calls.length).toBeGreaterThan(100);
      expect(calls.failures()).toEqual([]);
      expect(toldOf(here)).toEqual(expect.arrayContaining(["KeyExposed", "ExposedKeyCut", "KeyDeleted"]));
    },
  );

  test("the same of a user that is taken to read custody fails its Worker: there the key is cut before", async () => {
    const { here, first, calls, work } = await aSystem({ profile: { isPulled: true } });
    const stop = meanwhile(here, work);
    await leak(here, first.keyId);
    stop();
    expect(calls.failures().length).toBeGreaterThan(0);
  });

  test("said twice, as two Regions do, makes one replacement", async () => {
    const { here, first } = await aSystem();
    await leak(here, first.keyId);
    const keys = here.keysOf(DEPLOY);
    await leak(here, first.keyId);
    expect(here.keysOf(DEPLOY)).toEqual(keys);
  });

  test("names several keys, of which those of others are told urgently, and nothing is done to them", async () => {
    const { here, first } = await aSystem();
    here.cloud.iam.createUser({ name: "stranger" });
    const other = handMade(here, days(3), "stranger").keyId;
    await leak(here, other, "AKIANOBODYNOBODYNOBO", first.keyId);
    expect([ofKey(here, other), ofKey(here, first.keyId)]).toEqual(["Active", "Inactive"]);
    const told = here.notices.filter(({ code }) => code === "ExposedElsewhere");
    expect(told.map(({ user, severity }) => `${user} ${severity}`)).toEqual([
      "stranger urgent",
      "AKIANOBODYNOBODYNOBO urgent",
    ]);
    expect(here.cloud.secretsManager.named("keyturn/stranger")).toBeNull();
  });

  test("hands the replacement on once, also where the run before had a clock that was a minute ahead", async () => {
    const { here, first, worker } = await aSystem();
    here.bend = (world) => ({ ...world, clock: { ...world.clock, now: () => plus(world.clock.now(), minutes(1)) } });
    await here.sweep();
    here.bend = null;
    const second = custodyOf(here) ?? "";
    await leak(here, second, first.keyId);
    const third = custodyOf(here) ?? "";
    expect(third).not.toBe(second);
    expect(worker.deliveries.filter((id) => id === third)).toEqual([third]);
  });

  test("is refused where it is another one", async () => {
    const { here, first } = await aSystem();
    const event = healthEvent(first.keyId);
    const another = { ...event, detail: { ...event.detail, eventTypeCode: "AWS_EC2_OPERATIONAL_ISSUE" } };
    await expect(invoke(here, another)).rejects.toThrow("reading the event");
  });

  test("wakes a user that is at rest, also when its run dies at once", async () => {
    const { here, second } = await settled();
    await here.pass(days(1));
    expect((await here.sweep()).resting).toBe(1);
    here.bend = (world) => ({
      ...world,
      directory: { ...world.directory, tagged: () => Promise.reject(new RotationError("Bug", "dying, now")) },
    });
    await expect(leak(here, second)).rejects.toThrow("dying");
    here.bend = null;
    await here.pass(hours(1));
    expect(ofKey(here, second)).toBe("Inactive");
  });

  test("while Keyturn is paused is marked and told, and revoke acts all the same", async () => {
    const { here, first } = await aSystem();
    await here.journal.setRunning(null);
    await leak(here, first.keyId);
    expect(here.keysOf(DEPLOY)).toEqual([`${first.keyId} Active`]);
    expect(toldOf(here)).toContain("KeyExposed");
    await revoke(here, first.keyId);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    expect(custodyOf(here)).not.toBeNull();
  });
});

describe("a run that dies at any of its requests", () => {
  test("is ended by the next sweeps: the leaked key is cut within three hours, and the Worker has a key that works", async () => {
    let deaths = 0;
    for (let last = 1; last < 200; last += 1) {
      const { here, first, worker, calls, work } = await aSystem();
      let requests = 0;
      const stop = here.cloud.onCall(() => void (requests += 1));
      here.bend = (world) => dyingWorld(world, () => requests >= last);
      const died = await leak(here, first.keyId).then(
        (result) => result.status !== "ok",
        () => true,
      );
      stop();
      here.bend = null;
      if (!died && requests < last) break;
      deaths += 1;
      await here.pass(hours(3), work);
      // Before the mark nobody has heard of the leak, but for the queue of failed invocations.
      const tags = here.cloud.secretsManager.named(`keyturn/${DEPLOY}`)?.tags ?? [];
      if (!tags.some(({ Key }) => Key.includes("exposed"))) continue;
      expect([last, ofKey(here, first.keyId), worker.pair().keyId]).toEqual([last, "Inactive", custodyOf(here)]);
      expect([last, calls.failures()]).toEqual([last, []]);
    }
    expect(deaths).toBeGreaterThan(15);
  });
});

describe("L2: a key that was cut because it is exposed", () => {
  test("is not given back when a use of it comes to light, nor when a destination holds it again", async () => {
    const { here, second, worker, work } = await settled();
    const thief = aCaller(here, () => ({ keyId: second, secret: here.cloud.iam.keys.get(second)?.secret ?? "" }));
    const stop = meanwhile(here, () => thief.work());
    await leak(here, second);
    stop();
    worker.rollBackTo(worker.versionWith(second) ?? "");
    await here.pass(days(6), work);
    expect(ofKey(here, second)).toBe("Inactive");
    expect(toldOf(here)).not.toContain("KeyReactivated");
  });

  test("is cut again within the hour when somebody activates it", async () => {
    const { here, second } = await settled();
    await leak(here, second);
    await here.pass(hours(1));
    person(here).setStatus(second, "Active");
    await here.pass(hours(1));
    expect(ofKey(here, second)).toBe("Inactive");
  });
});

test.for(["rollback", "reactivate"])("%s of an exposed key is refused in words", async (command) => {
  const { here, second } = await settled();
  await leak(here, second);
  const word = { command, user: DEPLOY, key: second };
  await expect(invoke(here, word)).rejects.toThrow(`obeying ${command} of deploy`);
  await expect(invoke(here, word)).rejects.toThrow("exposed");
  expect(ofKey(here, second)).toBe("Inactive");
  expect(custodyOf(here)).not.toBe(second);
});

describe("L3: without room for a replacement", () => {
  test("the old key in its soak is deleted at once", async () => {
    const { here, first, second, calls, work } = await promoted();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(12), work);
    const result = await leak(here, second);
    expect(doneIn(result)[0]).toBe("delete");
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["gone", "Inactive"]);
    work();
    expect(calls.failures()).toEqual([]);
  });

  test("an old key of ours that is at no destination any more is deleted", async () => {
    const { here, second, third } = await twice();
    await leak(here, third);
    expect([ofKey(here, second), ofKey(here, third)]).toEqual(["gone", "Inactive"]);
    expect(custodyOf(here)).not.toBe(third);
  });

  test("a hand-made key that somebody may use is not: the leaked one is cut after an hour, and the notice says why", async () => {
    const { here, first, second } = await promoted();
    await leak(here, second);
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["Active", "Active"]);
    await here.pass(hours(1));
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["Active", "Inactive"]);
    const cut = here.notices.find(({ code }) => code === "ExposedKeyCut");
    expect(cut?.text).toContain(`there is no room for a replacement: ${first.keyId} is active`);
  });

  test("a second key of the thief's fills the slot until it is revoked, too; then the consumers have one again", async () => {
    const { here, second, worker } = await settled();
    const thiefs = person(here).createKey().keyId;
    await leak(here, second);
    await here.pass(hours(1));
    expect([ofKey(here, second), ofKey(here, thiefs)]).toEqual(["Inactive", "Active"]);
    await revoke(here, thiefs);
    expect([ofKey(here, thiefs), worker.pair().keyId]).toEqual(["gone", custodyOf(here)]);
    expect(custodyOf(here)).not.toBe(second);
  });
});

describe("L5: that a key is exposed", () => {
  test("outlives the journal", async () => {
    const { here, second, worker } = await settled();
    worker.blockedBecause = "its token expired";
    worker.failing = "before";
    await leak(here, second);
    expect(ofKey(here, second)).toBe("Active");
    await loseJournal(here);
    await here.pass(hours(1));
    expect(ofKey(here, second)).toBe("Inactive");
  });

  test("cuts it after cutExposedWithin, although a destination is behind, and names that", async () => {
    const { here, second, worker } = await settled();
    const late = memoryDestination("cloudflare-worker:late", { keyId: second, secret: "" });
    here.destinations = { ci: [late, worker] };
    await here.pass(hours(1));
    late.blockedBecause = "its token expired";
    await leak(here, second);
    // The other one has it all the same, and the leaked key has its hour.
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(custodyOf(here)).not.toBe(second);
    expect(ofKey(here, second)).toBe("Active");
    here.clock.advance(minutes(59));
    await here.sweep();
    expect(ofKey(here, second)).toBe("Active");
    here.clock.advance(minutes(1));
    await here.sweep();
    expect(ofKey(here, second)).toBe("Inactive");
    expect(here.notices.find(({ code }) => code === "ExposedKeyCut")?.text).toContain("cloudflare-worker:late");
    late.blockedBecause = null;
    await here.pass(hours(4));
    expect(late.pair().keyId).toBe(custodyOf(here));
  });
});

describe("L6, N19: a quarantine policy", () => {
  test("condemns the keys that are older than its attachment, each once", async () => {
    const { here, second, calls, work } = await settled();
    here.clock.advance(hours(1));
    quarantine(here, "V3");
    await here.pass(hours(2), work);
    const third = custodyOf(here) ?? "";
    expect([ofKey(here, second), ofKey(here, third)]).toEqual(["Inactive", "Active"]);
    await here.pass(days(10), work);
    expect([custodyOf(here), ofKey(here, second)]).toEqual([third, "gone"]);
    expect(calls.failures()).toEqual([]);
  });

  test("N19: by the time that CloudTrail tells; also when the table was lost since", async () => {
    const { here, second, work } = await settled();
    quarantine(here, "V2");
    here.clock.advance(minutes(20));
    await leak(here, second);
    const third = custodyOf(here);
    await loseJournal(here);
    await here.pass(days(2), work);
    expect(custodyOf(here)).toBe(third);
  });

  test("N19: where CloudTrail tells nothing, by the sweep that first saw it, which is kept beside the marks", async () => {
    const { here, second, work } = await settled();
    here.cloud.faults.add({
      service: "cloudtrail",
      operation: "LookupEvents",
      kind: "error-before",
      code: "AccessDeniedException",
      times: "forever",
    });
    quarantine(here, "V3");
    await here.pass(hours(1), work);
    const third = custodyOf(here);
    expect(ofKey(here, second)).toBe("Inactive");
    await loseJournal(here);
    await here.pass(days(1), work);
    expect(custodyOf(here)).toBe(third);
  });

  test("is marked and told where custody's pairs cannot be read, and cuts its keys an hour later", async () => {
    const { here, first, second } = await promoted();
    const secret = here.cloud.secretsManager.named(`keyturn/${DEPLOY}`);
    if (secret !== null) secret.kms = { read: "AccessDeniedException", write: "AccessDeniedException" };
    here.clock.advance(hours(1));
    quarantine(here, "V3");
    await here.sweep();
    expect(toldOf(here)).toContain("KeyExposed");
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["Active", "Active"]);
    await here.pass(hours(2));
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["Inactive", "Inactive"]);
  });

  test("condemns nobody where not even custody's tags can be read: what is on record is not known", async () => {
    const { here, second } = await settled();
    const refused = { service: "secretsmanager", kind: "error-before", code: "AccessDeniedException" } as const;
    here.cloud.faults.add({ ...refused, operation: "DescribeSecret", times: "forever" });
    here.clock.advance(hours(1));
    quarantine(here, "V3");
    await here.pass(hours(3));
    expect(ofKey(here, second)).toBe("Active");
    expect(toldOf(here)).toContain("BlindSpot");
  });

  test("taken away and attached again is another one", async () => {
    const { here, second, work } = await settled();
    quarantine(here, "V3");
    await here.pass(hours(2), work);
    const third = custodyOf(here);
    quarantine(here, "V3", false);
    await here.pass(hours(2), work);
    quarantine(here, "V3");
    await here.pass(hours(2), work);
    expect(third).not.toBe(second);
    expect(custodyOf(here)).not.toBe(third);
  });

  test("of which one of two is taken away condemns nobody once more", async () => {
    const { here, second, work } = await settled();
    quarantine(here, "V2");
    quarantine(here, "V3");
    await here.pass(hours(2), work);
    const third = custodyOf(here) ?? "";
    quarantine(here, "V2", false);
    await here.pass(hours(3), work);
    expect(third).not.toBe(second);
    expect([custodyOf(here), ofKey(here, third)]).toEqual([third, "Active"]);
  });

  test("the same before CloudTrail tells of it: the attachment of before is not taken for this one", async () => {
    const { here, second, work } = await settled();
    quarantine(here, "V3");
    await here.pass(hours(2), work);
    const third = custodyOf(here) ?? "";
    quarantine(here, "V3", false);
    await here.pass(hours(2), work);
    quarantine(here, "V3");
    await here.sweep();
    await here.pass(hours(1), work);
    expect(third).not.toBe(second);
    expect(custodyOf(here)).not.toBe(third);
    expect(ofKey(here, third)).not.toBe("Active");
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
    here.cloud.faults.add({
      service: "secretsmanager",
      operation: "TagResource",
      kind: "error-before",
      code: "AccessDeniedException",
      times: "forever",
    });
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

describe("N4: which key goes", () => {
  test("N4: an old key that is exposed needs no new one: the current one is its replacement", async () => {
    const { here, first, second, calls, work } = await promoted();
    const result = await leak(here, first.keyId);
    expect(doneIn(result)).toEqual(["deactivate"]);
    expect([custodyOf(here), here.keysOf(DEPLOY).length]).toEqual([second, 2]);
    work();
    expect(calls.failures()).toEqual([]);
  });

  test("N4: a pending key that is sound is the replacement, and never makes room", async () => {
    const { here, first, worker } = await aSystem();
    worker.failing = "before";
    await here.sweep();
    const pending = custodyOf(here, "AWSPENDING");
    worker.failing = null;
    await here.pass(hours(1), () => undefined);
    await leak(here, first.keyId);
    expect(custodyOf(here)).toBe(pending);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
  });

  test("N4: of two exposed keys the one that is not current goes, and the current one when its replacement is there", async () => {
    const { here, first, second, worker, calls, work } = await promoted();
    const stop = meanwhile(here, work);
    await leak(here, second, first.keyId);
    stop();
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["gone", "Inactive"]);
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(calls.failures()).toEqual([]);
  });

  test("N4: of two exposed keys of which none is current the one in use stays until its replacement is there", async () => {
    const { here, first, worker, calls, work } = await aSystem();
    // The secret of the first replacement is lost: nobody has it, and it is the younger one.
    const stopped = new RotationError("Unreachable", "storing it, no answer came");
    here.bend = (world) => ({ ...world, custody: { ...world.custody, storePending: () => Promise.reject(stopped) } });
    await here.sweep();
    here.bend = null;
    const lost =
      here
        .keysOf(DEPLOY)
        .find((key) => !key.startsWith(first.keyId))
        ?.split(" ")[0] ?? "";
    const stop = meanwhile(here, work);
    await leak(here, first.keyId, lost);
    stop();
    expect([ofKey(here, lost), ofKey(here, first.keyId)]).toEqual(["gone", "Inactive"]);
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(calls.failures()).toEqual([]);
  });

  test("an exposed pending key is withdrawn, and where it went gets the current pair again", async () => {
    const { here, second, worker, calls, work } = await settled();
    const late = memoryDestination("cloudflare-worker:late", { keyId: second, secret: "" });
    await here.pass(days(54), work);
    here.destinations = { ci: [worker, late] };
    await here.pass(hours(1));
    late.failing = "before";
    await here.passUntil(
      () => custodyOf(here, "AWSPENDING") !== second && custodyOf(here, "AWSPENDING") !== null,
      days(10),
      work,
    );
    const pending = custodyOf(here, "AWSPENDING") ?? "";
    expect(worker.pair().keyId).toBe(pending);
    late.failing = null;
    const stop = meanwhile(here, work);
    await leak(here, pending);
    stop();
    expect([ofKey(here, pending), custodyOf(here), worker.pair().keyId]).toEqual(["Inactive", second, second]);
    expect(calls.failures()).toEqual([]);
  });
});

describe("revoke", () => {
  test("is refused for who is not enrolled, and for a key that the user never had", async () => {
    const { here, first } = await aSystem();
    await expect(revoke(here, first.keyId, "nobody")).rejects.toThrow("no such user is enrolled here");
    await expect(revoke(here, "AKIANOTYOURSNOTYOURS")).rejects.toThrow("the user never had such a key");
  });

  test("says what was done, and cuts at once although a destination is behind", async () => {
    const { here, second, worker } = await settled();
    worker.failing = "before";
    const { done } = (await revoke(here, second)) as unknown as { readonly done: string };
    expect(done).toContain(`${second} of deploy is marked as exposed, and is Inactive now. `);
    expect(done).toContain("cloudflare-worker:api could not be given");
    expect(ofKey(here, second)).toBe("Inactive");
    const again = (await revoke(here, second)) as unknown as { readonly done: string };
    expect(again.done).toContain(`${second} of deploy is marked as exposed, and was Inactive already. `);
  });

  test("says loudly that a key is active which IAM would not deactivate", async () => {
    const { here, second } = await settled();
    const refused = { code: "AccessDenied", status: 403, kind: "error-before", times: "forever" } as const;
    here.cloud.faults.add({ service: "iam", operation: "UpdateAccessKey", ...refused });
    const { done } = (await revoke(here, second)) as unknown as { readonly done: string };
    expect(done).toContain(`${second} of deploy is marked as exposed, and is STILL ACTIVE. `);
    expect(ofKey(here, second)).toBe("Active");
  });
});
