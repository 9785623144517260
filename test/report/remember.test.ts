import { describe, expect, test } from "vitest";
import type { Notice } from "../../src/rotation/notice.ts";
import type { NoticeRecord } from "../../src/rotation/record.ts";
import { days, hours, type Instant, plus } from "../../src/rotation/time.ts";
import { remember } from "../../src/report/remember.ts";
import { NOW, USER } from "./builders.ts";

const notice = (code: Notice["code"], dedupeKey: string = code): Notice => ({
  code,
  severity: "warning",
  user: USER,
  at: NOW,
  text: "",
  advice: "",
  dedupeKey,
});

/** Plays sweeps, each at so many hours with these notices, and gives the hours at which something was said. */
function saidAt(sweeps: readonly (readonly [atHours: number, notices: readonly Notice[]])[]) {
  let records: Readonly<Record<string, NoticeRecord>> = {};
  return sweeps.flatMap(([atHours, notices]) => {
    const at: Instant = plus(NOW, hours(atHours));
    const result = remember(records, notices, at);
    records = result.records;
    return result.toSay.map(() => atHours);
  });
}
const hourly = (from: number, to: number, notices: readonly Notice[]) =>
  Array.from({ length: to - from }, (_, index) => [from + index, notices] as const);

describe("a notice", () => {
  test("is said once, and again after the registry's time while it lasts", () => {
    const held = [notice("OldKeyStillUsed")]; // a week
    expect(saidAt(hourly(0, 24 * 15, held))).toEqual([0, 24 * 7, 24 * 14]);
  });

  test("that is urgent is said again each day", () => {
    expect(saidAt(hourly(0, 50, [notice("UsedAfterDeactivation")]))).toEqual([0, 24, 48]);
  });

  test("of what happens once is never said again", () => {
    expect(saidAt(hourly(0, 24 * 30, [notice("KeyDeleted", "KeyDeleted:K1")]))).toEqual([0]);
  });

  test("of a deadline is said once for each deadline", () => {
    const soon = notice("KeyOverdue", "KeyOverdue:K1:soon");
    const over = notice("KeyOverdue", "KeyOverdue:K1:week 0");
    expect(saidAt([...hourly(0, 72, [soon]), ...hourly(72, 200, [over])])).toEqual([0, 72]);
  });

  test("that comes and goes within a day is not repeated", () => {
    const held = [notice("UseUnknown")];
    const flapping = hourly(0, 72, held).map(([at]) => [at, at % 20 === 0 ? held : []] as const);
    expect(saidAt(flapping)).toEqual([0]);
  });

  test("that comes back a day after it was last seen is news", () => {
    const held = [notice("UseUnknown")];
    expect(saidAt([[0, held], ...hourly(1, 24, []), [24, held]])).toEqual([0]);
    expect(saidAt([[0, held], ...hourly(1, 25, []), [25, held]])).toEqual([0, 25]);
  });

  test("seen by every daily sweep is not news each day", () => {
    const daily = [0, 24, 48, 72].map((at) => [at, [notice("UseUnknown")]] as const);
    expect(saidAt(daily)).toEqual([0]);
  });
});

test("is remembered as it was within six hours, so that a state that lasts is not written down each hour", () => {
  const first = remember({}, [notice("Stranger")], NOW).records;
  expect(remember(first, [notice("Stranger")], plus(NOW, hours(5))).records).toEqual(first);
  expect(remember(first, [notice("Stranger")], plus(NOW, hours(6))).records).not.toEqual(first);
});

test("remembers when it was first, last said and last seen", () => {
  const first = remember({}, [notice("Stranger")], NOW).records;
  const later = remember(first, [notice("Stranger")], plus(NOW, days(1))).records;
  expect(later).toEqual({
    Stranger: { saidAt: NOW, seenAt: plus(NOW, days(1)) },
  });
});
