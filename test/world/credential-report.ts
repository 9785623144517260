import { ServiceError } from "./call.ts";
import type { CloudAnswer } from "./call.ts";
import { secondsDate } from "./caller.ts";
import type { Operations } from "./caller.ts";
import type { SimulatedClock } from "./clock.ts";
import type { SimulatedKey, SimulatedUser } from "./iam-state.ts";

/** What the report is made of. */
interface Reported {
  readonly users: ReadonlyMap<string, SimulatedUser>;
  keysOf(userName: string): readonly SimulatedKey[];
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
  readonly #head: string;
  #report: Report | null = null;
  #text = "";
  #bytes: Buffer = Buffer.from("");
  readonly #rows = new WeakMap<SimulatedUser, { readonly state: string; readonly row: string }>();

  constructor(iam: Reported, account: string, clock: SimulatedClock) {
    this.#iam = iam;
    this.#head = headOf(account);
    this.operations = {
      GenerateCredentialReport: () => this.#generate(clock.now()),
      GetCredentialReport: () => this.#get(clock.now()),
    };
  }

  #generate(nowMs: number): CloudAnswer {
    const report = this.#report;
    if (report !== null && nowMs < report.readyAtMs) return { State: "INPROGRESS" };
    if (report !== null && nowMs < report.readyAtMs + KEPT_FOR_MS) return { State: "COMPLETE" };
    this.#report = { content: this.#content(), readyAtMs: nowMs + this.takesMs };
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

  /** The very same text where nothing has changed. */
  #content(): Buffer {
    const text = this.#csv();
    if (text !== this.#text) [this.#text, this.#bytes] = [text, Buffer.from(text)];
    return this.#bytes;
  }

  #csv(): string {
    const rows = [...this.#iam.users.values()].map((user) => this.#row(user, this.#iam.keysOf(user.name)));
    return [this.#head, ...rows].join("\n");
  }

  /** One line a user, written again when its keys have changed. */
  #row(user: SimulatedUser, keys: readonly SimulatedKey[]): string {
    const state = keys.map(({ id, status, changedAtMs }) => `${id} ${status} ${String(changedAtMs)}`).join(", ");
    const known = this.#rows.get(user);
    if (known?.state === state) return known.row;
    const [first = null, second = null] = keys;
    const whole = [user.name, user.arn, written(user.createdAtMs), "false", "N/A", "N/A", "N/A", "false"];
    const row = line([...whole, ...keyFields(first), ...keyFields(second), ...CERTIFICATES]);
    this.#rows.set(user, { state, row });
    return row;
  }
}

const CERTIFICATES = ["false", "N/A", "false", "N/A"];

const line = (row: readonly string[]): string => row.map(field).join(",");

const written = (atMs: number): string => secondsDate(atMs).toISOString().replace(".000Z", "+00:00");

const field = (value: string): string => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

/** The names of the columns, and the root user's line. */
function headOf(account: string): string {
  const root = [`arn:aws:iam::${account}:root`, written(0), "not_supported", "no_information", "not_supported"];
  const first = ["<root_account>", ...root, "not_supported", "true", ...keyFields(null), ...keyFields(null)];
  return [line(COLUMNS), line([...first, ...CERTIFICATES])].join("\n");
}

/** "N/A" where there is no key; `last_rotated` is when it was made, or its status last changed. */
function keyFields(key: SimulatedKey | null): string[] {
  if (key === null) return ["false", "N/A", "N/A", "N/A", "N/A"];
  return [String(key.status === "Active"), written(key.changedAtMs), "N/A", "N/A", "N/A"];
}
