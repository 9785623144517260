import { expect, test } from "vitest";
import { describeSigners } from "../../src/decide/signers.ts";
import type { Attribution, Signer } from "../../src/rotation/observation.ts";
import { days, hours } from "../../src/rotation/time.ts";
import { aKey, aMemory, anObservation, aProfile, aRecord, ago, K1, NOW } from "../builders.ts";

const USE = { at: ago(hours(5)), service: "lambda", region: "us-east-1", detail: null };
const SIGNER: Signer = {
  service: "lambda",
  action: "ListFunctions",
  region: "us-east-1",
  address: "172.71.98.4",
  agent: "undici",
  first: ago(days(2)),
  last: ago(hours(5)),
  count: 7,
  hint: null,
};

function linesOf(changes: Partial<Attribution>, use = USE): readonly string[] {
  const nothing = { signers: [], sessions: [], isCut: false, because: null };
  const attribution = { from: ago(days(3)), at: ago(hours(1)), ...nothing, ...changes };
  const old = aKey(K1, days(80));
  const record = aRecord({ keys: { [K1]: aMemory({ attribution }) } });
  const observation = anObservation({ keys: [old], record });
  return describeSigners({ observation, profile: aProfile(), now: NOW, old }, use);
}

test("a signer is a line: what it calls, from where, by what, how often, and since when", () => {
  expect(linesOf({ signers: [SIGNER] })).toEqual([
    "lambda ListFunctions in us-east-1, from 172.71.98.4 by undici: 7 times, first 2 d ago, last 5 h ago",
  ]);
});

test("the counts are the least where not all calls were read", () => {
  expect(linesOf({ signers: [SIGNER], isCut: true })[0]).toContain("at least 7 times");
  expect(linesOf({ signers: [{ ...SIGNER, count: 1 }] })[0]).toContain("by undici: once, first");
});

test("what it looks like is said as where to look", () => {
  const hint = "Cloudflare's address: an older Worker version, or a preview, may still hold the old key";
  expect(linesOf({ signers: [{ ...SIGNER, hint }] })[0]).toMatch(
    /ago\. Look at: Cloudflare's address: an older Worker/,
  );
});

test("a use that CloudTrail does not show is named as one of the data plane, or late", () => {
  const [line, ...more] = linesOf({ signers: [] });
  expect(line).toMatch(/^CloudTrail shows no call to lambda in us-east-1 since the delivery: it was a data event/);
  expect(more).toEqual([]);
  expect(linesOf({}, { ...USE, service: "s3", region: "" })[0]).toContain("no call to s3");
  expect(linesOf({ signers: [{ ...SIGNER, service: "logs" }] })).toHaveLength(2);
});

test("what could not be asked is said, and then nothing is concluded from what CloudTrail does not show", () => {
  const because = "asking cloudtrail:LookupEvents in eu-south-1, access denied";
  expect(linesOf({ because })).toEqual([`Not all is known: ${because}`]);
});

test("a session is a line, with who acts in it and whether it goes on", () => {
  const arn = "arn:aws:sts::123456789012:assumed-role/deployer/ci";
  const session = { event: "AssumeRole", at: ago(hours(5)), principal: arn };
  const lines = linesOf({
    signers: [SIGNER],
    sessions: [
      { ...session, endsAt: ago(-hours(7)) },
      { ...session, event: "GetSessionToken", endsAt: ago(hours(1)), principal: null },
    ],
  });
  expect(lines[1]).toMatch(new RegExp(`^A session that it made by AssumeRole as ${arn} goes on for 7 h; `));
  expect(lines[2]).toMatch(/^A session that it made by GetSessionToken ended 1 h ago; /);
});
