import { describe, expect, test } from "vitest";
import { askCloudTrail } from "../../src/observe/evidence/cloudtrail.ts";
import { lastEnding, sessionOf } from "../../src/observe/evidence/sessions.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { userName } from "../../src/rotation/keys.ts";
import { days, hours, instant, minutes, plus, seconds } from "../../src/rotation/time.ts";
import type { Clock } from "../../src/rotation/world.ts";
import { K1, NOW } from "../builders.ts";
import { aHistory, anEvent } from "./trail-events.ts";

const AT = instant(Date.UTC(2026, 6, 18, 14, 0, 0));
const made = (changes: Parameters<typeof anEvent>[0]) =>
  sessionOf(anEvent({ service: "sts", name: "GetSessionToken", at: AT, ...changes }));
const ending = (expiration: unknown) => ({ responseElements: { credentials: { expiration } } });

describe("the end of a session", () => {
  test.for([
    ["Jul 18, 2026, 4:07:39 PM", Date.UTC(2026, 6, 18, 16, 7, 39)],
    ["Jul 18, 2026 4:07:39 PM", Date.UTC(2026, 6, 18, 16, 7, 39)],
    ["Jul 19, 2026, 4:07:39 AM", Date.UTC(2026, 6, 19, 4, 7, 39)],
    ["2026-07-19T02:00:00Z", Date.UTC(2026, 6, 19, 2)],
  ] as const)("is as the event tells it: %s", ([spelled, endsAt]) => {
    expect(made(ending(spelled))?.endsAt).toBe(endsAt);
  });

  test.for([
    ["nothing", {}],
    ["what is no date", ending("20260718T160739Z")],
    ["a date before it was made", ending("2026-07-18T13:59:59Z")],
    ["a date long after", ending("2026-07-20T14:00:00Z")],
    ["no credentials at all", { responseElements: { credentials: null } }],
  ] as const)("is the longest that there can be where the event tells %s", ([, changes]) => {
    expect(made(changes)?.endsAt).toBe(plus(AT, hours(36)));
    expect(made({ ...changes, name: "AssumeRole" })?.endsAt).toBe(plus(AT, hours(12)));
  });

  test("is what was asked for where the answer is not told, and never more than there can be", () => {
    expect(made({ requestParameters: { durationSeconds: 900 } })?.endsAt).toBe(plus(AT, minutes(15)));
    expect(made({ requestParameters: { durationSeconds: "900" } })?.endsAt).toBe(plus(AT, minutes(15)));
    expect(made({ requestParameters: { durationSeconds: 999_999 } })?.endsAt).toBe(plus(AT, hours(36)));
  });
});

test.for([
  ["another call to STS", { name: "GetCallerIdentity" }],
  ["one that was refused", { errorCode: "AccessDenied" }],
  ["the same name of another service", { service: "iam" }],
] as const)("%s makes no session", ([, changes]) => {
  expect(made(changes)).toBeNull();
});

test("of many sessions those are told that end last", () => {
  const sessions = Array.from({ length: 500 }, (_, index) => ({
    event: "AssumeRole",
    at: AT,
    endsAt: plus(AT, seconds((index * 7) % 500)),
    principal: null,
  }));
  expect(lastEnding(sessions).map(({ endsAt }) => endsAt - AT)).toEqual([499, 498, 497, 496, 495].map(seconds));
});

describe("looking for the sessions before a window", () => {
  const from = plus(NOW, -days(10));
  const clock: Clock = { now: () => NOW, sleep: async () => Promise.resolve(), remainingMs: () => 1_000 };
  const ask = async (history: ReturnType<typeof aHistory>, sessionsFrom: typeof from | null) =>
    askCloudTrail(
      {
        search: history,
        enabledRegions: async () => Promise.resolve(["us-east-1", "eu-south-1"]),
        clock,
        custodyPrefix: "",
      },
      { source: "cloudtrail", keyId: K1, from, handOversApart: false, sessionsFrom },
      { user: userName("deploy"), unaskedRegions: {} },
    );
  const session = anEvent({ service: "sts", name: "GetSessionToken", at: plus(from, -hours(30)) });
  const use = (agoMs: number) => anEvent({ at: plus(from, -agoMs) });

  test("reads past the uses before the window to each of them, and calls none of them a use within it", async () => {
    const answer = await ask(
      aHistory({ "eu-south-1": [use(hours(1)), use(hours(2)), session] }),
      plus(from, -hours(36)),
    );
    expect(answer).toMatchObject({ use: { verdict: "unused" }, sessions: [{ event: "GetSessionToken" }] });
    expect(answer.sessions[0]?.endsAt).toBe(plus(from, hours(6)));
    expect(answer.sessionsFrom).toBe(plus(from, -hours(36)));
  });

  test("reads nothing before the window where none could matter", async () => {
    const history = aHistory({ "eu-south-1": [use(hours(1)), session] });
    expect(await ask(history, null)).toMatchObject({ use: { verdict: "unused" }, sessions: [], sessionsFrom: null });
    expect(history.read()).toBe(0);
  });

  test("ends at a use within the window, and says that it has not looked for all", async () => {
    const history = aHistory({ "eu-south-1": [use(-hours(1)), use(hours(1)), session] });
    const answer = await ask(history, plus(from, -hours(36)));
    expect(answer).toMatchObject({ use: { verdict: "used" }, sessionsFrom: null });
    expect(history.read()).toBe(1);
  });

  test("takes the longest where there are too many calls to look at, the window itself having been read", async () => {
    const told = async (count: number) => {
      const uses = Array.from({ length: count }, () => use(hours(1)));
      return ask(aHistory({ "eu-south-1": [...uses, session] }), plus(from, -hours(36)));
    };
    expect((await told(499)).sessions).toMatchObject([{ event: "GetSessionToken", endsAt: plus(from, hours(6)) }]);
    const longest = { event: "one of too many calls", endsAt: plus(from, hours(36)) };
    expect(await told(500)).toMatchObject({ use: { verdict: "unused" }, sessions: [longest] });
  });

  test("is unknown where a page is lost, or there are too many calls within the window", async () => {
    const lost = new RotationError("Unreachable", "searching CloudTrail in eu-south-1, HTTP 500");
    const tooMany = new RotationError("LimitReached", "searching CloudTrail, more than 100 pages");
    for (const events of [[use(hours(1)), lost], [tooMany]]) {
      const answer = await ask(aHistory({ "eu-south-1": events }), plus(from, -hours(36)));
      expect(answer.use.verdict).toBe("unknown");
    }
  });
});
