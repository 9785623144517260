import { GetAccessKeyLastUsedCommand } from "@aws-sdk/client-iam";
import type { AccessKeyId } from "../rotation/keys.ts";
import { instant } from "../rotation/time.ts";
import type { Instant } from "../rotation/time.ts";
import type { Clients } from "./clients.ts";
import { asking } from "./translate-error.ts";

/** What IAM knows of a key's latest use. */
export interface LastUsed {
  /** The key's owner, whom no other call can tell from the id alone. */
  readonly userName: string | null;
  /** Null when IAM names no date: never used, or not since tracking began on 2015-04-22. */
  readonly at: Instant | null;
  readonly service: string;
  /** Null where IAM says "N/A", as it does for services that it treats as non-regional. */
  readonly region: string | null;
}

/** Asks IAM when a key was last used. */
export async function readLastUsed({ iam }: Clients, id: AccessKeyId): Promise<LastUsed> {
  const command = new GetAccessKeyLastUsedCommand({ AccessKeyId: id });
  const answer = await asking(`asking when ${id} was last used`, iam.send(command));
  const { LastUsedDate, ServiceName, Region } = answer.AccessKeyLastUsed ?? {};
  return {
    userName: answer.UserName ?? null,
    at: LastUsedDate === undefined ? null : instant(LastUsedDate.getTime()),
    service: ServiceName ?? "N/A",
    region: Region === undefined || Region === "N/A" ? null : Region,
  };
}
