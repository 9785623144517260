import { expect, test } from "vitest";
import { readProfile } from "../../../src/cli/profile/credentials-file.ts";

const ID = "AKIAIOSFODNN7EXAMPLE";
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const aFile = (id = ID, secret = SECRET, more = ""): string =>
  `# mine\n[other]\naws_access_key_id = AKIAI44QH8DHBEXAMPLE\n\n[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n${more}`;

test("a profile that is well written has its pair, and nothing to find", () => {
  const { pair, findings, isTemporary } = readProfile(aFile(), "default");
  expect([pair?.id, pair?.secret.reveal(), findings, isTemporary]).toEqual([ID, SECRET, [], false]);
});

test.for<[string, string, RegExp]>([
  ["a byte order mark", `\uFEFF${aFile()}`, /byte order mark/],
  ["carriage returns", aFile().replaceAll("\n", "\r\n"), /carriage return/],
  ["a space after the secret", aFile(ID, `${SECRET} `), /aws_secret_access_key ends with a space/],
  ["a tab after the id", aFile(`${ID}\t`), /aws_access_key_id ends with a space or a tab/],
  ["quotes", aFile(ID, `"${SECRET}"`), /quotes/],
  ["an invisible character", aFile(`\u200B${ID}`), /not ASCII/],
  ["a secret that is cut short", aFile(ID, SECRET.slice(0, 39)), /has 39 characters; a secret key has 40/],
  ["a secret in the id's place", aFile(SECRET), /no access key id/],
  ["no secret", aFile(ID, ""), /aws_secret_access_key is missing/],
  ["a profile that is there twice", `${aFile()}[other]\nregion = x\n`, /\[other\] is there twice/],
  [
    "a setting that is there twice",
    aFile(ID, SECRET, `aws_access_key_id = ${ID}\n`),
    /aws_access_key_id is there twice/,
  ],
  ["a session token", aFile(ID, SECRET, "aws_session_token = abc\n"), /session token/],
])("of %s it says what it is, and never the secret", ([, file, said]) => {
  const { findings } = readProfile(file, "default");
  const told = findings.map((finding) => `${finding.said} ${finding.wayOut}`).join("\n");
  expect(told).toMatch(said);
  expect(told).not.toContain(SECRET.slice(0, 20));
});

test("a profile that is not there is told with those that are", () => {
  const { findings, pair } = readProfile(aFile(), "work");
  expect(pair).toBeNull();
  expect(findings[0]?.said).toBe("There is no profile [work] in the file; it has other, default.");
});
