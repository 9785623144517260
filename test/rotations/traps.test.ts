import { expect, test } from "vitest";
import { days, hours } from "../../src/rotation/time.ts";
import { aPolicy } from "../builders.ts";
import { aCaller, aSystem, custodyOf, DEPLOY, ofKey, toldOf } from "../world/system.ts";

/** The traps of docs/evidence.md that no other test shows. */

test("a whole rotation signs nothing with the old key: last-used would show it as a use", async () => {
  const { here, first, work } = await aSystem();
  const signers = new Set<string>();
  here.cloud.onCall(({ signer, userAgent }) => {
    if (userAgent === "keyturn") signers.add(signer?.keyId ?? "nobody");
  });
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
  expect(signers).toEqual(new Set([here.cloud.role.keyId, custodyOf(here)]));
});

test("an old key that was never used waits for the whole silence all the same", async () => {
  const { here, first, work } = await aSystem({ isUsed: false });
  await here.sweep();
  await here.pass(hours(1) + days(10) + hours(3), work);
  expect(ofKey(here, first.keyId)).toBe("Active");
  await here.pass(hours(3), work);
  expect(ofKey(here, first.keyId)).toBe("Inactive");
});

test("the order in which IAM lists the keys decides nothing", async () => {
  const { here, first, calls, work } = await aSystem({
    bend: (world) => ({
      ...world,
      accessKeys: {
        ...world.accessKeys,
        list: async (user) => (await world.accessKeys.list(user)).toReversed(),
      },
    }),
  });
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
  expect(here.keysOf(DEPLOY)).toEqual([`${custodyOf(here) ?? ""} Active`]);
  expect(calls.failures()).toEqual([]);
});

test("a presigned URL that was made with the old key at the last moment serves its seven days", async () => {
  const { here, first, work } = await aSystem();
  const url = aCaller(here, () => first, "whoever has the link");
  await here.sweep();
  await here.pass(days(7), work);
  expect(url.work().error).toBeNull();
  await here.pass(days(9), work);
  // The link was a use of the key, so that the silence began anew.
  expect([ofKey(here, first.keyId), toldOf(here).includes("OldKeyStillUsed")]).toEqual(["Active", true]);
});

test("its twin: a profile that is content with five days of silence cuts the link off", async () => {
  const { here, first, work } = await aSystem({ profile: { policy: aPolicy({ quietForMs: days(5) }) } });
  await here.sweep();
  await here.pass(days(7), work);
  expect(aCaller(here, () => first, "whoever has the link").work().error).toBe("InvalidClientTokenId");
});

test("what is tried with the inactive key leaves no trace at AWS, so that its silence proves nothing", async () => {
  const { here, first, work } = await aSystem();
  await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(30), work);
  here.clock.advance(hours(1));
  const late = aCaller(here, () => first, "late");
  const uses = here.cloud.iam.keys.get(first.keyId)?.uses.length;
  expect(late.work().error).toBe("InvalidClientTokenId");
  expect(here.cloud.iam.keys.get(first.keyId)?.uses).toHaveLength(uses ?? 0);
  const events = here.cloud.callAs(here.cloud.role, {
    service: "cloudtrail",
    operation: "LookupEvents",
    input: { LookupAttributes: [{ AttributeKey: "AccessKeyId", AttributeValue: first.keyId }] },
  });
  expect(events["Events"]).toEqual([]);
});
