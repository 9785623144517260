import { describe, expect, test } from "vitest";
import config from "../../keyturn.config.ts";
import { type ConfigInput, defineConfig } from "../../src/config/define.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { days, hours } from "../../src/rotation/time.ts";

const custody = { kind: "secrets-manager" };
const worker = (script = "api", names = ["ID", "SECRET"]) => ({
  kind: "cloudflare-worker",
  accountId: "0123456789abcdef0123456789abcdef",
  worker: script,
  secrets: { accessKeyId: names[0], secretAccessKey: names[1] },
  apiToken: "cloudflare/api-token",
});
const ci = (more: object = {}) => ({
  kind: "github-actions",
  repository: "octo/app",
  secret: "AWS_CREDENTIALS",
  apiToken: "github/token",
  ...more,
});
const profile = (settings: object = {}) => ({
  users: ["deploy"],
  destinations: [custody],
  ...settings,
});
const pulling = (settings: object = {}) =>
  profile({ pulls: true, consumers: 2, idleAtMost: "28d", rotateAfter: "47d", ...settings });

/** Some tables write what the compiler would refuse: a configuration may come from an older file all the same. */
const define = (profiles: object, rest: object = {}) => defineConfig({ profiles, ...rest } as ConfigInput);

/** The refusals, one a line: "path: found …; allowed: …". Empty when the configuration is taken. */
function refusals(profiles: object, rest: object = {}): string[] {
  try {
    define(profiles, rest);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof RotationError) || thrown.code !== "Misconfigured") throw thrown;
    return thrown.message.split("\n- ").slice(1);
  }
}

describe("what is taken", () => {
  test("fills in every default", () => {
    const { p } = define({ p: profile() }).profiles;
    expect(p).toMatchObject({ name: "p", isPulled: false, smtp: null, regions: ["us-east-1"] });
    expect(p?.policy).toEqual({
      rotateAfterMs: days(75),
      deliverWithinMs: days(1),
      quietForMs: days(10),
      idleAtMostMs: null,
      soakForMs: days(7),
      maxAgeMs: days(90),
      cutExposedWithinMs: hours(1),
      cacheForMs: hours(1),
      adopt: "when-due",
      adoption: "required",
      window: null,
    });
  });

  test("is frozen to the bottom", () => {
    const { p } = define({ p: profile() }).profiles;
    expect(Object.isFrozen(p)).toBe(true);
    expect(Object.isFrozen(p?.policy)).toBe(true);
    expect(Object.isFrozen(p?.destinations[0])).toBe(true);
  });

  test("serves the five systems with the configuration that is shipped", () => {
    expect(Object.keys(config.profiles)).toEqual([
      "matchmaking",
      "ai-math-tutor",
      "cognito-admin",
      "flowid",
      "invoice-scanner",
    ]);
  });

  test("finds users by tags unless a path is named", () => {
    expect(define({ p: profile() }).discovery).toEqual({ by: "tags" });
    const discovery = { by: "path", prefix: "/rotated/" };
    expect(define({ p: profile() }, { discovery }).discovery).toEqual(discovery);
  });

  test.for<[string, object]>([
    ["the defaults", profile()],
    // 90 d - (1 + 10 d + 5 h).
    ["the latest rotateAfter that keeps maxAge", profile({ rotateAfter: "1891h" })],
    // 1 + 10 + 7 d + 5 h = 18 d 5 h.
    ["the earliest rotateAfter that leaves room", profile({ rotateAfter: "438h" })],
    ["a quiet of 48 h", profile({ quietFor: "48h" })],
    ["a shorter one, accepted", profile({ quietFor: "47h", acceptShortQuiet: "called every hour" })],
    ["a short quietFor behind a long idleAtMost", profile({ quietFor: "1h", idleAtMost: "3d" })],
    ["the shortest soak", profile({ soakFor: "255min" })],
    ["a profile that pulls, as shipped", pulling()],
    ["pulling at the latest rotateAfter that keeps maxAge", pulling({ rotateAfter: "1219h" })],
    ["as many readers as consumers", pulling({ readers: ["laptop", "ci"] })],
    ["more readers than consumers", pulling({ readers: ["laptop", "ci", "x".repeat(42)] })],
    ["two consumers that declare their rhythm", profile({ consumers: 2, idleAtMost: "10d" })],
    ["a drain that is over before quiet begins", profile({ drainFor: "1h", rotateAfter: "1891h" })],
    ["runs of six hours, which are over before quiet begins", profile({ destinations: [ci()], rotateAfter: "1886h" })],
    [
      "a laptop that pulls and a CI that is delivered to",
      pulling({ destinations: [custody, ci()], rotateAfter: "1214h" }),
    ],
    ["two Workers", profile({ destinations: [worker("api"), worker("web")] })],
    ["a path beside a name", profile({ users: ["deploy", "/rotated/"] })],
  ])("takes %s", ([, one]) => {
    expect(refusals({ p: one })).toEqual([]);
  });
});

