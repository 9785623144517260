import { describe, expect, test } from "vitest";
import { CASES, type Case, measure, overtakings } from "../../scripts/deliveries/cases.ts";

const REQUESTS_MIN = 300;
const caseOf = (what: string): Case => {
  const found = CASES.find((one) => one.what === what);
  if (found === undefined) throw new Error(`no case is called ${what}`);
  return found;
};

describe("callers of a Worker in workerd, while its pair is handed over,", () => {
  test.for([
    ["two secret puts", "set"],
    ["secrets-bulk, a key that AWS refuses", "delivered"],
    ["… and the old key goes at once", "delivered"],
  ] as const)("fail: %s", async ([what, ended]) => {
    const measured = await measure(caseOf(what), REQUESTS_MIN);
    expect(measured.ended).toBe(ended);
    expect(measured.failed).toBeGreaterThan(5);
  });

  test.for(["secrets-bulk", "staged", "staged, isolates keep the old pair"])("never fail: %s", async (what) => {
    const { failed, codes, ended, live, requests } = await measure(caseOf(what), REQUESTS_MIN);
    expect({ failed, codes, ended }).toEqual({ failed: 0, codes: [], ended: "delivered" });
    expect(live).toBe("first, new pair");
    expect(requests).toBeGreaterThanOrEqual(REQUESTS_MIN);
  });

  test("never fail, and have the old pair again, where AWS refuses the new one", async () => {
    const { failed, ended, live } = await measure(caseOf("staged, a key that AWS refuses"), REQUESTS_MIN);
    expect({ failed, ended }).toEqual({ failed: 0, ended: expect.stringContaining("the old pair is put forward") });
    expect(live).toBe("first, old pair");
  });

  test("never fail, and have the version of whoever deploys in the middle of the last steps", async () => {
    for (const one of (await overtakings()).slice(-6)) {
      const { what, failed, live } = await measure(one, 100);
      expect({ what, failed, live }).toEqual({ what, failed: 0, live: "theirs, new pair" });
    }
  });
});
