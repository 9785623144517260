import type { Operations } from "./caller.ts";
import { optionalNumber, optionalText, page, texts } from "./input.ts";

/** The Regions that an account has enabled without asking: the 17 that are never opt-in. */
export const DEFAULT_REGIONS = [
  "us-east-1",
  "us-east-2",
  "us-west-1",
  "us-west-2",
  "ap-south-1",
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-northeast-3",
  "ap-southeast-1",
  "ap-southeast-2",
  "ca-central-1",
  "eu-central-1",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "eu-north-1",
  "sa-east-1",
] as const;

/** Opt-in Regions, which stay disabled unless a cloud is made with them. */
const OPT_IN_REGIONS = ["af-south-1", "ap-east-1", "eu-south-1", "il-central-1", "me-south-1"];

const statusOf = (region: string, enabled: readonly string[]): string => {
  if (!enabled.includes(region)) return "DISABLED";
  return OPT_IN_REGIONS.includes(region) ? "ENABLED" : "ENABLED_BY_DEFAULT";
};

/** Account Management: ListRegions, paged, filtered by status. At most 50 a page (service model). */
export class Account {
  /** Regions on one page where the caller does not say; lower it to make pages. */
  pageSize = 20;
  readonly operations: Operations;

  constructor(enabled: readonly string[]) {
    this.operations = {
      ListRegions: ({ input }) => {
        const wanted = texts(input, "RegionOptStatusContains");
        const all = [...new Set([...enabled, ...OPT_IN_REGIONS])]
          .map((region) => ({ RegionName: region, RegionOptStatus: statusOf(region, enabled) }))
          .filter(({ RegionOptStatus }) => wanted.length === 0 || wanted.includes(RegionOptStatus));
        const size = Math.min(optionalNumber(input, "MaxResults") ?? 50, 50, this.pageSize);
        const [regions, next] = page(all, optionalText(input, "NextToken"), size);
        return { Regions: regions, ...(next === null ? {} : { NextToken: next }) };
      },
    };
  }
}
