import { describe, expect, test } from "vitest";
import { days, hours, type Instant, instant, minutes, plus } from "../../src/rotation/time.ts";
import { decideToken, type KnownToken, successorName, type TokenSight } from "../../src/tokens/decide.ts";

const NOW = instant(Date.UTC(2027, 5, 1));
const MARK = "keyturn 0123456789ab";
const ago = (ms: number): Instant => plus(NOW, -ms);

const aToken = (more: Partial<KnownToken> = {}): KnownToken => ({
  id: "a",
  name: "deliveries",
  isActive: true,
  issuedAt: ago(days(10)),
  lastUsedAt: ago(hours(1)),
  expiresAt: null,
  ...more,
});
const successor = (more: Partial<KnownToken> = {}): KnownToken =>
  aToken({ id: "b", name: successorName(aToken(), MARK), issuedAt: ago(minutes(1)), lastUsedAt: null, ...more });
const issuer = aToken({ id: "issuer", name: "issuer" });

const decide = ({ tokens = [aToken()], ...more }: Partial<TokenSight> = {}) =>
  decideToken({
    now: NOW,
    rotateAfterMs: days(75),
    mark: MARK,
    issuerId: issuer.id,
    current: { versionId: "version-a", tokenId: "a" },
    pending: null,
    tokens: [issuer, ...tokens],
    ...more,
  });

describe("a token of its own", () => {
  test.for([
    ["rests a second before it is due", { issuedAt: ago(days(75) - 1_000) }, "rest"],
    ["is replaced on the day", { issuedAt: ago(days(75)) }, "issue"],
    [
      "rests a second more than a week before it expires",
      { issuedAt: ago(days(20)), expiresAt: plus(NOW, days(7) + 1_000) },
      "rest",
    ],
    ["is replaced a week before it expires", { issuedAt: ago(days(40)), expiresAt: plus(NOW, days(7)) }, "issue"],
    [
      "of a short life rests before three quarters of it",
      { issuedAt: ago(days(3) - 1_000), expiresAt: plus(NOW, days(1)) },
      "rest",
    ],
    [
      "of a short life is replaced after three quarters of it",
      { issuedAt: ago(days(3)), expiresAt: plus(NOW, days(1)) },
      "issue",
    ],
  ] as const)("%s", ([, token, kind]) => {
    expect(decide({ tokens: [aToken(token)] }).kind).toBe(kind);
  });

  test("is followed by one that lives as long", () => {
    expect(decide({ tokens: [aToken({ issuedAt: ago(days(93)), expiresAt: plus(NOW, days(7)) })] })).toMatchObject({
      kind: "issue",
      like: "a",
      expiresAt: plus(NOW, days(100)),
    });
    expect(decide({ tokens: [aToken({ issuedAt: ago(days(80)) })] })).toMatchObject({ expiresAt: null });
  });
});

describe("what was left half way", () => {
  const pending = { versionId: "version-b", tokenId: "b" };
  test.for([
    ["a stored token becomes current", successor(), "promote"],
    ["it does so until it is three hours old", successor({ issuedAt: ago(hours(3) - 1_000) }), "promote"],
    ["then it is withdrawn", successor({ issuedAt: ago(hours(3)) }), "withdraw"],
    ["one that somebody disabled is withdrawn", successor({ isActive: false }), "withdraw"],
    ["one without our mark is withdrawn", successor({ name: "theirs" }), "withdraw"],
  ] as const)("%s", ([, token, kind]) => {
    expect(decide({ tokens: [aToken(), token], pending })).toMatchObject({ kind, versionId: "version-b" });
  });

  test("a stored token that is not listed is left alone, and told", () => {
    expect(decide({ pending })).toMatchObject({ kind: "wait", code: "TokenNotRotated" });
  });

  test("a label that is left on the current version is taken away", () => {
    expect(decide({ pending: { versionId: "version-a", tokenId: null } })).toMatchObject({ kind: "withdraw" });
  });

  test("somebody else's AWSPENDING is left alone, and told", () => {
    expect(decide({ pending: { versionId: "theirs", tokenId: null } })).toMatchObject({
      kind: "wait",
      code: "TokenNotRotated",
    });
  });

  test("a stored token does not take the place of one that somebody else made current meanwhile", () => {
    const theirs = aToken({ id: "c", name: "made by hand" });
    const current = { versionId: "version-c", tokenId: "c" };
    expect(decide({ tokens: [aToken(), theirs, successor()], pending, current })).toMatchObject({
      kind: "withdraw",
      versionId: "version-b",
    });
  });

  test("a stored token becomes current also where the current one is refused", () => {
    const current = { versionId: "version-a", tokenId: null };
    expect(decide({ tokens: [successor()], pending, current }).kind).toBe("promote");
  });
});

