import { describe, expect, test } from "vitest";
import { measure, type Row } from "../../scripts/deliveries/rotation.ts";
import { callsOfDelivery, rowsFor } from "../../scripts/deliveries/rows.ts";

const CALLS_MIN = 300;
const rows = rowsFor(await callsOfDelivery());
const rowOf = (what: string): Row => {
  const found = rows.find((row) => row.what.startsWith(what));
  if (found === undefined) throw new Error(`no row is called ${what}`);
  return found;
};

describe("visitors of a Worker in workerd, through a whole rotation,", () => {
  test.for(["staged", "staged, a key that AWS refuses", "… and somebody retires the old key at once"])(
    "never fail, and the old key is deleted: %s",
    async (what) => {
      const { requests, ended, wrong } = await measure(rowOf(what), CALLS_MIN);
      expect({ ended, wrong }).toEqual({ ended: expect.stringContaining("the old key is deleted"), wrong: [] });
      expect(requests).toBeGreaterThanOrEqual(CALLS_MIN);
    },
  );

  test.for([
    ["two secret puts", "SignatureDoesNotMatch"],
    [`… with "readers' caches forgotten"`, "InvalidClientTokenId"],
  ] as const)("fail: %s", async ([what, code]) => {
    const { failed, codes } = await measure(rowOf(what), CALLS_MIN);
    expect(codes).toEqual([code]);
    expect(failed).toBeGreaterThan(5);
  });

  test("have the version of whoever deploys right before the deployment, and without the look at it they have not", async () => {
    const row = rowOf("somebody deploys before call 13: POST deployments");
    const twin = rows.find(({ twinOf }) => twinOf === row.what);
    if (twin === undefined) throw new Error("the row has no twin");
    const [sound, mistaken] = [await measure(row, CALLS_MIN), await measure(twin, CALLS_MIN)];
    expect(sound).toMatchObject({ failed: 0, wrong: [] });
    expect(mistaken.wrong).toEqual(['live is "first, new pair" in the place of "theirs, new pair"']);
  });
});
