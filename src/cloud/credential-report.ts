import { GenerateCredentialReportCommand, GetCredentialReportCommand, type IAMClient } from "@aws-sdk/client-iam";
import { RotationError } from "../rotation/errors.ts";
import { userName } from "../rotation/keys.ts";
import { instant, seconds } from "../rotation/time.ts";
import type { Clock, KeyReport, ReportedKey } from "../rotation/world.ts";
import { asking, foreignName, translateError } from "./translate-error.ts";

const TRIES_MAX = 10;
const ASKED_EVERY_MS = seconds(2);
/** The SDK's names of ReportNotPresent, ReportInProgress and ReportExpired. Source: IAM API, GetCredentialReport. */
const NO_REPORT = ["CredentialReportNotPresent", "CredentialReportNotReady", "CredentialReportExpired"];
const ROOT = "<root_account>";

/** The keys of every user by IAM's credential report: of up to four hours ago, and null while there is none. */
export async function readKeyReport(iam: IAMClient, clock: Pick<Clock, "sleep">): Promise<KeyReport | null> {
  const doing = "reading the credential report";
  if (!(await isGenerated(iam, clock))) return null;
  try {
    const { Content } = await iam.send(new GetCredentialReportCommand({}));
    return parseReport(new TextDecoder().decode(Content), doing);
  } catch (thrown) {
    if (NO_REPORT.includes(foreignName(thrown))) return null;
    throw translateError(thrown, doing);
  }
}

/** Whether there is a report now. One that is younger than four hours is taken for good by IAM itself. */
async function isGenerated(iam: IAMClient, clock: Pick<Clock, "sleep">): Promise<boolean> {
  for (let tried = 1; ; tried += 1) {
    const command = new GenerateCredentialReportCommand({});
    const { State } = await asking("having the credential report made", iam.send(command));
    if (State === "COMPLETE") return true;
    if (tried === TRIES_MAX) return false;
    await clock.sleep(ASKED_EVERY_MS);
  }
}

function parseReport(csv: string, doing: string): KeyReport {
  const [header = [], ...rows] = parseCsv(csv);
  const at = (name: string): number => {
    const index = header.indexOf(name);
    if (index >= 0) return index;
    throw new RotationError("Unreachable", `${doing}, it has no column ${name}`);
  };
  const user = at("user");
  const columns = ["1", "2"].map((key) => [at(`access_key_${key}_active`), at(`access_key_${key}_last_rotated`)]);
  if (rows.some((row) => row.length !== header.length)) {
    throw new RotationError("Unreachable", `${doing}, a line of it is not whole`);
  }
  const keysOf = (row: readonly string[]): readonly ReportedKey[] =>
    columns.flatMap(([active = 0, changed = 0]) => {
      // "N/A" where there is no such key.
      const changedAtMs = Date.parse(row[changed] ?? "");
      return Number.isNaN(changedAtMs) ? [] : { isActive: row[active] === "true", changedAt: instant(changedAtMs) };
    });
  return new Map(rows.filter((row) => row[user] !== ROOT).map((row) => [userName(row[user] ?? ""), keysOf(row)]));
}

/** A field, quoted or not, and what ends it. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g;

/** Lines of fields, without the empty ones. */
function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end] of text.matchAll(FIELD)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.join("") !== "");
}
