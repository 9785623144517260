import { ServiceError } from "./call.ts";

export interface SecretVersion {
  readonly id: string;
  readonly text: string;
  readonly createdAtMs: number;
  readonly stages: ReadonlySet<string>;
}

/** The versions of one secret, by id. Never changed in place, so that a replica can show an older one. */
export type SecretVersions = ReadonlyMap<string, SecretVersion>;

const LABELS_PER_VERSION_MAX = 20;

export const holderOf = (versions: SecretVersions, stage: string): SecretVersion | null =>
  [...versions.values()].find(({ stages }) => stages.has(stage)) ?? null;

const withStage = (version: SecretVersion, stage: string, isThere: boolean): SecretVersion => {
  const stages = new Set(version.stages);
  if (isThere) stages.add(stage);
  else stages.delete(stage);
  return { ...version, stages };
};

/** Puts a label on one version, and so takes it from every other; null takes it from all. */
function place(versions: SecretVersions, stage: string, onto: string | null): SecretVersions {
  const moved = new Map<string, SecretVersion>();
  for (const [id, version] of versions) moved.set(id, withStage(version, stage, id === onto));
  const target = onto === null ? undefined : moved.get(onto);
  if (target !== undefined && target.stages.size > LABELS_PER_VERSION_MAX) {
    throw new ServiceError("LimitExceededException", "a version has at most 20 staging labels");
  }
  return moved;
}

/** Moves a label. When AWSCURRENT moves, AWSPREVIOUS follows to the version it leaves (Secrets Manager API). */
function move(versions: SecretVersions, stage: string, onto: string): SecretVersions {
  const left = holderOf(versions, stage);
  const moved = place(versions, stage, onto);
  if (stage !== "AWSCURRENT" || left === null || left.id === onto) return moved;
  return place(moved, "AWSPREVIOUS", left.id);
}

/**
 * A new version. The same token with the same text is a no-op, with another text ResourceExistsException. The first
 * version of a secret is AWSCURRENT whatever was asked (Secrets Manager API).
 */
export function putVersion(
  versions: SecretVersions,
  put: { readonly id: string; readonly text: string; readonly nowMs: number },
  stages: readonly string[],
): SecretVersions {
  const there = versions.get(put.id);
  if (there !== undefined) {
    if (there.text === put.text) return versions;
    throw new ServiceError(
      "ResourceExistsException",
      "You can't use this ClientRequestToken: it was used with other content.",
    );
  }
  const isFirst = versions.size === 0;
  const version = { id: put.id, text: put.text, createdAtMs: put.nowMs, stages: new Set<string>() };
  let next: SecretVersions = new Map([...versions, [put.id, version]]);
  for (const stage of new Set(isFirst ? [...stages, "AWSCURRENT"] : stages)) {
    next = move(next, stage, put.id);
  }
  return next;
}

/**
 * UpdateSecretVersionStage: fails when RemoveFromVersionId is not the present holder, and when the label is held and
 * nobody said from where it shall be taken (Secrets Manager API).
 */
export function moveStage(
  versions: SecretVersions,
  stage: string,
  change: { readonly from: string | null; readonly to: string | null },
): SecretVersions {
  const { from, to } = change;
  const holder = holderOf(versions, stage)?.id ?? null;
  for (const id of [from, to]) {
    if (id !== null && !versions.has(id)) {
      throw new ServiceError("ResourceNotFoundException", `can't find the secret version ${id}`);
    }
  }
  if (to !== null && holder === to) return versions;
  if (from !== holder) {
    throw new ServiceError(
      "InvalidParameterException",
      `The parameter RemoveFromVersionId can't be ${from ?? "empty"}: ${stage} is on ${holder ?? "no version"}.`,
    );
  }
  if (to !== null) return move(versions, stage, to);
  if (stage === "AWSCURRENT") {
    throw new ServiceError("InvalidParameterException", "You can only move staging label AWSCURRENT.");
  }
  return place(versions, stage, null);
}
