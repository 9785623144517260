import { describe, expect, test } from "vitest";
import { decide } from "../../src/decide/decide.ts";
import type { Situation } from "../../src/rotation/decision.ts";
import { userName } from "../../src/rotation/keys.ts";
import type { Evidence } from "../../src/rotation/observation.ts";
import { LAST_USED_COLLAPSE_MS, LAST_USED_LAG_MS } from "../../src/rotation/policy.ts";
import { days, hours, instant } from "../../src/rotation/time.ts";
import type { HistoryEntry, World } from "../../src/rotation/world.ts";
import { explain } from "../../src/sweep.ts";
import type { DirectWorld } from "../world/direct/world.ts";
import { aSystem, DEPLOY, ofKey } from "../world/system.ts";
import type { SystemOptions } from "../world/system.ts";

/** The rotation from end to end, and what the history keeps of it. */
async function rotated(options: SystemOptions = {}) {
  const system = await aSystem(options);
  const { here, first, work } = system;
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(40), work);
  // As it is a year later: what was written, read back as text, and nothing that was not.
  const text = JSON.stringify(await here.journal.history(userName(DEPLOY)));
  return { system, history: JSON.parse(text) as readonly HistoryEntry[] };
}

const lineOf = (history: readonly HistoryEntry[], what: string): HistoryEntry => {
  const line = history.find((entry) => entry.what === what);
  if (line === undefined) throw new Error(`nothing of ${what}`);
  return line;
};

type Kept = Situation & { readonly evidence: readonly Evidence[]; readonly lines: readonly string[] };
const keptIn = ({ details }: HistoryEntry): Kept => details as unknown as Kept;

/** Why the history does not allow the deactivation, by its own numbers and none of the rules' code. */
function objections(line: HistoryEntry, regions: readonly string[]): readonly string[] {
  const { evidence, observation, profile, now } = keptIn(line);
  if (profile === null) return ["no profile"];
  const { policy } = profile;
  const { keys, deliveries } = observation.record;
  const custody = observation.custody.kind === "present" ? observation.custody : null;
  const currentId = custody?.current?.keyId ?? null;
  const [old, current] = [line.keyId && keys[line.keyId], currentId && keys[currentId]];
  if (!old || !current) return ["the keys are not named"];
  const given = deliveries.filter(({ keyId }) => keyId === currentId).map(({ deliveredAt }) => deliveredAt ?? Infinity);
  const base = Math.max(current.promotedAt ?? Infinity, ...given) + policy.cacheForMs;
  const uses = [old.latestUse, old.latestRead].map((use) => (use === null ? 0 : use.at + LAST_USED_COLLAPSE_MS));
  const silentSince = Math.max(base, ...uses, old.sessionsEndAt ?? 0);
  const quietMs = Math.max(policy.quietForMs, policy.idleAtMostMs ?? 0);

  const answers = evidence.map(({ answer }) => answer);
  const lastUsed = answers.find((it) => it.source === "last-used" && it.keyId === line.keyId);
  const trail = answers.find((it) => it.source === "cloudtrail" && it.keyId === line.keyId);
  const isTold = lastUsed?.source === "last-used" && lastUsed.use.verdict !== "unknown";
  const isSilent = trail?.source === "cloudtrail" && trail.use.verdict === "unused" && trail.from <= silentSince;
  const asked = trail?.source === "cloudtrail" ? [...trail.regionsAsked, ...Object.keys(trail.regionsUnasked)] : [];
  const live = answers.filter((it) => it.source === "destination");
  return [
    now - silentSince >= quietMs + LAST_USED_LAG_MS ? [] : "not silent for long enough",
    isTold ? [] : "last-used did not tell",
    isSilent ? [] : "CloudTrail did not agree",
    regions.every((region) => asked.includes(region)) ? [] : "a Region is missing",
    current.adoptedAt === null ? "nobody was seen to use the replacement" : [],
    live.length === observation.destinations.length && live.every((it) => it.live === "ours") ? [] : "not live",
    observation.keys.every(({ status }) => status === "active") ? [] : "a key is not Active",
  ].flat();
}

