import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { days, minutes, plus } from "../../src/rotation/time.ts";
import type { Fault } from "../world/faults.ts";
import { wireWorld } from "../world/wire/wire-world.ts";
import { setUpWire } from "./setup.ts";
import type { WireSetup } from "./setup.ts";

const KEY = accessKeyId("AKIAOLDOLDOLDOLDOLD1");
const REGION = "eu-central-1";

describe("a look-up that CloudTrail refuses for a while", () => {
  let setup: WireSetup;
  beforeEach(async () => {
    setup = await setUpWire();
  });
  afterEach(() => setup.close());

  /** What CloudTrail says of the key, and how often it was asked in the Region that refuses. */
  async function ask(kind: Fault["kind"], times: Fault["times"], deadlineMs = minutes(14)) {
    const { cloud, wire } = setup;
    let asked = 0;
    cloud.onCall(({ service, region }) => {
      if (service === "cloudtrail" && region === REGION) asked += 1;
    });
    const when = ({ region }: { readonly region: string }): boolean => region === REGION;
    cloud.faults.add({ service: "cloudtrail", operation: "LookupEvents", kind, times, when });
    const run = wireWorld(cloud, wire, { deadlineMs });
    await run.identity.read();
    const question = {
      source: "cloudtrail",
      keyId: KEY,
      from: plus(run.clock.now(), -days(10)),
      handOversApart: false,
    } as const;
    const answer = await run.evidence.answer(question, { user: userName("deploy"), unaskedRegions: {} });
    run.close();
    return { verdict: answer.source === "cloudtrail" ? answer.use.verdict : "another question", asked };
  }

  test.for(["throttle", "error-before", "lost-before"] as const)("is asked again, and answers: %s", async (kind) => {
    expect(await ask(kind, 4)).toEqual({ verdict: "unused", asked: 5 });
  });

  test.for(["throttle", "error-before"] as const)("is given up after five tries, and is unknown: %s", async (kind) => {
    expect(await ask(kind, 5)).toEqual({ verdict: "unknown", asked: 5 });
  });

  test("is not asked again in the last minutes of a run", async () => {
    expect(await ask("throttle", 1, minutes(4))).toEqual({ verdict: "unknown", asked: 1 });
  });

  test("is not asked again where it is denied", async () => {
    const { cloud } = setup;
    const denied = { code: "AccessDeniedException", kind: "error-before", times: 1, status: 400 } as const;
    cloud.faults.add({ service: "cloudtrail", operation: "LookupEvents", ...denied });
    const { verdict } = await ask("throttle", 0);
    expect([verdict, cloud.counts.get("cloudtrail.LookupEvents")]).toEqual(["unknown", cloud.regions.length]);
  });
});
