import { instant } from "../../src/rotation/time.ts";
import type { CloudAnswer } from "../world/call.ts";
import type { SimulatedKey } from "../world/iam-state.ts";
import type { SigningPair } from "../world/caller.ts";
import { type Consumer, nextPair } from "./consumers.ts";
import { comesBack, custodyName, custodyPair, START_MS } from "./stage.ts";
import type { SimulatedSubject, Stage } from "./stage.ts";
import type { Workplace } from "./workplaces.ts";

/** Somebody with rights of their own, whom CloudTrail names. */
function callAsAdmin(
  stage: Stage,
  service: string,
  operation: string,
  input: Readonly<Record<string, unknown>>,
): CloudAnswer {
  const { iam } = stage.cloud;
  if (!iam.users.has("admin")) iam.createUser({ name: "admin" });
  const key = iam.keysOf("admin")[0] ?? iam.createKey("admin");
  return stage.cloud.callAs({ keyId: key.id, secret: key.secret }, { service, operation, input });
}

const asAdmin = (stage: Stage, operation: string, input: Readonly<Record<string, unknown>>): CloudAnswer =>
  callAsAdmin(stage, "iam", operation, input);

/**
 * Whether a person may be the maker of a key that nobody knows: one made beside custody's pair is never Keyturn's, nor one
 * beside custody that is scheduled for deletion, which somebody may take back.
 */
function hasPair(stage: Stage, user: string): boolean {
  const versions = stage.cloud.secretsManager.named(custodyName(user))?.versions.values() ?? [];
  return [...versions].some(
    ({ text, stages }) =>
      text.includes("SecretAccessKey") && ["AWSCURRENT", "AWSPENDING"].some((label) => stages.has(label)),
  );
}

export function createKeyByHand(stage: Stage, user: string): string | null {
  const { iam } = stage.cloud;
  if (!iam.users.has(user) || iam.keysOf(user).length > 1) return null;
  const isStranger = hasPair(stage, user);
  const made = asAdmin(stage, "CreateAccessKey", { UserName: user })["AccessKey"] as Readonly<Record<string, string>>;
  const keyId = made["AccessKeyId"] ?? "";
  if (isStranger) stage.strangers.add(keyId);
  return keyId;
}

export function deleteKeyByHand(stage: Stage, { id, status, isDeleted, caller }: SimulatedKey): void {
  if (isDeleted) return;
  if (status === "Active") stage.takenByPeople.add(id);
  asAdmin(stage, "DeleteAccessKey", { UserName: caller.name, AccessKeyId: id });
}

export function setStatusByHand(stage: Stage, key: SimulatedKey, Status: "Active" | "Inactive"): void {
  if (key.isDeleted || key.status === Status) return;
  if (Status === "Active") comesBack(stage, key.id);
  else stage.takenByPeople.add(key.id);
  asAdmin(stage, "UpdateAccessKey", { UserName: key.caller.name, AccessKeyId: key.id, Status });
}

export function tagByHand(stage: Stage, user: string, Key: string, Value: string | null): void {
  if (!stage.cloud.iam.users.has(user)) return;
  if (Key === "keyturn-hold" && Value === null) stage.heldByWord.delete(user);
  if (Value === null) asAdmin(stage, "UntagUser", { UserName: user, TagKeys: [Key] });
  else asAdmin(stage, "TagUser", { UserName: user, Tags: [{ Key, Value }] });
}

/** Attaches a managed policy, as AWS does; tells whether it was not there before. */
export function attachByHand(stage: Stage, user: string, PolicyArn: string): boolean {
  if (stage.cloud.iam.users.get(user)?.attached.includes(PolicyArn) !== false) return false;
  stage.cloud.iam.policies.set(PolicyArn, { Version: "2012-10-17", Statement: [] });
  asAdmin(stage, "AttachUserPolicy", { UserName: user, PolicyArn });
  return true;
}

export function detachByHand(stage: Stage, user: string, PolicyArn: string): void {
  if (stage.cloud.iam.users.get(user)?.attached.includes(PolicyArn) !== true) return;
  asAdmin(stage, "DetachUserPolicy", { UserName: user, PolicyArn });
}

/** Nobody may send mail any more but who always might. */
export function forbidMail(stage: Stage, { user, mayMail }: SimulatedSubject): void {
  const inline = stage.cloud.iam.users.get(user)?.inline;
  if (inline !== undefined && !mayMail) delete inline["mail"];
}

/** Whether anybody can have its pair. One whose making had no answer nobody ever saw. */
export function isHad(stage: Stage, { user, workers }: SimulatedSubject, { id, createdAtMs }: SimulatedKey): boolean {
  const versions = [...(stage.cloud.secretsManager.named(custodyName(user))?.versions.values() ?? [])];
  const isKept = versions.some(({ text }) => text.includes(id) && text.includes("SecretAccessKey"));
  return (
    createdAtMs < START_MS || isKept || stage.strangers.has(id) || workers.some((it) => it.deliveries.includes(id))
  );
}

/** Moves AWSCURRENT back to the version that was current before; tells whether there was one with a pair. */
export function moveLabelBack(stage: Stage, user: string): boolean {
  const secret = stage.cloud.secretsManager.named(custodyName(user));
  if (secret === null || secret.deletedAtMs !== null || custodyPair(stage, user, "AWSPREVIOUS") === null) return false;
  const holder = (stage_: string): string =>
    [...secret.versions.values()].find(({ stages }) => stages.has(stage_))?.id ?? "";
  callAsAdmin(stage, "secretsmanager", "UpdateSecretVersionStage", {
    SecretId: custodyName(user),
    VersionStage: "AWSCURRENT",
    RemoveFromVersionId: holder("AWSCURRENT"),
    MoveToVersionId: holder("AWSPREVIOUS"),
  });
  return true;
}

/** A place is given a pair behind Keyturn's back. Where it is built first, and that fails, the pair is live with a later build. */
export function giveByHand(
  { stage, subject }: { readonly stage: Stage; readonly subject: SimulatedSubject },
  worker: Workplace,
  pair: SigningPair,
): void {
  const nowMs = stage.clock.now();
  // What a build under way makes live is what it signs with next.
  const isAt = (consumer: Consumer): boolean => {
    const { keyId } = worker.heldAt(consumer.rhythm.next(nowMs)).pair;
    return consumer.hold.kind === "worker" && (nextPair(consumer, nowMs)?.keyId ?? keyId) === keyId;
  };
  const own = subject.consumers.filter((consumer) => isAt(consumer));
  worker.setByHand(pair);
  for (const consumer of subject.consumers) {
    if (nextPair(consumer, nowMs)?.keyId === pair.keyId || own.includes(consumer)) consumer.forgiven.add(pair.keyId);
  }
}

/** The sweeps go on. */
export function resume(stage: Stage): void {
  void stage.journal.setRunning(instant(stage.clock.now()));
  stage.pausedMs = null;
}
