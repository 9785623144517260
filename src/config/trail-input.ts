import * as z from "zod/mini";
import { Region } from "./profile-input.ts";

/** Names that stand in a query are no more than words. Source: Athena User Guide, names for tables, databases and columns. */
const Word = z.string().check(z.regex(/^[a-z_][a-z0-9_]{0,254}$/i, "a name of letters, digits and underscores"));
/** Source: CloudWatch Logs API, CreateLogGroup (logGroupName). */
const LogGroup = z.string().check(z.regex(/^[\w./#-]{1,512}$/, "the name of the log group that the trail delivers to"));
/** Source: Athena API, StartQueryExecution (WorkGroup). */
const Workgroup = z.string().check(z.regex(/^[\w.-]{1,128}$/, "the name of a workgroup"));
/** The partition by the day, spelled as "2027/03/14": without it each query would read every year. */
const Table = { database: Word, table: Word, dayPartition: Word, workgroup: Workgroup };

/** An existing trail of CloudTrail's, and how it is asked. The workgroup says where Athena leaves its results. */
export const TrailInput = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("logs-insights"), logGroup: LogGroup, region: Region }),
  z.strictObject({ kind: z.literal("athena"), ...Table, region: Region }),
]);
