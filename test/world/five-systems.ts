import { createHash } from "node:crypto";
import type { SigningPair } from "./caller.ts";
import type { Cloud } from "./cloud.ts";
import type { UserSeed } from "./iam.ts";
import type { PolicyDocument } from "./iam-state.ts";

/** One of the five systems, as its owner set it up by hand. */
export interface SeededSystem {
  readonly user: string;
  readonly profile: string;
  /** The pair that its consumers hold. */
  readonly firstPair: SigningPair;
}

export type SystemName = "matchmaking" | "ai-math-tutor" | "cognito-admin" | "flowid" | "invoice-scanner";

interface SystemSeed {
  readonly user: Omit<UserSeed, "tags">;
  readonly keyAgeDays: number;
  /** The console keeps a key's description as a tag of the user whose key is the access key id (IAM API). */
  readonly description: string;
}

const DAY_MS = 86_400_000;
const managed = (name: string): string => `arn:aws:iam::aws:policy/${name}`;

const allow = (Action: readonly string[], Resource = "*"): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, Resource }],
});

/** The managed policies that the owners attached, cut to what tells them apart. */
const MANAGED: Readonly<Record<string, readonly string[]>> = {
  AWSLambda_FullAccess: ["lambda:*", "logs:DescribeLogGroups"],
  IAMFullAccess: ["iam:*"],
  AWSCloudFormationFullAccess: ["cloudformation:*"],
  AmazonAPIGatewayAdministrator: ["apigateway:*"],
  CloudWatchLogsFullAccess: ["logs:*"],
  CloudWatchLogsReadOnlyAccess: ["logs:Describe*", "logs:Get*", "logs:FilterLogEvents"],
  AmazonDynamoDBReadOnlyAccess: ["dynamodb:Describe*", "dynamodb:List*", "dynamodb:GetItem"],
  AmazonS3ReadOnlyAccess: ["s3:Get*", "s3:List*"],
  AWSLambda_ReadOnlyAccess: ["lambda:Get*", "lambda:List*"],
};

const COGNITO_ACTIONS = [
  "AdminSetUserPassword",
  "AdminResetUserPassword",
  "AdminDisableUser",
  "AdminEnableUser",
  "AdminUpdateUserAttributes",
  "AdminConfirmSignUp",
  "AdminGetUser",
  "ListUsers",
  "AdminListGroupsForUser",
  "AdminAddUserToGroup",
  "AdminRemoveUserFromGroup",
  "ListUsersInGroup",
].map((action) => `cognito-idp:${action}`);

const systems = (account: string): Readonly<Record<SystemName, SystemSeed>> => ({
  matchmaking: {
    user: {
      name: "cloudflare-sveltekit-lambda-invoker",
      inline: {
        LambdaInvokeGPTMatchmaking: allow(
          ["lambda:InvokeFunction"],
          "arn:aws:lambda:*:*:function:gpt-openai-matchmaking-*",
        ),
      },
    },
    keyAgeDays: 80,
    description: "Cloudflare Worker Lambda Access",
  },
  "ai-math-tutor": {
    user: {
      name: "ai-math-tutor-deploy",
      attached: [
        "AWSLambda_FullAccess",
        "IAMFullAccess",
        "AWSCloudFormationFullAccess",
        "AmazonAPIGatewayAdministrator",
        "CloudWatchLogsFullAccess",
      ].map(managed),
    },
    keyAgeDays: 200,
    description: "Serverless deploys",
  },
  "cognito-admin": {
    user: {
      name: "cloudflare-cognito-admin",
      inline: {
        CognitoAdminPolicy: allow(
          COGNITO_ACTIONS,
          `arn:aws:cognito-idp:us-east-1:${account}:userpool/us-east-1_EXAMPLE`,
        ),
      },
    },
    keyAgeDays: 120,
    description: "Cloudflare Worker Cognito Admin",
  },
  flowid: {
    user: {
      name: "flowid-dev-user",
      attached: [
        "CloudWatchLogsReadOnlyAccess",
        "AmazonDynamoDBReadOnlyAccess",
        "AmazonS3ReadOnlyAccess",
        "AWSLambda_ReadOnlyAccess",
      ].map(managed),
    },
    keyAgeDays: 95,
    description: "Local development",
  },
  "invoice-scanner": {
    user: {
      name: "ai-invoice-scanner-user",
      attached: ["AIInvoiceScannerFullPolicy", "AmplifyAdminPolicy"].map(
        (name) => `arn:aws:iam::${account}:policy/${name}`,
      ),
    },
    keyAgeDays: 60,
    description: "AI Invoice Scanner Project",
  },
});

