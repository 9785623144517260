import * as z from "zod";
import { Region } from "./profile-input.ts";

/** Names that stand in a query are no more than words. Source: Athena User Guide, names for tables, databases and columns. */
const Word = z.string().regex(/^[a-z_][a-z0-9_]{0,254}$/i, "a name of letters, digits and underscores");

/** An existing trail of CloudTrail's, and how it is asked. */
export const TrailInput = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("logs-insights"),
    /** Source: CloudWatch Logs API, CreateLogGroup (logGroupName). */
    logGroup: z.string().regex(/^[\w./#-]{1,512}$/, "the name of the log group that the trail delivers to"),
    region: Region,
  }),
  z.strictObject({
    kind: z.literal("athena"),
    database: Word,
    table: Word,
    /** The table's partition by the day, spelled as "2027/03/14": without it each query would read every year. */
    dayPartition: Word,
    /** Source: Athena API, StartQueryExecution (WorkGroup). */
    workgroup: z.string().regex(/^[\w.-]{1,128}$/, "the name of a workgroup"),
    /** Where results go, if the workgroup does not say. */
    outputLocation: z
      .string()
      .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/\S*$/, 'a place in S3, such as "s3://bucket/prefix/"')
      .optional(),
    region: Region,
  }),
]);
