import { ListRegionsCommand } from "@aws-sdk/client-account";
import { RotationError } from "../rotation/errors.ts";
import type { Clients } from "./clients.ts";
import { readPages } from "./pages.ts";

export interface Regions {
  /** Every Region that is enabled for the account, opt-in Regions included. Asked once a run; a failure is asked again. */
  enabled(): Promise<readonly string[]>;
}

/** The account's Regions, from the Account service: any of them may hold CloudTrail events of a key. */
export function createRegions(clients: Clients): Regions {
  let known: Promise<readonly string[]> | null = null;
  return {
    async enabled() {
      known ??= listEnabled(clients);
      try {
        return await known;
      } catch (thrown) {
        known = null;
        throw thrown;
      }
    },
  };
}

async function listEnabled({ account }: Clients): Promise<readonly string[]> {
  const doing = "listing the enabled Regions";
  const regions = await readPages(doing, async (NextToken) => {
    const answer = await account.send(
      new ListRegionsCommand({
        RegionOptStatusContains: ["ENABLED", "ENABLED_BY_DEFAULT"],
        MaxResults: 50,
        NextToken,
      }),
    );
    return { items: answer.Regions, next: answer.NextToken };
  });
  const names = regions.flatMap(({ RegionName }) => RegionName ?? []);
  if (names.length > 0) return names.toSorted();
  throw new RotationError("Unreachable", `${doing}, the answer names none`);
}
