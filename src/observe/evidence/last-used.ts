import type { Clients } from "../../cloud/clients.ts";
import { readLastUsed } from "../../cloud/last-used.ts";
import { asRotationError } from "../../rotation/errors.ts";
import type { AccessKeyId, UserName } from "../../rotation/keys.ts";
import type { Use } from "../../rotation/observation.ts";
import { LAST_USED_LAG_MS } from "../../rotation/policy.ts";
import { instant, plus } from "../../rotation/time.ts";
import type { Clock } from "../../rotation/world.ts";

/** IAM has tracked the use of keys since this day; a key without a date was not used since. */
const TRACKED_SINCE = instant(Date.UTC(2015, 3, 22));

/**
 * The latest use that IAM knows of: every signed request of every service counts, up to four hours late. The only
 * source that may approve. A Region is never tested on: it is "N/A" for whole services.
 */
export async function askLastUsed(
  clients: Clients,
  clock: Clock,
  { keyId, user }: { readonly keyId: AccessKeyId; readonly user: UserName },
): Promise<Use> {
  try {
    const { owner, latest } = await readLastUsed(clients, keyId);
    const because = `asking when ${keyId} was last used, IAM says that it belongs to ${owner ?? "nobody"}`;
    if (owner !== null && owner !== user) return { verdict: "unknown", because };
    if (latest !== null) return { verdict: "used", latest };
    return { verdict: "unused", from: TRACKED_SINCE, to: plus(clock.now(), -LAST_USED_LAG_MS) };
  } catch (thrown) {
    return { verdict: "unknown", because: asRotationError(thrown, "asking IAM").message };
  }
}
