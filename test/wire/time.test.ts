import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { userName } from "../../src/rotation/keys.ts";
import { hours, minutes, seconds } from "../../src/rotation/time.ts";
import { setUpWire } from "./setup.ts";
import type { WireSetup } from "./setup.ts";

describe("time over the wire", () => {
  let setup: WireSetup;
  beforeEach(async () => {
    setup = await setUpWire();
  });
  afterEach(async () => setup.close());

  test("is the simulated cloud's, as DynamoDB tells it too", async () => {
    const { world, clock } = setup;
    await world.journal.read(userName("deploy"));
    expect(Math.abs(world.clock.now() - clock.now())).toBeLessThan(seconds(2));
  });

  test("is learnt from a refused call as well", async () => {
    const { world, cloud, clock } = setup;
    const refusal = { kind: "error-before", code: "AccessDenied", status: 403, times: "forever" } as const;
    cloud.faults.add({ service: "sts", operation: null, ...refusal });
    await expect(world.identity.read()).rejects.toMatchObject({ code: "Denied" });
    expect(Math.abs(world.clock.now() - clock.now())).toBeLessThan(seconds(2));
  });

  test("ends the run when a later answer, DynamoDB's here, is more than two minutes off", async () => {
    const { world, clock } = setup;
    await world.identity.read();
    clock.advance(minutes(2) + seconds(2));
    await world.journal.read(userName("deploy"));
    expect(() => world.clock.now()).toThrow(expect.objectContaining({ code: "Bug" }));
    clock.advance(hours(1));
    expect(() => world.clock.now()).toThrow("the run ends before its next act");
  });

  test("bears with an answer that is less than two minutes off", async () => {
    const { world, clock } = setup;
    await world.identity.read();
    clock.advance(minutes(2) - seconds(2));
    await world.journal.read(userName("deploy"));
    expect(() => world.clock.now()).not.toThrow();
  });
});
