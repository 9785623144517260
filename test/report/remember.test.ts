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
function saidAt(sweeps: Sweeps) {
  return play(sweeps).flatMap(({ atHours, said }) => (said.isOver ? [] : [atHours]));
}
type Sweeps = readonly (readonly [atHours: number, notices: readonly Notice[], isBlind?: boolean])[];
function play(sweeps: Sweeps) {
  let records: Readonly<Record<string, NoticeRecord>> = {};
  return sweeps.flatMap(([atHours, notices, isBlind = false]) => {
    const now: Instant = plus(NOW, hours(atHours));
    const result = remember(records, notices, { now, isWhole: !isBlind });
    records = result.records;
    return result.toSay.map((said) => ({ atHours, said }));
  });
}
const overAt = (sweeps: Sweeps) => play(sweeps).flatMap(({ atHours, said }) => (said.isOver ? [atHours] : []));
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
  const first = remember({}, [notice("Stranger")], { now: NOW, isWhole: true }).records;
  const after = (ms: number) => remember(first, [notice("Stranger")], { now: plus(NOW, ms), isWhole: true }).records;
  expect(after(hours(5))).toEqual(first);
  expect(after(hours(6))).not.toEqual(first);
});

test("remembers when it was first, last said and last seen", () => {
  const first = remember({}, [notice("Stranger")], { now: NOW, isWhole: true }).records;
  const { records, open } = remember(first, [notice("Stranger")], { now: plus(NOW, days(1)), isWhole: true });
  expect(records).toEqual({ Stranger: { saidAt: NOW, seenAt: plus(NOW, days(1)), since: NOW } });
  expect(open).toMatchObject([{ code: "Stranger", since: NOW }]);
});

describe("the end of what lasted", () => {
  const [held, gone]: [readonly Notice[], readonly Notice[]] = [[notice("UseUnknown", "UseUnknown:K1")], []];

  test("is told a day after it was last seen, once, and not an hour before", () => {
    expect(overAt([[0, held], ...hourly(1, 24, gone)])).toEqual([]);
    expect(overAt([[0, held], ...hourly(1, 72, gone)])).toEqual([24]);
  });

  test("says what it was, since when, and that nothing is to be done", () => {
    const [, over] = play([[0, held], ...hourly(1, 25, gone)]);
    expect(over?.said).toMatchObject({
      code: "UseUnknown",
      severity: "warning",
      dedupeKey: "UseUnknown:K1",
      since: NOW,
      text: "This is over (K1): it was told on 2026-06-01T00:00:00.000Z, and was last seen 1 d ago.",
      advice: "Nothing to do.",
      isOver: true,
    });
  });

  test("is not told by a look that did not see everything, but by the first that does", () => {
    const blind = Array.from({ length: 48 }, (_, index) => [index + 1, gone, true] as const);
    expect(overAt([[0, held], ...blind])).toEqual([]);
    expect(overAt([[0, held], ...blind, [49, gone]])).toEqual([49]);
  });

  test("is not told of what happens once", () => {
    expect(overAt([[0, [notice("KeyDeleted", "KeyDeleted:K1")]], ...hourly(1, 72, gone)])).toEqual([]);
    expect(overAt([[0, [notice("KeyReactivated", "KeyReactivated:K1")]], ...hourly(1, 72, gone)])).toEqual([]);
  });

  test("of a deadline is told when the last of that key is over, and names the first of them as its beginning", () => {
    const soon = [notice("KeyOverdue", "KeyOverdue:K1:soon")];
    const over = [notice("KeyOverdue", "KeyOverdue:K1:week 0")];
    const sweeps: Sweeps = [...hourly(0, 72, soon), ...hourly(72, 200, over), ...hourly(200, 300, gone)];
    const ends = play(sweeps).filter(({ said }) => said.isOver);
    expect(ends.map(({ said }) => [said.dedupeKey, said.since])).toEqual([["KeyOverdue:K1:week 0", NOW]]);
  });

  test("of one destination is told while another is still in the way", () => {
    const [one, other] = [notice("DestinationBlocked", "DestinationBlocked:a"), notice("DestinationBlocked", "b")];
    const ends = play([[0, [one, other]], ...hourly(1, 30, [other])]).filter(({ said }) => said.isOver);
    expect(ends.map(({ said }) => said.dedupeKey)).toEqual(["DestinationBlocked:a"]);
  });
});
