import { describe, expect, test } from "vitest";
import { type ConfigInput, defineConfig } from "../../src/config/define.ts";

const PROFILES = { p: { users: ["deploy"], destinations: [{ kind: "secrets-manager" }] } };
const define = (more: object) => defineConfig({ profiles: PROFILES, ...more } as ConfigInput);
const SLACK = { kind: "slack", webhook: "slack/keyturn" };
const BUS = { kind: "eventbridge", bus: "default" };

describe("who is told, in the configuration", () => {
  test("is the stack's topic where nobody is named", () => {
    expect(define({}).notify).toEqual([{ kind: "sns" }]);
  });

  test("is each that is named, and no other", () => {
    const { notify } = define({ notify: [SLACK, BUS] });
    expect(notify).toEqual([SLACK, BUS]);
    expect(Object.isFrozen(notify)).toBe(true);
  });

  test.for<[string, unknown, string]>([
    ["nobody", [], "notify: found []; allowed: one way or more"],
    ["one kind twice", [SLACK, { ...SLACK, webhook: "slack/other" }], "notify: found"],
    ["a kind that does not exist", [{ kind: "pager" }], "notify.0.kind: found"],
    [
      "a webhook by its address",
      [{ ...SLACK, webhook: "https://hooks.slack.com/services/T" }],
      "notify.0.webhook: found",
    ],
    ["no webhook", [{ kind: "slack" }], "notify.0.webhook: found nothing"],
    ["a bus with a space", [{ ...BUS, bus: "my bus" }], 'notify.0.bus: found "my bus"'],
    ["a misspelt setting", [{ ...BUS, buss: "x" }], "notify.0.buss: found a setting that does not exist"],
    ["something else than a list", SLACK, "notify: found"],
  ])("is refused with %s, by the field's name", ([, notify, start]) => {
    expect(() => define({ notify })).toThrow(`1 refused:\n- ${start}`);
    expect(() => define({ notify })).toThrow("; allowed: ");
  });
});

describe("the pace of CloudTrail's look-ups", () => {
  test("is below the account's limit where none is given", () => {
    expect(define({}).cloudtrailPerSecond).toBe(1.5);
  });

  test.for([2, 1.9, 0.1])("may be %d a second", (cloudtrailPerSecond) => {
    expect(define({ cloudtrailPerSecond }).cloudtrailPerSecond).toBe(cloudtrailPerSecond);
  });

  test.for([0, -1, 2.01, "2"])("may not be %s", (cloudtrailPerSecond) => {
    expect(() => define({ cloudtrailPerSecond })).toThrow("1 refused:\n- cloudtrailPerSecond: found");
  });
});
