import { type Command, parseCommand } from "../../src/handlers/command.ts";
import { obey } from "../../src/handlers/obey.ts";
import { type AccessKey, accessKeyId, userName } from "../../src/rotation/keys.ts";
import type { World } from "../../src/rotation/world.ts";
import type { SweepResult } from "../../src/sweep.ts";
import type { Installation } from "./installation.ts";
import { DEPLOY } from "./system.ts";

const POLICY = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine";

/** What AWS Health sends to EventBridge (AWS Health User Guide, EventBridge schema; aws-health-tools). */
export const healthEvent = (...keyIds: readonly string[]) => ({
  version: "0",
  id: "121345678-1234-1234-1234-123456789012",
  "detail-type": "AWS Health Event",
  source: "aws.health",
  account: "123456789012",
  time: "2026-01-05T06:27:57Z",
  region: "us-east-1",
  resources: [],
  detail: {
    eventArn: "arn:aws:health:us-east-1::event/AWS_RISK_CREDENTIALS_EXPOSED_XXXXXXXXXXXXXXXXX",
    service: "RISK",
    eventTypeCode: "AWS_RISK_CREDENTIALS_EXPOSED",
    eventTypeCategory: "issue",
    startTime: "Mon, 05 Jan 2026 05:01:10 GMT",
    eventDescription: [{ language: "en_US", latestDescription: "A description of the event will be provided here" }],
    affectedEntities: keyIds.map((entityValue) => ({ entityValue })),
  },
});

/** One run of the function with an event or a command; its notices are kept as a sweep's are. */
export async function invoke(here: Installation, event: unknown): Promise<SweepResult> {
  const world = here.run();
  const command: Command = parseCommand(event);
  try {
    const serving = { profiles: here.profiles, enrolmentTag: "keyturn" };
    return (await obey(here.bend?.(world) ?? world, command, serving)) as SweepResult;
  } finally {
    here.notices.push(...world.notifier.notices);
  }
}

export const leak = async (here: Installation, ...keyIds: readonly string[]): Promise<SweepResult> =>
  invoke(here, healthEvent(...keyIds));

export const revoke = async (here: Installation, keyId: string, user = DEPLOY): Promise<SweepResult> =>
  invoke(here, { command: "revoke", user: userName(user), key: accessKeyId(keyId) });

/** What AWS does to the user of a key that it found in public; `role` acts for it here. */
export function quarantine({ cloud }: Installation, version: "V2" | "V3", isOn = true): void {
  const denied = { Effect: "Deny", Action: ["iam:CreateAccessKey", "iam:UpdateAccessKey", "sts:GetSessionToken"] };
  cloud.iam.policies.set(POLICY + version, { Version: "2012-10-17", Statement: [{ ...denied, Resource: "*" }] });
  cloud.callAs(cloud.role, {
    service: "iam",
    operation: isOn ? "AttachUserPolicy" : "DetachUserPolicy",
    input: { UserName: DEPLOY, PolicyArn: POLICY + version },
  });
}

/** Something that happens after each call of the run, as consumers and thieves do, who wait for nobody. */
export function meanwhile({ cloud }: Installation, happens: () => void): () => void {
  let isBusy = false;
  return cloud.onCall(() => {
    if (isBusy) return;
    isBusy = true;
    happens();
    isBusy = false;
  });
}

/** IAM's list as it may be for seconds after a key was made Inactive (IAM User Guide, eventual consistency). */
export const ALL_ACTIVE = (keys: readonly AccessKey[]): readonly AccessKey[] =>
  keys.map((key) => ({ ...key, status: "active" }));

/** Every list of keys is shown so to the run. */
export function listedActive(world: World): World {
  const list: World["accessKeys"]["list"] = async (user) => ALL_ACTIVE(await world.accessKeys.list(user));
  return { ...world, accessKeys: { ...world.accessKeys, list } };
}

/** Once the run has made a key Inactive IAM's list is shown so to it. */
export function listingAfterACut(world: World, shown: (keys: readonly AccessKey[]) => readonly AccessKey[]): World {
  const { accessKeys } = world;
  let isCut = false;
  const setStatus: typeof accessKeys.setStatus = async (...asked) => {
    await accessKeys.setStatus(...asked);
    isCut = true;
  };
  const list: typeof accessKeys.list = async (user) => {
    const keys = await accessKeys.list(user);
    return isCut ? shown(keys) : keys;
  };
  return { ...world, accessKeys: { ...accessKeys, setStatus, list } };
}
