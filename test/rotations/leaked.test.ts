import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import { days, hours, minutes, plus } from "../../src/rotation/time.ts";
import { denied } from "../world/faults.ts";
import { healthEvent, invoke, leak, meanwhile, revoke } from "../world/leak.ts";
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
  loseJournal,
  ofKey,
  person,
  promoted,
  settled,
  toldOf,
  twice,
} from "../world/system.ts";

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
      const deactivated = here.notices.filter(({ code }) => code === "KeyDeactivated").map(({ text }) => text);
      expect(deactivated.filter((text) => text.startsWith(leaked))).toEqual([]);
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

  test("is not given back where its mark was refused, either: nothing but the journal knows", async () => {
    const { here, first, second } = await promoted();
    const unable = [denied("secretsmanager", "TagResource"), denied("secretsmanager", "PutSecretValue")];
    for (const fault of unable) here.cloud.faults.add(fault);
    await expect(leak(here, second)).rejects.toThrow("custody of deploy");
    expect(ofKey(here, second)).toBe("Inactive");
    await here.pass(days(1));
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["Active", "Inactive"]);
    for (const command of ["reactivate", "rollback"]) {
      const said = invoke(here, { command, user: DEPLOY, ...(command === "reactivate" ? { key: second } : {}) });
      await expect(said).rejects.toThrow(command === "reactivate" ? "it is exposed" : "");
    }
  });

  test("gets another once custody can be written again, although nothing but the journal knows that it leaked", async () => {
    const { here, second, worker, work } = await settled();
    const unable = ["TagResource", "PutSecretValue"].map((name) =>
      here.cloud.faults.add(denied("secretsmanager", name)),
    );
    await expect(leak(here, second)).rejects.toThrow("custody of deploy");
    expect(ofKey(here, second)).toBe("Inactive");
    for (const isOver of unable) isOver();
    await here.pass(hours(1));
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(custodyOf(here)).not.toBe(second);
    work();
    expect(toldOf(here)).not.toContain("CurrentKeyDisabled");
  });

  test("nor is one that was in its soak already when its mark was refused", async () => {
    const { here, first, worker, work } = await promoted();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(20), work);
    const allow = here.cloud.faults.add(denied("secretsmanager", "TagResource"));
    await expect(leak(here, first.keyId)).rejects.toThrow("custody of deploy");
    allow();
    worker.rollBackTo(worker.versionWith(first.keyId) ?? "");
    await here.pass(hours(2));
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    expect(worker.pair().keyId).toBe(custodyOf(here));
  });

  test("is cut within its hour however many destinations fail", async () => {
    const { here, second, worker } = await settled();
    const failing = Array.from({ length: 20 }, (_, index) => {
      const place = memoryDestination(`cloudflare-worker:${String(index)}`, { keyId: second, secret: "" });
      place.failing = "before";
      return place;
    });
    here.destinations = { ci: [worker, ...failing] };
    await leak(here, second);
    await here.pass(hours(2));
    expect(ofKey(here, second)).toBe("Inactive");
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

test("a stranger's key stays a stranger's beside the replacement that there was room for once the leaked key was gone", async () => {
  const { here, second } = await settled();
  const theirs = person(here).createKey().keyId;
  await here.pass(hours(2));
  await revoke(here, second);
  person(here).deleteKey(second);
  const results = await here.pass(days(30));
  expect(here.keysOf(DEPLOY)).toEqual([`${theirs} Active`, `${custodyOf(here) ?? ""} Active`]);
  expect(lastOf(results.at(-1))).toBe("stranger hold Stranger held");
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