describe("what nobody but an operator can mend", () => {
  test.for([
    ["a current token that is refused", { current: { versionId: "v", tokenId: null } }, "TokenRefused"],
    ["a current token that is the issuer", { current: { versionId: "v", tokenId: "issuer" } }, "TokenNotRotated"],
    ["a current token that the issuer does not see", { tokens: [] }, "TokenNotRotated"],
  ] as const)("%s is told", ([, sight, code]) => {
    expect(decide(sight)).toMatchObject({ kind: "wait", code });
  });
});

describe("the token whose place was taken", () => {
  const current = { versionId: "version-b", tokenId: "b" };
  const since = (ms: number, used: number | null, more: Partial<KnownToken> = {}) =>
    decide({
      current,
      tokens: [
        aToken({ lastUsedAt: used === null ? null : ago(used), ...more }),
        successor({ issuedAt: ago(ms), lastUsedAt: NOW }),
      ],
    });

  test.for([
    ["stays a second less than 25 h after the other was issued", hours(25) - 1_000, days(3), "rest"],
    ["goes after 25 h", hours(25), days(3), "delete"],
    ["stays a second less than 25 h after its last use", days(2), hours(25) - 1_000, "rest"],
    ["goes 25 h after its last use", days(2), hours(25), "delete"],
    ["goes also if nobody ever used it", hours(25), null, "delete"],
    ["stays without a word while it is used for less than three days", days(3) - 1_000, hours(1), "rest"],
    ["stays and is told when it is used for three days", days(3), hours(1), "wait"],
  ] as const)("%s", ([, ms, used, kind]) => {
    expect(since(ms, used).kind).toBe(kind);
  });

  test("is deleted by its id, and the issuer never is", () => {
    expect(since(days(2), days(2))).toMatchObject({ kind: "delete", tokenId: "a" });
    const named = successor({ name: successorName(issuer, MARK), issuedAt: ago(days(9)) });
    expect(decide({ current, tokens: [named] }).kind).toBe("rest");
  });

  test("is followed by no third one while it is there", () => {
    expect(since(days(80), hours(1)).kind).toBe("wait");
  });
});

describe("a try that failed", () => {
  const lost = (ms: number) => successor({ issuedAt: ago(ms) });
  test.for([
    ["its token stays for 25 h, and no other is issued", hours(25) - 1_000, "rest"],
    ["then it goes", hours(25), "delete"],
  ] as const)("%s", ([, ms, kind]) => {
    expect(decide({ tokens: [aToken({ issuedAt: ago(days(80)) }), lost(ms)] }).kind).toBe(kind);
  });

  test("after it another is issued", () => {
    expect(decide({ tokens: [aToken({ issuedAt: ago(days(80)) })] }).kind).toBe("issue");
  });

  test("another installation's token, or one that is only called alike, is nobody's to delete", () => {
    const theirs = [successor({ name: successorName(aToken(), "keyturn ba9876543210"), issuedAt: ago(days(9)) })];
    expect(decide({ tokens: [aToken(), ...theirs, aToken({ id: "c", lastUsedAt: null })] }).kind).toBe("rest");
  });
});

test("a successor's name keeps what it was called, names what it follows, and is short enough", () => {
  const id = "0".repeat(32);
  const first = successorName({ name: "deliveries", id }, MARK);
  expect(first).toBe(`deliveries [${MARK} for ${id}]`);
  expect(successorName({ name: first, id: "1".repeat(32) }, MARK)).toBe(`deliveries [${MARK} for ${"1".repeat(32)}]`);
  const long = successorName({ name: "x".repeat(120), id }, MARK);
  expect([long.length, long.endsWith(` for ${id}]`)]).toEqual([120, true]);
});
