import { describe, expect, test } from "vitest";
import { measure, type Row } from "../../scripts/deliveries/rotation.ts";
import { callsOfDelivery, rowsFor } from "../../scripts/deliveries/rows.ts";

const CALLS_MIN = 100;
const rows = rowsFor(await callsOfDelivery());
const find = (which: (row: Row) => boolean): Row => {
  const found = rows.find(which);
  if (found === undefined) throw new Error("there is no such row");
  return found;
};
const rowOf = (what: string): Row => find((row) => row.what.startsWith(what));
const RETIRED = rowOf("… and somebody retires the old key at once");
const OVERTAKEN = rowOf("somebody deploys before call 13: POST deployments");

describe("visitors of a Worker in workerd, through a whole rotation,", () => {
  test.for([rowOf("staged, a key that AWS refuses"), RETIRED, OVERTAKEN])(
    "never fail, and the old key is deleted: $what",
    async (row) => {
      const { requests, failed, ended, wrong } = await measure(row, CALLS_MIN);
      expect({ failed, ended, wrong }).toEqual({
        failed: 0,
        ended: expect.stringMatching("key is deleted"),
        wrong: [],
      });
      expect(requests).toBeGreaterThanOrEqual(CALLS_MIN);
    },
  );

  test("fail where the old key goes before the isolates have read the new pair", async () => {
    const twin = find(({ twinOf }) => twinOf === RETIRED.what);
    const { failed, codes } = await measure(twin, CALLS_MIN);
    expect(codes).toEqual(["InvalidClientTokenId"]);
    expect(failed).toBeGreaterThan(5);
  });

  test("lose a colleague's version where a delivery does not look for it", async () => {
    const twin = find(({ twinOf }) => twinOf === OVERTAKEN.what);
    const { wrong } = await measure(twin, CALLS_MIN);
    expect(wrong).toEqual(['live is "first, new pair" in the place of "theirs, new pair"']);
  });
});
