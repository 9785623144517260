import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import { Secret } from "../../src/rotation/secret.ts";

describe("Secret", () => {
  const value = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  const secret = new Secret(value);
  // The type-aware lint refuses a secret in a template; what it would print is seen all the same.
  const unchecked = secret as unknown as string;

  test.for([
    ["JSON.stringify", JSON.stringify({ secret })],
    ["util.inspect", inspect({ nested: { secret } }, { depth: 9, showHidden: true })],
    ["a template string", `${unchecked}`],
    ["String()", String(secret)],
    ["an error's inspection", inspect(new RotationError("Bug", `storing ${unchecked}`, { cause: secret }))],
  ])("prints as [secret] under %s", ([, printed]) => {
    expect(printed).toContain("[secret]");
    expect(printed).not.toContain(value);
  });

  test("reveals its value to whom it is meant for", () => {
    expect(secret.reveal()).toBe(value);
  });
});
