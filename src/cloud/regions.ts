import { paginateListRegions, type RegionOptStatus } from "@aws-sdk/client-account";
import { RotationError } from "../rotation/errors.ts";
import type { Clients } from "./clients.ts";
import { readPages } from "./pages.ts";

/** Every Region that is enabled for the account, opt-in Regions included. */
export type EnabledRegions = () => Promise<readonly string[]>;

/** The account's Regions: any of them may hold CloudTrail events of a key. Asked once; a failed question is asked again. */
export function createEnabledRegions({ account }: Clients): EnabledRegions {
  const doing = "listing the enabled Regions (account:ListRegions)";
  const list: EnabledRegions = async () => {
    const input = { RegionOptStatusContains: ["ENABLED", "ENABLED_BY_DEFAULT"] satisfies RegionOptStatus[] };
    const pages = await readPages(doing, paginateListRegions({ client: account, pageSize: 50 }, input));
    const names = pages.flatMap(({ Regions = [] }) => Regions).flatMap(({ RegionName }) => RegionName ?? []);
    if (names.length > 0) return names.toSorted();
    throw new RotationError("Unreachable", `${doing}, the answer names none`);
  };
  let known: Promise<readonly string[]> | null = null;
  return () =>
    (known ??= list().catch((thrown: unknown) => {
      known = null;
      throw thrown;
    }));
}
