import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { keysLeakedBy } from "../../../src/handlers/health-event.ts";
import { healthEvent } from "../../world/leak.ts";
import { packageStage } from "./artifact.ts";
import type { Resources } from "./artifact.ts";
import { plain } from "./policy.ts";

let resources: Resources;
beforeAll(async () => {
  ({ resources } = await packageStage("default"));
}, 60_000);

interface Rule {
  readonly EventPattern: { readonly source: unknown; readonly "detail-type": unknown; readonly detail: object };
  readonly Targets: readonly Readonly<Record<string, unknown>>[];
}

const ruleOf = (from: Resources): Rule => from["LeakedKeys"]?.Properties as unknown as Rule;
const forwarder = (): { readonly Resources: Resources } =>
  JSON.parse(readFileSync("scripts/leaked-keys.json", "utf8")) as { readonly Resources: Resources };

test("L7: the stack hears the event in its own Region, invokes the function, and keeps what it could not hand over", () => {
  const [target] = ruleOf(resources).Targets;
  expect(plain(resources, target?.["Arn"])).toMatch(/:function:keyturn$/);
  expect(target?.["DeadLetterConfig"]).toEqual({ Arn: { "Fn::GetAtt": ["FailedInvocations", "Arn"] } });
  expect(resources["LeakedKeysPermission"]?.Properties).toMatchObject({
    Principal: "events.amazonaws.com",
    SourceArn: { "Fn::GetAtt": ["LeakedKeys", "Arn"] },
  });
  expect(JSON.stringify(resources["FailedInvocationsPolicy"]?.Properties)).toContain(
    '"Service":"events.amazonaws.com"',
  );
});

test("L7: the other Regions hand on the same events to the bus that the stack listens to", () => {
  const { Resources: others } = forwarder();
  const [target] = ruleOf(others).Targets;
  expect(ruleOf(others).EventPattern).toEqual(ruleOf(resources).EventPattern);
  expect(JSON.stringify(target?.["Arn"])).toContain("${KeyturnRegion}:${AWS::AccountId}:event-bus/default");
  expect(target?.["DeadLetterConfig"]).toBeDefined();
});

test("L7: what the rules let through is what the function takes", () => {
  const event = healthEvent("AKIAIOSFODNN7EXAMPLE");
  expect(ruleOf(resources).EventPattern).toEqual({
    source: [event.source],
    "detail-type": [event["detail-type"]],
    detail: { eventTypeCode: [event.detail.eventTypeCode] },
  });
  expect(keysLeakedBy(event)).toEqual(["AKIAIOSFODNN7EXAMPLE"]);
});
