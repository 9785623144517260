import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { packageStage } from "./artifact.ts";
import { type Grants, grantsOf, type Right } from "./policy.ts";
import { rotateAll } from "./rotation-calls.ts";
import type { Needed, Rotated } from "./rotation-calls.ts";
import { isOptional, permissionsPage } from "./permissions-page.ts";

/** Lambda's own, which acts as the function's role. */
const OF_LAMBDA_ITSELF = ["WriteLogs", "KeepFailedInvocations"];

let grants: Grants;
let rotated: Rotated;
beforeAll(async () => {
  grants = grantsOf((await packageStage("default")).resources, "KeyturnRole");
  rotated = await rotateAll(grants);
}, 120_000);

describe("whole rotations and every command, under a role that may do only what serverless.yml gives", () => {
  test("saw keys rotated from end to end", () => {
    expect(rotated.finished).toEqual(["cloudflare-sveltekit-lambda-invoker", "cloudflare-cognito-admin", "nightly"]);
  });

  test("saw the pair handed over to a parameter and to the Secrets Store", () => {
    expect(rotated.handedOver).toEqual([rotated.nightlyKey, rotated.nightlyKey]);
  });

  test("saw Keyturn's own Cloudflare token replaced, and the former one deleted", () => {
    expect(rotated.tokens.all).toEqual([rotated.tokens.held]);
    expect(rotated.tokens.held).toMatch(/^cfat_/);
  });

  test("saw each command do what it is for", () => {
    const words = Object.entries(rotated.said).map(
      ([name, said]) => `${name}: ${said[0]?.replaceAll(/AKIA\w+|\d{4}-\S+Z/g, "…") ?? ""}`,
    );
    expect(words).toEqual([
      "resume: running since …",
      "status: Told where 8 of 8 users stand.",
      "report: Reported 8 of 8 users.",
      // Of a user that this configuration does not know.
      "doctor: 1 of 12 checks not ok.",
      "history: Told 4 of 4 lines of the history of operated.",
      "rotate: … is replaced as soon as every rule allows it",
      "rollback: … is current again, everywhere; the user is held until it is released",
      "release (a user): operated is no longer held",
      "retire: … goes once every destination has …, whoever still uses it",
      "reactivate: … is Active again, and stays until it is released by its id",
      "release (a key): … of operated may go once nobody uses it",
      "hold: operated is held: a freeze",
      "adopt: … is taken over as an old key: give its consumers the pair of …",
      "revoke: … of cloudflare-cognito-admin is marked as exposed, and is Inactive now. … is exposed (an operator's revoke): … is in its place",
      "AWS Health's event: AWS Health named keys of enrolled users: …; of others: none.",
      "forget: ssm-parameter:eu-central-1/keyturn/nightly no longer keeps an old key of nightly",
      "pause: paused since …: all is said",
    ]);
  });

  test("needed nothing that the role is not given, on the resource that each call named", () => {
    expect(rotated.needed.filter(({ asked }) => !grants.allows(asked))).toEqual([]);
  });

  test("needed everything that the role is given: each action of each statement, on each of its resources", () => {
    const used = new Set<Right>(rotated.needed.flatMap(({ asked }) => grants.rightsTo(asked)));
    const unused = grants.rights.filter((right) => !used.has(right) && !OF_LAMBDA_ITSELF.includes(right.statement));
    expect(unused).toEqual([]);
  });

  test("marks in serverless.yml what only a feature needs that the repository's own configuration leaves out", () => {
    const needs = (right: Right): Needed[] =>
      rotated.needed.filter(({ asked }) => grants.rightsTo(asked).includes(right));
    const optional = grants.rights.filter((right) => isOptional(needs(right))).map(({ statement }) => statement);
    const text = readFileSync("serverless.yml", "utf8");
    const marked = [...text.matchAll(/# Only with [^\n]+\n(?: *#[^\n]*\n)* *- Sid: (\w+)/g)].map(([, sid]) => sid);
    expect([...new Set(optional)]).toEqual(marked);
  });

  test("is what docs/permissions.md shows, statement by statement", async () => {
    await expect(permissionsPage(grants, rotated.needed)).toMatchFileSnapshot("../../../docs/permissions.md");
  });
});