function seedPolicies(cloud: Cloud): void {
  for (const [name, actions] of Object.entries(MANAGED)) {
    cloud.iam.policies.set(managed(name), allow(actions));
  }
  const own = (name: string): string => `arn:aws:iam::${cloud.account}:policy/${name}`;
  cloud.iam.policies.set(
    own("AIInvoiceScannerFullPolicy"),
    allow(["s3:GetObject", "s3:PutObject", "textract:AnalyzeExpense", "dynamodb:*"]),
  );
  cloud.iam.policies.set(own("AmplifyAdminPolicy"), allow(["amplify:*"]));
}

function seedSystem(cloud: Cloud, profile: string, seed: SystemSeed): SeededSystem {
  const user = cloud.iam.createUser({ ...seed.user, tags: { keyturn: profile } });
  const createdAtMs = cloud.clock.now() - seed.keyAgeDays * DAY_MS;
  const key = cloud.iam.createKey(user.name, { createdAtMs });
  user.tags.push({ Key: key.id, Value: seed.description });
  return { user: user.name, profile, firstPair: { keyId: key.id, secret: key.secret } };
}

/** Custody as an earlier rotation left it: the marker was first, the pair is current. */
function seedCustody(cloud: Cloud, system: SeededSystem, prefix: string): void {
  const { keyId, secret } = system.firstPair;
  const ask = (operation: string, input: Readonly<Record<string, unknown>>): void => {
    cloud.callAs(cloud.role, { service: "secretsmanager", operation, input });
  };
  const SecretId = prefix + system.user;
  ask("CreateSecret", {
    Name: SecretId,
    SecretString: JSON.stringify({ Version: 1 }),
    Tags: [
      { Key: "keyturn:account", Value: cloud.account },
      { Key: "keyturn:user-id", Value: cloud.iam.users.get(system.user)?.id ?? "" },
    ],
  });
  ask("PutSecretValue", {
    SecretId,
    ClientRequestToken: createHash("sha256").update(keyId).digest("hex"),
    SecretString: JSON.stringify({ Version: 1, AccessKeyId: keyId, SecretAccessKey: secret }),
  });
}

/** One of the five alone: its key is hand-made, or in custody already. */
export function seedOneSystem(cloud: Cloud, name: SystemName, isInCustody: boolean): SeededSystem {
  seedPolicies(cloud);
  const seeded = seedSystem(cloud, name, systems(cloud.account)[name]);
  if (isInCustody) seedCustody(cloud, seeded, "keyturn/");
  return seeded;
}

/**
 * Seeds the five systems, enrolled by their tags. The keys are 60 to 200 days old; four are hand-made, and that of
 * invoice-scanner is in custody already.
 */
export function seedFiveSystems(cloud: Cloud, custodyPrefix = "keyturn/"): Readonly<Record<SystemName, SeededSystem>> {
  seedPolicies(cloud);
  const seeds = systems(cloud.account);
  const seeded = {
    matchmaking: seedSystem(cloud, "matchmaking", seeds.matchmaking),
    "ai-math-tutor": seedSystem(cloud, "ai-math-tutor", seeds["ai-math-tutor"]),
    "cognito-admin": seedSystem(cloud, "cognito-admin", seeds["cognito-admin"]),
    flowid: seedSystem(cloud, "flowid", seeds.flowid),
    "invoice-scanner": seedSystem(cloud, "invoice-scanner", seeds["invoice-scanner"]),
  };
  seedCustody(cloud, seeded["invoice-scanner"], custodyPrefix);
  return seeded;
}
