import { GetAccessKeyLastUsedCommand } from "@aws-sdk/client-iam";
import type { AccessKeyId } from "../rotation/keys.ts";
import type { Sighting } from "../rotation/observation.ts";
import { instant } from "../rotation/time.ts";
import type { Clients } from "./clients.ts";
import { asking } from "./translate-error.ts";

/** `latest` is null when IAM names no date; its Region is null where IAM says "N/A". `owner` is the key's user. */
export async function readLastUsed(
  { iam }: Clients,
  id: AccessKeyId,
): Promise<{ readonly owner: string | null; readonly latest: Sighting | null }> {
  const command = new GetAccessKeyLastUsedCommand({ AccessKeyId: id });
  const answer = await asking(`asking iam:GetAccessKeyLastUsed of ${id}`, iam.send(command));
  const owner = answer.UserName ?? null;
  const { LastUsedDate, ServiceName: service = "N/A", Region = "N/A" } = answer.AccessKeyLastUsed ?? {};
  if (LastUsedDate === undefined) return { owner, latest: null };
  const region = Region === "N/A" ? null : Region;
  return { owner, latest: { at: instant(LastUsedDate.getTime()), service, region, detail: null } };
}
