import type { WorkerVersion } from "../../cloud/cloudflare.ts";

/** What a version of ours is for: to hand a pair over, or to put the old one forward again. */
export type Purpose = "staged" | "back";

/** How we know versions of ours. */
export type Tags = ReturnType<typeof createTags>;

const TAG_BYTES_MAX = 100;

/**
 * A tag names the key, and the variable that it goes to: two users of one Worker tell theirs apart. The nonce makes that
 * no tag is given twice: of two that are alike, the later version is somebody's copy of ours.
 */
export function createTags(idName: string) {
  const tagOf = (purpose: Purpose, keyId: string, nonce: string): string =>
    `keyturn ${purpose} ${keyId} ${nonce} ${idName}`.slice(0, TAG_BYTES_MAX);
  const isOurs = ({ tag }: WorkerVersion): boolean => {
    const [, purpose, keyId = "", nonce = ""] = tag?.split(" ") ?? [];
    return (purpose === "staged" || purpose === "back") && tag === tagOf(purpose, keyId, nonce);
  };
  const isFor = (version: WorkerVersion, keyId: string): boolean =>
    isOurs(version) && version.tag?.startsWith(`keyturn staged ${keyId} `) === true;
  return { tagOf, isOurs, isFor } as const;
}

/** A version that somebody else made of ours may have its tag: it is a stranger's all the same. */
export const withoutCopies = (versions: readonly WorkerVersion[]): readonly WorkerVersion[] =>
  versions.map((version) => {
    const isCopy = versions.some(({ tag, number }) => tag === version.tag && number < version.number);
    return isCopy ? { ...version, tag: null } : version;
  });