describe("what is refused", () => {
  test.for<[string, object, string]>([
    [
      "fewer readers than consumers",
      pulling({ readers: ["laptop"] }),
      "p.readers: found 1 names of readers; allowed: one",
    ],
    [
      "two readers of one name",
      pulling({ readers: ["ci", "ci"] }),
      "p.readers: found 1 names of readers; allowed: one",
    ],
    ["readers who do not pull", profile({ readers: ["ci"] }), "p.readers: found 1 names of readers; allowed: none"],
    ["a name that is no part of a user agent", pulling({ readers: ["a b", "ci"] }), "p.readers.0: found"],
    ["a name too long", pulling({ readers: ["x".repeat(43), "ci"] }), "p.readers.0: found"],
    ["a rotateAfter an hour too late", profile({ rotateAfter: "1892h" }), "p.rotateAfter: found 78 d 20 h, so that"],
    [
      "a rotateAfter equal to the rotation before it",
      profile({ rotateAfter: "437h" }),
      "p.rotateAfter: found 18 d 5 h, while",
    ],
    ["pulling with the usual rotateAfter", pulling({ rotateAfter: "75d" }), "p.rotateAfter: found 75 d, so that"],
    ["pulling an hour too late", pulling({ rotateAfter: "1220h" }), "p.rotateAfter: found 50 d 20 h"],
    [
      "a drain an hour longer than the cache",
      profile({ drainFor: "2h", rotateAfter: "1891h" }),
      "p.rotateAfter: found",
    ],
    [
      "runs of seven hours with a rotateAfter for six",
      profile({ destinations: [ci({ runsForHours: 7 })], rotateAfter: "1886h" }),
      "p.rotateAfter: found",
    ],
    [
      "a laptop that pulls, and a CI whose runs last an hour longer",
      pulling({ destinations: [custody, ci({ runsForHours: 7 })], rotateAfter: "1214h" }),
      "p.rotateAfter: found 50 d 14 h, so that",
    ],
    [
      "two Actions secrets without a word on torn pairs",
      profile({ destinations: [ci({ secret: undefined, secrets: { accessKeyId: "ID", secretAccessKey: "SECRET" } })] }),
      "p.destinations.0.acceptTornPair: found",
    ],
    ["a quiet below 48 h", profile({ quietFor: "47h" }), "p.quietFor: found a quiet of 1 d 23 h"],
    ["a short quietFor where hand-overs restart it alone", pulling({ quietFor: "47h" }), "p.quietFor: found a quiet"],
    [
      "a short quiet accepted without a reason",
      profile({ quietFor: "47h", acceptShortQuiet: "yes" }),
      'p.acceptShortQuiet: found "yes"',
    ],
    [
      "several consumers without a rhythm",
      profile({ consumers: 2 }),
      "p.idleAtMost: found nothing, in a profile with 2 consumers",
    ],
    [
      "pulling without a rhythm",
      pulling({ consumers: 1, idleAtMost: undefined }),
      "p.idleAtMost: found nothing, in a profile that pulls",
    ],
    [
      "optional adoption without a rhythm",
      profile({ adoption: "optional" }),
      "p.idleAtMost: found nothing, in a profile with optional",
    ],
    ["a soak shorter than the lag of last-used", profile({ soakFor: "254min" }), "p.soakFor: found 4 h 14 min"],
    [
      "pulling without custody to pull from",
      pulling({ destinations: [worker()] }),
      "p.destinations: found none that shows custody",
    ],
    ["no destination", profile({ destinations: [] }), "p.destinations: found []; allowed: at least one"],
    [
      "one destination twice",
      profile({ destinations: [worker(), worker()] }),
      'p.destinations.1: found a second "cloudflare-worker:api"',
    ],
    ["an unknown kind of destination", profile({ destinations: [{ kind: "ftp" }] }), "p.destinations.0.kind: found"],
    [
      "a token that is a custody secret",
      profile({ destinations: [{ ...worker(), apiToken: "keyturn/deploy" }] }),
      'p.destinations.0.apiToken: found "keyturn/deploy"',
    ],
    ["a misspelt setting", profile({ rotateAftr: "75d" }), "p.rotateAftr: found a setting that does not exist"],
    ["a window without hours", profile({ window: "Mon-Thu" }), 'p.window: found "Mon-Thu"; allowed: days, hours and'],
    [
      "a duration without a unit",
      profile({ quietFor: "10" }),
      'p.quietFor: found "10"; allowed: a whole number of days',
    ],
    ["a duration that is a number", profile({ quietFor: 10 }), "p.quietFor: found 10; allowed: a value of type string"],
    ["half a day", profile({ quietFor: "1.5d" }), 'p.quietFor: found "1.5d"'],
    ["no users", profile({ users: [] }), "p.users: found []"],
    ["a wild card", profile({ users: ["deploy-*"] }), 'p.users.0: found "deploy-*"'],
    ["a path without its last slash", profile({ users: ["/rotated"] }), 'p.users.0: found "/rotated"'],
    ["an SMTP word that is not none", profile({ smtp: "maybe" }), 'p.smtp: found "maybe"; allowed: "none"'],
    ["a Region that is none", profile({ regions: ["Virginia"] }), 'p.regions.0: found "Virginia"'],
    [
      "an unasked Region without a reason",
      profile({ unaskedRegions: { "eu-west-1": "" } }),
      'p.unaskedRegions.eu-west-1: found ""',
    ],
  ])("refuses %s", ([, one, start]) => {
    const found = refusals({ p: one });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`profiles.${start}`);
    expect(found[0]).toContain("; allowed: ");
  });

  test.for<[string, readonly string[], readonly string[], boolean]>([
    ["one name", ["deploy"], ["deploy"], true],
    ["one name in other case", ["deploy"], ["Deploy"], true],
    ["a path inside a path", ["/ci/"], ["/ci/eu/"], true],
    ["two names", ["deploy"], ["deploy2"], false],
    ["two paths", ["/ci/"], ["/cd/"], false],
  ])("weighs two profiles that serve %s", ([, one, other, isRefused]) => {
    const found = refusals({ a: profile({ users: one }), b: profile({ users: other }) });
    expect(found.map((line) => line.split(":")[0])).toEqual(isRefused ? ["profiles.b.users.0"] : []);
  });

  test("refuses a profile name that cannot be a tag's value", () => {
    expect(refusals({ "a,b": profile() })[0]).toContain("profiles.a,b: found");
  });

  test("refuses an unknown setting beside the profiles", () => {
    expect(refusals({ p: profile() }, { stage: "x" })).toHaveLength(1);
  });

  test("says every problem of every profile at once, sums beside misspellings", () => {
    const found = refusals(
      { a: profile({ soakfor: "9d", rotateAfter: "89d" }), b: pulling({ idleAtMost: undefined }) },
      { discovery: { by: "path", prefix: "rotated" } },
    );
    expect(found.map((line) => line.split(":")[0])).toEqual([
      "discovery.prefix",
      "profiles.a.soakfor",
      "profiles.a.rotateAfter",
      "profiles.b.idleAtMost",
      "profiles.b.users.0",
    ]);
  });
});

describe("the service's own tokens", () => {
  const own = { secret: "cloudflare/api-token", issuer: "cloudflare/issuer-token" };
  test("are rotated after 75 days where nothing else is said, and none are where none is named", () => {
    expect(define({ p: profile() }, { cloudflareTokens: [own] }).cloudflareTokens).toEqual([
      { ...own, rotateTokenAfter: days(75) },
    ]);
    expect(define({ p: profile() }).cloudflareTokens).toEqual([]);
  });

  test.for([
    ["an issuer that is the token itself", { issuer: own.secret }, "cloudflareTokens.0.issuer"],
    ["a secret among those of custody", { secret: "keyturn/token" }, "cloudflareTokens.0.secret"],
    ["an account id of another length", { accountId: "0123" }, "cloudflareTokens.0.accountId"],
    ["an age in words", { rotateTokenAfter: "monthly" }, "cloudflareTokens.0.rotateTokenAfter"],
  ] as const)("refuses %s", ([, change, path]) => {
    const [found, ...more] = refusals({ p: profile() }, { cloudflareTokens: [{ ...own, ...change }] });
    expect([found?.startsWith(path), more]).toEqual([true, []]);
  });
});
