import { isExposed } from "../../decide/exposure.ts";
import type { AccessKeyId } from "../../rotation/keys.ts";
import { latest } from "../../rotation/time.ts";
import type { World } from "../../rotation/world.ts";
import { withKey } from "../acting.ts";
import { type Begun, type Errand, mustBeOurs, refused, withUser, word } from "./begin.ts";

/** Makes a key of ours active again. An old one then stays until it is released, or retired, by its id. */
export function reactivate(world: World, errand: Errand, keyId: AccessKeyId): Promise<string> {
  return withUser(world, errand, async (begun) => {
    const { observation, parts } = begun;
    const key = observation.keys.find(({ id }) => id === keyId);
    if (key === undefined) throw refused(errand, "IAM lists no such key of this user");
    if (isExposed(observation, keyId)) throw refused(errand, "it is exposed, and stays Inactive");
    if (key.status === "active") return `${keyId} is Active already`;
    const isForeign = [...parts.strangers, ...parts.suspects].includes(key);
    if (isForeign) throw refused(errand, "nobody knows whose it is: adopt it first");
    await begun.ledger.save((record) => record, word(begun, "reactivating", keyId));
    await activate(begun, keyId);
    return `${keyId} is Active again, and stays until it is released by its id`;
  });
}

/** Under our lease, and after a fresh read of the user. Giving back what was taken is safe to repeat. */
export async function activate(begun: Begun, keyId: AccessKeyId): Promise<void> {
  const { world, errand, ledger, parts } = begun;
  await mustBeOurs(begun);
  await world.accessKeys.setStatus(errand.user, keyId, "active");
  // An earlier word to retire it is taken back, however far ahead that run's clock was.
  const now = world.clock.now();
  const reactivatedAt = latest(now, begun.observation.record.keys[keyId]?.retireAskedAt ?? null) ?? now;
  const isInPlace = keyId === parts.currentId || keyId === parts.pendingId;
  ledger.stage((record) => {
    const releasedAt = isInPlace ? reactivatedAt : null;
    return withKey(record, keyId, { reactivatedAt, releasedAt, inactiveSince: null, deactivation: null });
  });
}
