import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { translateError } from "../../src/cloud/translate-error.ts";

const sdkError = (name: string, httpStatusCode?: number, more: object = {}): Error =>
  Object.assign(new Error("message"), {
    name,
    $metadata: httpStatusCode === undefined ? { attempts: 1 } : { httpStatusCode, attempts: 1 },
    ...more,
  });

describe("an SDK error in our words", () => {
  test.for([
    ["NoSuchEntityException", 404, "NotFound", false],
    ["ResourceNotFoundException", 400, "NotFound", false],
    ["NotFound", 404, "Misconfigured", false],
    ["LimitExceededException", 409, "LimitReached", false],
    ["Throttling", 400, "Throttled", false],
    ["ThrottlingException", 400, "Throttled", false],
    ["Whatever", 429, "Throttled", false],
    ["AccessDenied", 403, "Denied", false],
    ["DecryptionFailure", 400, "Denied", false],
    ["SignatureDoesNotMatch", 403, "Denied", false],
    ["ConditionalCheckFailedException", 400, "Conflict", false],
    ["ResourceExistsException", 400, "Conflict", false],
    ["ValidationException", 400, "Misconfigured", false],
    ["ServiceFailureException", 500, "Unreachable", true],
    ["SyntaxError", 200, "Unreachable", true],
    ["TimeoutError", undefined, "Unreachable", true],
    ["TypeError", undefined, "Bug", false],
  ] as const)("takes %s with status %s for %s", ([name, status, code, outcomeUnknown]) => {
    const translated = translateError(sdkError(name, status), "asking");
    expect(translated).toMatchObject({ code, outcomeUnknown });
    expect(translated.message).toMatch(new RegExp(`^asking, ${name}`));
  });

  test.for([
    ["Conflict", ["ConditionalCheckFailed", "None"]],
    ["Conflict", ["None", "TransactionConflict"]],
    ["Conflict", ["ThrottlingError", "ConditionalCheckFailed"]],
    ["Throttled", ["None", "ThrottlingError"]],
    ["Throttled", ["ProvisionedThroughputExceeded", "None"]],
    ["Denied", ["AccessDenied"]],
    ["Misconfigured", ["ValidationError", "None"]],
  ] as const)("takes a transaction for %s that was cancelled for %j", ([code, reasons]) => {
    const CancellationReasons = reasons.map((Code) => ({ Code }));
    const thrown = sdkError("TransactionCanceledException", 400, { CancellationReasons });
    expect(translateError(thrown, "asking")).toMatchObject({ code, outcomeUnknown: false });
  });

  test.for([
    ["ECONNRESET", 1, true],
    ["ECONNREFUSED", 1, false],
    ["ECONNREFUSED", 3, true],
    ["ENOTFOUND", 1, false],
  ] as const)("says of %s at attempt %i whether the call may have arrived: %s", ([code, attempts, outcomeUnknown]) => {
    const thrown = sdkError("Error", undefined, { code, $metadata: { attempts } });
    expect(translateError(thrown, "asking")).toMatchObject({
      code: "Unreachable",
      outcomeUnknown,
    });
  });

  test("passes on how long the service asks us to wait", () => {
    const $response = { headers: { "retry-after": "7" } };
    const thrown = sdkError("ThrottlingException", 400, { $response });
    expect(translateError(thrown, "asking").retryAfterMs).toBe(7_000);
  });

  test("quotes a denial, which names the action that is missing", () => {
    const thrown = sdkError("AccessDeniedException", 400);
    thrown.message = "User: x is not authorized to perform: iam:CreateAccessKey";
    expect(translateError(thrown, "creating").message).toContain("perform: iam:CreateAccessKey");
  });

  test("keeps nothing of an answer that may hold the secret", () => {
    const body = "<SecretAccessKey>wJalrXUtnFEMI</SecretAccessKey>";
    const thrown = sdkError("SyntaxError", 200, { $responseBodyText: body });
    thrown.message = `cannot parse ${body}`;
    expect(inspect(translateError(thrown, "creating"), { depth: 9 })).not.toContain("wJalr");
  });
});