describe("the history of a rotation", () => {
  test("by itself shows that the deactivation was allowed, and the rules say the same of it", async () => {
    const { system, history } = await rotated();
    const line = lineOf(history, "deactivating");
    expect(objections(line, system.here.cloud.regions)).toEqual([]);
    const { observation, evidence, profile, now } = keptIn(line);
    const decision = decide({ observation: { ...observation, evidence }, profile, now });
    expect(decision).toMatchObject({ reason: "OldKeyQuiet", step: { kind: "deactivate", keyId: line.keyId } });
    expect(decision.because).toBe(line.details["because"]);
  });

  test.for<[string, (kept: Kept) => Kept]>([
    ["decided an hour and more too early", (kept) => ({ ...kept, now: (kept.now - hours(3)) as Kept["now"] })],
    ["without CloudTrail's answer", (kept) => ({ ...kept, evidence: kept.evidence.filter(isNot("cloudtrail")) })],
    ["without last-used's answer", (kept) => ({ ...kept, evidence: kept.evidence.filter(isNot("last-used")) })],
    ["without a look at what is live", (kept) => ({ ...kept, evidence: kept.evidence.filter(isNot("destination")) })],
  ])("the twin, %s, is objected to", async ([, change]) => {
    const { system, history } = await rotated();
    const line = lineOf(history, "deactivating");
    const changed = { ...line, details: { ...change(keptIn(line)) } };
    expect(objections(changed, system.here.cloud.regions)).not.toEqual([]);
    const { observation, evidence, profile, now } = keptIn(changed);
    expect(decide({ observation: { ...observation, evidence }, profile, now }).step.kind).not.toBe("deactivate");
  });

  test("by itself shows that the deletion was allowed", async () => {
    const { history } = await rotated();
    const line = lineOf(history, "deleting");
    const { observation, evidence, profile, now } = keptIn(line);
    const inactiveSince = (line.keyId && observation.record.keys[line.keyId]?.inactiveSince) || Infinity;
    expect(now - inactiveSince).toBeGreaterThanOrEqual(profile?.policy.soakForMs ?? Infinity);
    const decision = decide({ observation: { ...observation, evidence }, profile, now });
    expect(decision.step).toEqual({ kind: "delete", keyId: line.keyId });
  });

  test("is said in lines, with the notice and by explain", async () => {
    const { system } = await rotated({ profile: { unaskedRegions: { "eu-central-1": "nobody works there" } } });
    const { here, first } = system;
    const text = here.notices.find(({ code }) => code === "KeyDeactivated")?.text ?? "";
    const lines = [
      /^AKIA\w+ was deactivated: AKIA\w+ has been silent for 10 d 4 h/,
      /^last-used \(IAM\) of AKIA\w+, asked 2026-\S+Z, answered 2026-\S+Z: last use 2026-\S+Z, lambda, us-east-1$/m,
      /^CloudTrail of AKIA\w+ since 2026-\S+Z, .*: 1 Regions asked, eu-central-1 \(nobody works there\) unasked; no use from/m,
      /; sessions: none$/m,
      /^live at cloudflare-worker:api, asked .*: ours$/m,
      /^cloudflare-worker:api was given: AKIA\w+ 2026-\S+Z$/m,
      /^everybody could have AKIA\w+ since 2026-\S+Z, adoption: seen 2026-\S+Z$/m,
      /^AKIA\w+ silent since 2026-\S+Z, long enough at 2026-\S+Z$/m,
      /^profile ci: quiet 10 d, lag 4 h, cache 1 h, soak 7 d, adoption required$/m,
    ];
    for (const line of lines) expect(text).toMatch(line);
    expect(here.notices.find(({ code }) => code === "KeyDeleted")?.text).toMatch(/^AKIA\w+ Inactive since 2026/m);
    const world = here.run();
    const { history } = await explain(world, {
      profiles: here.profiles,
      enrolmentTag: "keyturn",
      user: userName(DEPLOY),
    });
    const told = history.find(({ what }) => what === "deactivating");
    expect(told).toMatchObject({ keyId: first.keyId, at: expect.stringMatching(/^2026-/) });
    expect(text.split("\n").slice(1)).toEqual(told?.["lines"]);
  });

  test("of many years is told by explain from its end, with how much there is", async () => {
    const { here } = await aSystem();
    const world = here.run();
    const [user, at] = [userName(DEPLOY), instant(0)];
    const all = Array.from({ length: 201 }, (_, index) => ({
      at,
      user,
      what: String(index),
      keyId: null,
      details: {},
    }));
    world.journal.history = () => Promise.resolve(all);
    const told = await explain(world, { profiles: here.profiles, enrolmentTag: "keyturn", user });
    expect([told.history.length, told.historyTotal, told.history[0]?.["what"]]).toEqual([200, 201, "1"]);
  });

  test("is asked in vain of a user who is not there, or not enrolled", async () => {
    const { here } = await aSystem();
    here.cloud.iam.createUser({ name: "human", tags: {} });
    const explained = (user: string) =>
      explain(here.run(), { profiles: here.profiles, enrolmentTag: "keyturn", user: userName(user) });
    await expect(explained("nobody")).rejects.toThrow("explaining nobody, IAM has no user of that name: see status");
    await expect(explained("human")).rejects.toThrow(
      "explaining human, it is not enrolled: it has neither the tag keyturn nor a custody secret",
    );
  });

  test("keeps each line far below what an item of the table may hold, 34 Regions and many sessions later", async () => {
    const many = Array.from({ length: 34 }, (_, index) => `eu-region-${String(index)}`);
    const bend = (world: DirectWorld): World => ({
      ...world,
      evidence: {
        answer: async (question, context) => {
          const answer = await world.evidence.answer(question, context);
          if (answer.source !== "cloudtrail") return answer;
          const session = { event: "AssumeRole", at: answer.from, endsAt: answer.from, principal: "x".repeat(200) };
          return { ...answer, regionsAsked: many, sessions: [session, session, session, session, session] };
        },
      },
    });
    const { history } = await rotated({ bend });
    for (const line of history) expect(JSON.stringify(line).length).toBeLessThan(20_000);
  });
});

const isNot =
  (source: Evidence["answer"]["source"]) =>
  ({ answer }: Evidence): boolean =>
    answer.source !== source;
