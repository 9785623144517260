import { describe, expect, test } from "vitest";
import { defineConfig } from "../../src/config/define.ts";
import { hours, instant } from "../../src/rotation/time.ts";
import type { Window } from "../../src/rotation/window.ts";
import { longestGapMs, opensAt, spellIn } from "../../src/rotation/window.ts";

/** A window as the configuration reads it, in a profile that could keep any. */
function aWindow(window: string): Window {
  const destinations = [{ kind: "secrets-manager" as const }];
  const profile = { users: ["a"], destinations, rotateAfter: "60d", maxAge: "200d", window };
  const read = defineConfig({ profiles: { one: profile } }).profiles["one"]?.policy.window;
  if (!read) throw new Error("the profile has no window");
  return read;
}

/** When it opens, as UTC spells it; "open" where it is. */
function opening(window: string, at: string): string {
  const opens = opensAt(aWindow(window), instant(Date.parse(at)));
  return opens === null ? "open" : new Date(opens).toISOString().slice(0, 16);
}

const OFFICE = "Mon-Thu 09:00-16:00 Europe/Berlin";
const NIGHT = "Fri,Sat 22:00-04:00 Europe/Berlin";
const EARLY = "Sun 02:00-04:00 Europe/Berlin";

describe("a window", () => {
  test.for([
    // An ordinary week: 4 May 2026 is a Monday, and Berlin two hours ahead of UTC.
    [OFFICE, "2026-05-04T06:59:59.999Z", "2026-05-04T07:00"],
    [OFFICE, "2026-05-04T07:00:00.000Z", "open"],
    [OFFICE, "2026-05-04T13:59:59.999Z", "open"],
    [OFFICE, "2026-05-04T14:00:00.000Z", "2026-05-05T07:00"],
    [OFFICE, "2026-05-07T14:00:00.000Z", "2026-05-11T07:00"],
    [OFFICE, "2026-05-10T12:00:00.000Z", "2026-05-11T07:00"],
    // Clocks go forward on Sunday, 29 March 2026, and back on 25 October.
    [OFFICE, "2026-03-26T15:00:00.000Z", "2026-03-30T07:00"],
    [OFFICE, "2026-03-30T06:59:59.999Z", "2026-03-30T07:00"],
    [OFFICE, "2026-10-22T14:00:00.000Z", "2026-10-26T08:00"],
    [OFFICE, "2026-10-26T07:59:00.000Z", "2026-10-26T08:00"],
    // Over midnight it belongs to the day on which it opened.
    [NIGHT, "2026-05-08T19:59:00.000Z", "2026-05-08T20:00"],
    [NIGHT, "2026-05-08T20:00:00.000Z", "open"],
    [NIGHT, "2026-05-10T01:59:59.999Z", "open"],
    [NIGHT, "2026-05-10T02:00:00.000Z", "2026-05-15T20:00"],
    [NIGHT, "2026-05-08T01:00:00.000Z", "2026-05-08T20:00"],
    // At 02:00 the clocks show 03:00: what is left of the window begins there. In October it lasts an hour longer.
    [EARLY, "2026-03-28T12:00:00.000Z", "2026-03-29T01:00"],
    [EARLY, "2026-03-29T01:59:59.999Z", "open"],
    [EARLY, "2026-03-29T02:00:00.000Z", "2026-04-05T00:00"],
    [EARLY, "2026-10-25T00:00:00.000Z", "open"],
    [EARLY, "2026-10-25T02:59:59.999Z", "open"],
    [EARLY, "2026-10-25T03:00:00.000Z", "2026-11-01T01:00"],
    ["Sat-Mon 00:00-24:00 UTC", "2026-05-08T23:59:00.000Z", "2026-05-09T00:00"],
    ["Sat-Mon 00:00-24:00 UTC", "2026-05-12T00:00:00.000Z", "2026-05-16T00:00"],
  ] as const)("%s, at %s: %s", ([window, at, opens]) => {
    expect(opening(window, at)).toBe(opens);
  });

  test.for([
    [OFFICE, 89],
    ["Mon-Sun 10:00-12:00 UTC", 22],
    ["Wed 22:00-04:00 UTC", 162],
    ["Mon,Wed 00:00-24:00 UTC", 96],
  ] as const)("%s stays closed for %i h at most, and an hour more when the clocks are changed", ([window, closed]) => {
    expect(longestGapMs(aWindow(window))).toBe(hours(closed + 1));
  });

  test("is never closed for longer than it says, around the changes of the clocks", () => {
    for (const text of [
      OFFICE,
      NIGHT,
      EARLY,
      "Mon-Sun 23:30-01:30 America/New_York",
      "Tue 01:00-03:00 Australia/Lord_Howe",
    ]) {
      const window = aWindow(text);
      const longest = longestGapMs(window);
      let worst = 0;
      for (let hour = 0; hour < 24 * 50; hour += 5) {
        const at = (hour % 2 === 0 ? Date.UTC(2026, 2, 1) : Date.UTC(2026, 9, 1)) + hours(hour);
        const opens = opensAt(window, instant(at));
        if (opens !== null) worst = Math.max(worst, opens - at);
      }
      expect([text, worst <= longest, worst > longest - hours(12)]).toEqual([text, true, true]);
    }
  });

  test("says its opening by its own clocks", () => {
    const at = instant(Date.parse("2026-03-30T07:00:00Z"));
    expect(spellIn(aWindow(OFFICE), at)).toBe("Mon 2026-03-30 09:00 (Europe/Berlin)");
  });
});

describe("a profile's window is refused", () => {
  test.for([
    ["Mon-Thu 9:00-16:00 Europe/Berlin", 'such as "Mon-Thu 09:00-16:00 Europe/Berlin"'],
    ["09:00-16:00 Europe/Berlin", 'such as "Mon-Thu 09:00-16:00 Europe/Berlin"'],
    ["Mon-Thu 09:00-16:00", 'such as "Mon-Thu 09:00-16:00 Europe/Berlin"'],
    ["Mon-Thx 09:00-16:00 UTC", "of Mon, Tue, Wed, Thu, Fri, Sat, Sun"],
    ["Mon-Wed-Fri 09:00-16:00 UTC", "of Mon, Tue, Wed, Thu, Fri, Sat, Sun"],
    ["Mon 09:00-24:30 UTC", "until 24:00"],
    ["Mon 09:00-10:59 UTC", "two hours or more"],
    ["Mon 09:00-09:00 UTC", "two hours or more"],
    ["Mon 09:00-16:00 Europe/Bern", "a time zone by its name"],
  ] as const)("%s: %s", ([window, allowed]) => {
    expect(() => aWindow(window)).toThrow(`profiles.one.window: found "${window}"; allowed: `);
    expect(() => aWindow(window)).toThrow(allowed);
  });

  test("where the sums do not come out with its longest gap, which they count twice", () => {
    const destinations = [{ kind: "secrets-manager" as const }];
    const load = (maxAge: string) =>
      defineConfig({ profiles: { one: { users: ["a"], destinations, maxAge, window: OFFICE } } });
    // 75 d + 1 d + 10 d, an hour and four, and twice 90 h: 93 d 17 h.
    expect(() => load("93d")).toThrow(
      "so that with deliverWithin and a wait of 17 d 17 h the old key goes at 93 d 17 h",
    );
    expect(load("94d").profiles["one"]?.policy.window?.text).toBe(OFFICE);
  });
});
