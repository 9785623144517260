import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { metricsOf } from "../../../src/report/metrics.ts";
import { instant } from "../../../src/rotation/time.ts";
import { packageStage } from "./artifact.ts";
import type { Packaged, Resources } from "./artifact.ts";
import { DEPLOYED, grantsOf, plain } from "./policy.ts";

let packaged: Packaged;
let resources: Resources;
beforeAll(async () => {
  packaged = await packageStage("default");
  ({ resources } = packaged);
}, 90_000);

const properties = (logicalId: string): Readonly<Record<string, unknown>> => resources[logicalId]?.Properties ?? {};

describe("the archive", () => {
  test("holds the bundle and the box for GitHub that it loads when it needs it, and its handler is the function", async () => {
    expect([...packaged.files.keys()].toSorted()).toEqual(["dist/keyturn-sealed-box.cjs", "dist/keyturn.cjs"]);
    expect(properties("KeyturnLambdaFunction")).toMatchObject({
      Handler: "dist/keyturn.handler",
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Timeout: 900,
      MemorySize: 512,
    });
    const directory = await mkdtemp(join(tmpdir(), "keyturn-archive-"));
    try {
      const file = join(directory, "keyturn.cjs");
      await writeFile(file, packaged.files.get("dist/keyturn.cjs") ?? "");
      const { handler } = createRequire(import.meta.url)(file) as {
        handler: (event: unknown) => Promise<unknown>;
      };
      await expect(handler({ command: "dance" })).rejects.toThrow('found "dance"');
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe("the function's failures", () => {
  test("are not repeated, and are kept in a queue", () => {
    expect(properties("KeyturnLambdaEvConf")).toMatchObject({ MaximumRetryAttempts: 0 });
    const { OnFailure } = properties("KeyturnLambdaEvConf")["DestinationConfig"] as {
      readonly OnFailure: { readonly Destination: unknown };
    };
    expect(plain(resources, OnFailure.Destination)).toMatch(/:keyturn-failed-invocations$/);
  });

  test("reserve no concurrency, which new accounts cannot give", () => {
    expect(properties("KeyturnLambdaFunction")).not.toHaveProperty("ReservedConcurrentExecutions");
  });
});

describe("the schedule", () => {
  test("asks for a sweep every hour, under a role of its own, with a dead-letter queue", () => {
    const schedule = properties("HourlySweep");
    const target = schedule["Target"] as Readonly<Record<string, unknown>>;
    expect(schedule["ScheduleExpression"]).toBe("rate(1 hour)");
    expect(JSON.parse(String(target["Input"]))).toEqual({ command: "sweep" });
    expect(target["RoleArn"]).toEqual({ "Fn::GetAtt": ["ScheduleRole", "Arn"] });
    expect(plain(resources, target["Arn"])).toMatch(/:function:keyturn$/);
    expect(target["RetryPolicy"]).toEqual({
      MaximumRetryAttempts: 3,
      MaximumEventAgeInSeconds: 1_800,
    });
    expect(target["DeadLetterConfig"]).toEqual({ Arn: { "Fn::GetAtt": ["FailedInvocations", "Arn"] } });
  });
});

describe("the roles", () => {
  const trustOf = (role: string): unknown =>
    (properties(role)["AssumeRolePolicyDocument"] as { readonly Statement: unknown }).Statement;

  test("are two, and each trusts one service", () => {
    const roles = Object.entries(resources).filter(([, { Type }]) => Type === "AWS::IAM::Role");
    expect(roles.map(([name]) => name).toSorted()).toEqual(["KeyturnRole", "ScheduleRole"]);
    expect(trustOf("KeyturnRole")).toEqual([
      {
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: "sts:AssumeRole",
      },
    ]);
    expect(trustOf("ScheduleRole")).toEqual([
      {
        Effect: "Allow",
        Principal: { Service: "scheduler.amazonaws.com" },
        Action: "sts:AssumeRole",
        Condition: { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } },
      },
    ]);
    expect(properties("KeyturnLambdaFunction")["Role"]).toEqual({
      "Fn::GetAtt": ["KeyturnRole", "Arn"],
    });
  });

  test("have neither path nor boundary, but where the account wants them and the deployment says so", async () => {
    const boundary = "arn:aws:iam::123456789012:policy/limit";
    const limited = await packageStage("default", [`boundary=${boundary}`, "path=/ci/"]);
    const of = (all: Resources, role: string): unknown => [
      all[role]?.Properties["Path"],
      all[role]?.Properties["PermissionsBoundary"],
    ];
    const boundTo = (arn: string): unknown => ({ "Fn::If": ["HasBoundary", arn, { Ref: "AWS::NoValue" }] });
    for (const role of ["KeyturnRole", "ScheduleRole"]) {
      expect(of(resources, role)).toEqual(["/", boundTo("none")]);
      expect(of(limited.resources, role)).toEqual(["/ci/", boundTo(boundary)]);
    }
  });

  /** Source: IAM User Guide, IAM and STS quotas: the inline policies of a role, without white space. */
  test("have policies that fit into a role, with room for what optional features add", () => {
    const [policy] = properties("KeyturnRole")["Policies"] as readonly { readonly PolicyDocument: unknown }[];
    expect(JSON.stringify(policy?.PolicyDocument).length).toBeGreaterThan(1_000);
    expect(JSON.stringify(policy?.PolicyDocument).length).toBeLessThan(9_000);
  });

  test("let the Scheduler invoke this function, keep what failed, and nothing else", () => {
    const schedule = grantsOf(resources, "ScheduleRole");
    expect(schedule.actions).toEqual(["lambda:InvokeFunction", "sqs:SendMessage"]);
    const invoke = (name: string): boolean => {
      const resource = `arn:aws:lambda:${DEPLOYED.region}:${DEPLOYED.account}:function:${name}`;
      return schedule.allows({ action: "lambda:InvokeFunction", resource });
    };
    expect([invoke("keyturn"), invoke("another")]).toEqual([true, false]);
  });

  test("give the function no key of a user who is not enrolled in this stage", () => {
    const grants = grantsOf(resources, "KeyturnRole");
    const resource = `arn:aws:iam::${DEPLOYED.account}:user/somebody`;
    for (const action of ["iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey"]) {
      expect(grants.allows({ action, resource, tags: { keyturn: "a-profile" } })).toBe(true);
      expect(grants.allows({ action, resource, tags: {} })).toBe(false);
      expect(grants.allows({ action, resource, tags: { "keyturn-dev": "a-profile" } })).toBe(false);
    }
  });

  test("give the function no way to enrol anybody, to delete a secret or to read others", () => {
    const { actions, allows } = grantsOf(resources, "KeyturnRole");
    expect(actions.filter((action) => /\*|Delete(Secret|Table)/.test(action))).toEqual([]);
    const read = (name: string): boolean => {
      const resource = `arn:aws:secretsmanager:${DEPLOYED.region}:${DEPLOYED.account}:secret:${name}-AbCdEf`;
      return allows({ action: "secretsmanager:GetSecretValue", resource });
    };
    expect(read("keyturn/deploy")).toBe(true);
    expect(read("keyturn-dev/deploy")).toBe(false);
    expect(read("cloudflare/another-token")).toBe(false);
  });

  test("let the function overwrite this stage's parameters, and read the value of none", () => {
    const { actions, allows } = grantsOf(resources, "KeyturnRole");
    const put = (name: string): boolean => {
      const resource = `arn:aws:ssm:eu-central-1:${DEPLOYED.account}:parameter${name}`;
      return allows({ action: "ssm:PutParameter", resource });
    };
    expect(["/keyturn/nightly", "/keyturn-dev/nightly", "/app/key"].map(put)).toEqual([true, false, false]);
    expect(actions.filter((action) => /ssm:Get|kms:/.test(action))).toEqual([]);
  });
});

describe("the role's right to a user's tags", () => {
  const resource = `arn:aws:iam::${DEPLOYED.account}:user/somebody`;
  const ENROLLED = { keyturn: "matchmaking" };
  const DESCRIPTION = "AKIAIOSFODNN7EXAMPLE";

  test.for(["iam:TagUser", "iam:UntagUser"])(
    "%s is given for descriptions of keys and holds of enrolled users alone",
    (action) => {
      const { allows } = grantsOf(resources, "KeyturnRole");
      const may = (tagKeys: readonly string[], tags: Readonly<Record<string, string>> = ENROLLED): boolean =>
        allows({ action, resource, tags, tagKeys });
      expect([may([DESCRIPTION]), may([DESCRIPTION], {}), may([])]).toEqual([true, false, false]);
      expect([may(["keyturn-hold"]), may(["keyturn-hold"], {}), may(["keyturn-hold", "keyturn"])]).toEqual([
        true,
        false,
        false,
      ]);
      for (const other of ["keyturn", "keyturn-holder", "Keyturn", "team", "akia"]) {
        expect([other, may([other]), may([DESCRIPTION, other])]).toEqual([other, false, false]);
      }
    },
  );

  test.for(["iam:TagUser", "iam:UntagUser"])(
    "%s of any other tag is refused, whatever else the role is given",
    (action) => {
      const { denies } = grantsOf(resources, "KeyturnRole");
      const refuses = (...tagKeys: readonly string[]): boolean => denies({ action, resource: "*", tagKeys });
      expect([refuses("keyturn"), refuses(DESCRIPTION, "keyturn"), refuses(DESCRIPTION)]).toEqual([true, true, false]);
      expect([refuses("keyturn-hold"), refuses("keyturn-hold", "keyturn")]).toEqual([false, true]);
    },
  );
});

describe("what is kept and who is told", () => {
  test("the table is paid by the request, can be restored, and outlives the stack", () => {
    expect(resources["Journal"]).toMatchObject({
      Type: "AWS::DynamoDB::Table",
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
      Properties: {
        TableName: "keyturn",
        BillingMode: "PAY_PER_REQUEST",
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    });
  });

  test("the stack owns no secret and no user, so that its removal takes none away", () => {
    const types = Object.values(resources).map(({ Type }) => Type);
    expect(types.filter((type) => /SecretsManager|IAM::(User|AccessKey)/.test(type))).toEqual([]);
  });

  test("the log ends after a year", () => {
    expect(properties("KeyturnLogGroup")).toMatchObject({
      LogGroupName: "/aws/lambda/keyturn",
      RetentionInDays: 365,
    });
  });

  test("every alarm tells the topic when it begins and when it ends, and a sweep that is missing is one", () => {
    const alarms = Object.values(resources).filter(({ Type }) => Type === "AWS::CloudWatch::Alarm");
    expect(alarms.map(({ Properties }) => Properties["AlarmName"])).toEqual([
      "keyturn-sweep-failed",
      "keyturn-sweeps-missing",
      "keyturn-key-overdue",
      "keyturn-rotation-blocked",
      "keyturn-notifier-failing",
      "keyturn-errors",
      "keyturn-failed-invocations",
    ]);
    for (const { Properties } of alarms) {
      expect(Properties["AlarmActions"]).toEqual([{ Ref: "Notices" }]);
      expect(Properties["OKActions"]).toEqual([{ Ref: "Notices" }]);
    }
    expect(properties("SweepsMissingAlarm")).toMatchObject({
      Period: 3_600,
      EvaluationPeriods: 3,
      TreatMissingData: "breaching",
    });
  });

  test("the dashboard shows metrics that a sweep writes, of this stage, and no others", () => {
    const body = plain(resources, properties("Dashboard")["DashboardBody"]);
    const { widgets } = JSON.parse(body) as {
      readonly widgets: readonly { readonly properties: { readonly metrics: string[][] } }[];
    };
    const shown = widgets.flatMap((widget) => widget.properties.metrics);
    const none = { startedAt: instant(0), endedAt: instant(0), rules: [], resting: 0, keysMadeAt: [], open: [] };
    const { _aws, ...counts } = metricsOf("keyturn", {
      ...none,
      isComplete: true,
      usage: { calls: 0, throttles: 0 },
    });
    expect(shown.map(([namespace]) => namespace)).toEqual(shown.map(() => "keyturn"));
    expect(shown.map(([, name]) => String(name)).toSorted()).toEqual(
      [...Object.keys(counts), "SweepsFailed"].toSorted(),
    );
  });

  test("the alarms on sweeps watch what the filters count", () => {
    expect(properties("SweepsEnded")["FilterPattern"]).toBe('{ $.message = "sweep ended" && $.command = "sweep" }');
    expect(properties("SweepsFailed")["FilterPattern"]).toBe(
      '{ $.message = "sweep ended" && $.command = "sweep" && $.status = "failed" }',
    );
    expect(properties("SweepsWell")["FilterPattern"]).toBe(
      '{ $.message = "sweep ended" && $.command = "sweep" && $.status = "ok" }',
    );
    const counted = ["SweepsEnded", "SweepsFailed", "SweepsWell"].map((filter) => {
      const [metric] = properties(filter)["MetricTransformations"] as readonly unknown[];
      return metric;
    });
    expect(counted).toMatchObject([
      { MetricNamespace: "keyturn", MetricName: "SweepsEnded" },
      { MetricNamespace: "keyturn", MetricName: "SweepsFailed", MetricValue: "1" },
      { MetricNamespace: "keyturn", MetricName: "SweepsFailed", MetricValue: "0" },
    ]);
    expect(properties("SweepsMissingAlarm")).toMatchObject({
      Namespace: "keyturn",
      MetricName: "SweepsEnded",
    });
    expect(properties("SweepFailedAlarm")).toMatchObject({
      Namespace: "keyturn",
      MetricName: "SweepsFailed",
    });
  });
});

test("another stage bears its own name on everything, and enrols by its own tag", async () => {
  const dev = await packageStage("dev");
  const named = Object.values(dev.resources).flatMap(({ Properties }) =>
    ["FunctionName", "TableName", "TopicName", "QueueName", "RoleName", "AlarmName", "Name"].flatMap((key) =>
      typeof Properties[key] === "string" ? [Properties[key]] : [],
    ),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !/^keyturn-dev($|-)/.test(name))).toEqual([]);
  expect(dev.resources["KeyturnLambdaFunction"]?.Properties["Environment"]).toEqual({
    Variables: { KEYTURN_STAGE: "dev", KEYTURN_TABLE: "keyturn-dev", KEYTURN_TOPIC: "keyturn-dev" },
  });
  const grants = grantsOf(dev.resources, "KeyturnRole");
  const resource = `arn:aws:iam::${DEPLOYED.account}:user/somebody`;
  const create = (tag: string): boolean =>
    grants.allows({ action: "iam:CreateAccessKey", resource, tags: { [tag]: "a-profile" } });
  expect([create("keyturn-dev"), create("keyturn")]).toEqual([true, false]);
});

test("a stage whose tag would be that of an operator's hold is refused before it exists", async () => {
  await expect(packageStage("hold")).rejects.toMatchObject({
    stdout: expect.stringContaining("keyturn-hold is the tag of an operator's hold"),
  });
});
