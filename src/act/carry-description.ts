import { asRotationError, type RotationError } from "../rotation/errors.ts";
import type { AccessKeyId, IamUser } from "../rotation/keys.ts";
import type { Observation } from "../rotation/observation.ts";
import { type Acting, movedSince } from "./acting.ts";

type Change = { readonly id: AccessKeyId; readonly text: string | null };

/**
 * IAM keeps what people wrote of a key as a tag of its user, whose key is the key's id (IAM User Guide, access keys). Once a
 * replacement is current it gets the words of the key before it; those of a key that is gone are taken away. No tag, no
 * call. Never throws: a rotation is not to fail for a note. What failed comes back, and is tried again at the next look.
 */
export async function carryDescription(
  acting: Pick<Acting, "world" | "subject" | "observation" | "ledger">,
): Promise<RotationError | null> {
  const { world, subject, observation, ledger } = acting;
  const { user, iamUser } = subject;
  if (iamUser === null || changesTo(iamUser, observation).length === 0) return null;
  try {
    if (!ledger.isHeld()) await ledger.save((record) => record);
    const fresh = await world.directory.read(user);
    if (fresh === null || movedSince(subject, fresh) !== null) return null;
    for (const { id, text } of changesTo(fresh, observation)) await world.accessKeys.describe(user, id, text);
    return null;
  } catch (thrown) {
    return ledger.isLost() ? null : asRotationError(thrown, `carrying the description of a key of ${user}`);
  }
}

/** The copy before the removal, so that the words are never nowhere. Only ids on record are touched: they are keys we met. */
function changesTo({ tags }: IamUser, { standing, blindSpots, keys, custody, record }: Observation): readonly Change[] {
  const current = custody.kind === "present" ? keys.find(({ id }) => id === custody.current?.keyId) : undefined;
  if (current === undefined || standing.barred !== null || blindSpots.length > 0) return [];
  const textOf = (id: AccessKeyId): string | undefined => tags[id.toLowerCase()];
  const metAt = (id: AccessKeyId): number => record.keys[id]?.firstSeenAt ?? 0;
  const known = (Object.keys(record.keys) as AccessKeyId[]).filter((id) => id.startsWith("AKIA"));
  const gone = known.filter((id) => textOf(id) !== undefined && !keys.some((key) => key.id === id));
  // What somebody wrote of a younger key, which is a stranger's, is not said of ours.
  const listed = keys.find(({ id, createdAt }) => createdAt < current.createdAt && textOf(id) !== undefined);
  const former = listed?.id ?? gone.findLast((id) => metAt(id) <= metAt(current.id));
  const text = (former && textOf(former)) ?? "";
  const copy = text === "" || textOf(current.id) !== undefined ? [] : [{ id: current.id, text }];
  return [...copy, ...gone.map((id) => ({ id, text: null }))];
}
