import type { WorkerVersion } from "../../cloud/cloudflare.ts";

/** What a version of ours is for: to hand a pair over, or to put the old one forward again. */
export type Purpose = "staged" | "back";

/** How we know versions of ours. */
export type Tags = ReturnType<typeof createTags>;

const TAG_BYTES_MAX = 100;

/**
 * A tag names the key, and the variable that it goes to: two users of one Worker tell theirs apart. It names the version's
 * own number, too: on a version that somebody copied from ours, tag and all, and on one that was overtaken, it is wrong.
 */
export function createTags(idName: string) {
  const tagOf = (purpose: Purpose, keyId: string, number: number): string =>
    `keyturn ${purpose} ${keyId} ${String(number)} ${idName}`.slice(0, TAG_BYTES_MAX);
  const isOurs = ({ tag, number }: WorkerVersion): boolean => {
    const [, purpose, keyId = ""] = tag?.split(" ") ?? [];
    return (purpose === "staged" || purpose === "back") && tag === tagOf(purpose, keyId, number);
  };
  const isFor = ({ tag, number }: WorkerVersion, keyId: string): boolean => tag === tagOf("staged", keyId, number);
  return { tagOf, isOurs, isFor } as const;
}
