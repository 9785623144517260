import { ServiceError } from "./call.ts";
import type { CloudAnswer } from "./call.ts";
import { secondsDate } from "./caller.ts";
import type { Operations } from "./caller.ts";
import type { SimulatedClock } from "./clock.ts";
import type { SimulatedKey, SimulatedUser } from "./iam-state.ts";

/** What the report is made of. */
interface Reported {
  readonly users: ReadonlyMap<string, SimulatedUser>;
  readonly keys: ReadonlyMap<string, SimulatedKey>;
}

interface Report {
  readonly content: Buffer;
  /** From when on it can be had. */
  readonly readyAtMs: number;
}

/** A report this young is given out again, whatever has changed since (IAM User Guide, credential reports). */
const KEPT_FOR_MS = 4 * 3_600_000;

const KEY_COLUMNS = ["active", "last_rotated", "last_used_date", "last_used_region", "last_used_service"];
const USER_COLUMNS = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed";
const COLUMNS = [
  `${USER_COLUMNS},password_next_rotation,mfa_active`.split(","),
  ["1", "2"].flatMap((key) => KEY_COLUMNS.map((column) => `access_key_${key}_${column}`)),
  ["cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated"],
].flat();

/** IAM's credential report: one CSV of all users, made when asked for, and at most every four hours. */
export class CredentialReports {
  /** How long the making of a report takes. With 0 it is there at once. */
  takesMs = 1_500;
  readonly operations: Operations;
  readonly #iam: Reported;
  #report: Report | null = null;

  constructor(iam: Reported, account: string, clock: SimulatedClock) {
    this.#iam = iam;
    this.operations = {
      GenerateCredentialReport: () => this.#generate(account, clock.now()),
      GetCredentialReport: () => this.#get(clock.now()),
    };
  }

  #generate(account: string, nowMs: number): CloudAnswer {
    const report = this.#report;
    if (report !== null && nowMs < report.readyAtMs) return { State: "INPROGRESS" };
    if (report !== null && nowMs < report.readyAtMs + KEPT_FOR_MS) return { State: "COMPLETE" };
    this.#report = { content: Buffer.from(this.#csv(account, nowMs)), readyAtMs: nowMs + this.takesMs };
    if (this.takesMs === 0) return { State: "COMPLETE" };
    return { State: "STARTED", Description: "No report exists. Starting a new report generation task" };
  }

  #get(nowMs: number): CloudAnswer {
    const report = this.#report;
    if (report === null) throw new ServiceError("ReportNotPresent", "There is no report.", 410);
    if (nowMs < report.readyAtMs) throw new ServiceError("ReportInProgress", "The report is being made.", 404);
    if (nowMs >= report.readyAtMs + KEPT_FOR_MS) throw new ServiceError("ReportExpired", "The report is too old.", 410);
    return {
      Content: report.content,
      ReportFormat: "text/csv",
      GeneratedTime: secondsDate(report.readyAtMs),
    };
  }

  #csv(account: string, nowMs: number): string {
    const root = [`arn:aws:iam::${account}:root`, written(0), "not_supported", written(nowMs), "not_supported"];
    const noKeys = [null, null].flatMap(keyFields);
    const certificates = ["false", "N/A", "false", "N/A"];
    const there = [...this.#iam.keys.values()].filter(({ isDeleted }) => !isDeleted);
    const ofUser = Map.groupBy(there, ({ caller }) => caller.uniqueId);
    const rows = [...this.#iam.users.values()].map(({ id, name, arn, createdAtMs }) => {
      const [first = null, second = null] = ofUser.get(id) ?? [];
      const password = ["false", "N/A", "N/A", "N/A", "false"];
      return [name, arn, written(createdAtMs), ...password, ...[first, second].flatMap(keyFields), ...certificates];
    });
    const all = [COLUMNS, ["<root_account>", ...root, "not_supported", "true", ...noKeys, ...certificates], ...rows];
    return all.map((row) => row.map(field).join(",")).join("\n");
  }
}

const written = (atMs: number): string => secondsDate(atMs).toISOString().replace(".000Z", "+00:00");

const field = (value: string): string => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

/** "N/A" where there is no key; `last_rotated` is when it was made, or its status last changed. */
function keyFields(key: SimulatedKey | null): string[] {
  if (key === null) return ["false", "N/A", "N/A", "N/A", "N/A"];
  return [String(key.status === "Active"), written(key.changedAtMs), "N/A", "N/A", "N/A"];
}
