import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClients } from "../../src/cloud/clients.ts";
import { createAwsClock } from "../../src/cloud/clock.ts";
import { createDeepen } from "../../src/observe/evidence/deepen.ts";
import type { Answer } from "../../src/rotation/observation.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import type { World } from "../../src/rotation/world.ts";
import type { DirectWorld } from "../world/direct/world.ts";
import { aCaller, aSystem, lastOf, ofKey, toldOf } from "../world/system.ts";
import type { System } from "../world/system.ts";
import { startWire } from "../world/wire/wire.ts";
import type { Wire } from "../world/wire/wire.ts";

const LOG_GROUP = { kind: "logs-insights", logGroup: "aws-cloudtrail-logs", region: "us-east-1" } as const;

/**
 * Whole rotations in process, of an account whose trail is asked through the real SDK client over HTTP. What last-used
 * says of the first key stays as it was at the promotion: the case for which there is a second opinion.
 */
describe("a rotation with a trail to ask", () => {
  let system: System;
  let wire: Wire;
  let isLate: boolean;
  let stalled: Answer | null;
  const closing: (() => void)[] = [];

  const bent = (world: DirectWorld): World => {
    const credentials = {
      accessKeyId: system.here.cloud.role.keyId,
      secretAccessKey: system.here.cloud.role.secret,
      sessionToken: system.here.cloud.role.sessionToken,
    };
    const sdk = { endpoint: wire.url, credentials };
    const clients = createClients({ region: "us-east-1", clock: createAwsClock(minutes(14)), sdk });
    closing.push(() => clients.destroy());
    const deepen = createDeepen(LOG_GROUP, clients, world.clock);
    return {
      ...world,
      evidence: {
        async answer(question, context): Promise<Answer> {
          const answer = await world.evidence.answer(question, context);
          if (answer.source === "cloudtrail" && question.source === "cloudtrail") {
            return deepen(answer, question.handOversApart);
          }
          if (answer.source !== "last-used" || answer.keyId !== system.first.keyId || !isLate) return answer;
          stalled ??= answer;
          return stalled;
        },
      },
    };
  };
  const queries = (): number => system.here.cloud.counts.get("logs.StartQuery") ?? 0;
  const isInactive = (): boolean => ofKey(system.here, system.first.keyId) !== "Active";

  beforeEach(async () => {
    isLate = false;
    stalled = null;
    system = await aSystem();
    system.here.cloud.trail.isOn = true;
    wire = await startWire(system.here.cloud, { clock: system.here.clock });
    system.here.bend = bent;
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) close();
    await wire.close();
  });

  test("goes its way when the trail is silent too, and asks it only when nothing else is left", async () => {
    const { here, work } = system;
    const before: number[] = [];
    await here.passUntil(isInactive, days(20), () => {
      work();
      before.push(queries());
    });
    // Two looks, each with two queries, in the one sweep that deactivates.
    expect(new Set(before)).toEqual(new Set([0]));
    expect(queries()).toBe(4);
    const line = (await here.journal.history("deploy" as never)).find(({ what }) => what === "deactivating");
    expect(JSON.stringify(line?.details)).toContain('"deeper":"logs-insights"');
  });

  test("keeps a key that somebody still invokes Lambda with, although nothing else shows it, and says who", async () => {
    const { here, first, work } = system;
    await here.sweep();
    isLate = true;
    const forgotten = aCaller(here, () => first, "forgotten-preview");
    let hour = 0;
    const results = await here.pass(days(30), () => {
      work();
      hour += 1;
      if (hour % 48 === 0) forgotten.work();
    });
    expect(isInactive()).toBe(false);
    expect(forgotten.failures()).toEqual([]);
    expect(lastOf(results.at(-1))).toBe("retire hold OldKeyStillUsed held");
    const said = results.at(-1)?.users[0]?.decisions.at(-1)?.because;
    expect(said).toContain("lambda in us-east-1");
    expect(said).toMatch(/Invoke from 203\.0\.113\.9 by forgotten-preview, \d+ times, seen in the log group/);
    expect(toldOf(here)).toContain("OldKeyStillUsed");
    // The use that it found starts the silence anew: it is asked again only when that is over.
    expect(queries()).toBeLessThan(10);
  });

  /** How the trail is broken, what is said of it, and how it is mended. */
  test.for<[string, () => () => void, string]>([
    [
      "refuses",
      () =>
        system.here.cloud.faults.add({
          service: "logs",
          operation: "StartQuery",
          kind: "error-before",
          code: "AccessDeniedException",
          message: "keyturn-role is not authorized to perform: logs:StartQuery",
          times: "forever",
        }),
      "is not authorized to perform: logs:StartQuery",
    ],
    [
      "is too slow",
      () => {
        system.here.cloud.logs.takesMs = hours(1);
        return () => {
          system.here.cloud.logs.takesMs = 3_000;
        };
      },
      "no end within 100 s",
    ],
    [
      "is dead, and until it is no longer asked,",
      () => {
        system.here.cloud.trail.isOn = false;
        return () => {
          system.here.bend = null;
        };
      },
      "it shows nothing of anybody for a day from",
    ],
  ])("holds while the trail %s and names why; mended, it goes on", async ([, breakIt, because]) => {
    const { here, work } = system;
    await here.sweep();
    const mend = breakIt();
    await here.pass(days(10), work);
    const results = await here.pass(days(1), work);
    expect(isInactive()).toBe(false);
    expect(lastOf(results.at(-1))).toBe("retire hold UseUnknown held");
    expect(results.at(-1)?.users[0]?.decisions.at(-1)?.because).toContain(because);
    expect(here.cloud.logs.underWay(here.clock.now())).toBe(0);
    mend();
    await here.pass(hours(1), work);
    expect(isInactive()).toBe(true);
  });

  test("is deleted after a soak in which the trail shows no use either", async () => {
    const { here, first, work } = system;
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
    expect(queries()).toBe(8);
  });
});
