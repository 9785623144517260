import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import { userName, type UserName } from "../rotation/keys.ts";
import type { UserRecord } from "../rotation/record.ts";
import { instant, type Instant } from "../rotation/time.ts";
import type {
  HistoryEntry,
  Lease,
  Pause,
  Revision,
  ServiceMemory,
  SweepMemory,
  SweepState,
} from "../rotation/world.ts";
import { readJson } from "./read-json.ts";

/** An item of the journal's table, as DynamoDB spells it. */
export type Item = Record<string, AttributeValue>;

export const SWEEP_KEY = { pk: { S: "keyturn" }, sk: { S: "sweep" } };
export const HISTORY = "history#";
/** Digits of an instant in a history item's sort key, so that text sorts as time does. */
const INSTANT_DIGITS = 15;

const int = (value: number) => ({ N: String(value) });
export const recordKey = (user: UserName) => ({ pk: { S: `user#${user}` }, sk: { S: "record" } });

/** The record's item. The record is one JSON text: DynamoDB's own types would need a second spelling of every field. */
export function formatRevision({ record, number, lease }: Revision, user: UserName): Item {
  return {
    ...recordKey(user),
    v: { N: "1" },
    revision: int(number),
    record: { S: JSON.stringify(record) },
    ...(lease === null ? {} : { lease: { M: { holder: { S: lease.holder }, until: int(lease.until) } } }),
  };
}

/** Throws `Misconfigured`, naming the item, for an unknown version and for what is not a record of this user. */
export function parseRevision(item: Item | undefined, user: UserName): Revision {
  if (item === undefined) return { record: null, number: 0, lease: null };
  const name = `user#${user}/record`;
  checkVersion(item, name);
  const number = Number(item["revision"]?.N);
  const record = readJson(RecordShape, item["record"]?.S);
  if (!Number.isInteger(number) || record?.user !== user) throw unreadable(name);
  return { record: record as unknown as UserRecord, number, lease: parseLease(item["lease"], user, name) };
}

function parseLease(attribute: AttributeValue | undefined, user: UserName, name: string): Lease | null {
  if (attribute === undefined) return null;
  const holder = attribute.M?.["holder"]?.S;
  const until = Number(attribute.M?.["until"]?.N);
  if (holder === undefined || Number.isNaN(until)) throw unreadable(name);
  return { user, holder, until: instant(until) };
}

/** The condition under which a write goes through: the item is as it was read, and nobody else's lease runs. */
export function conditionOf(revision: Revision, lease: Lease | null, now: Instant) {
  if (revision.number === 0) return { ConditionExpression: "attribute_not_exists(pk)" };
  // Without a lease of its own a write gives back the one that was read.
  const holder = lease?.holder ?? revision.lease?.holder ?? "";
  return {
    ConditionExpression:
      "#revision = :revision AND (attribute_not_exists(#lease) OR #lease.#holder = :holder OR #lease.#until <= :now)",
    ExpressionAttributeNames: { "#revision": "revision", "#lease": "lease", "#holder": "holder", "#until": "until" },
    ExpressionAttributeValues: { ":revision": int(revision.number), ":holder": { S: holder }, ":now": int(now) },
  };
}

/** The item of a history entry. The token tells apart two entries of one instant. */
export function formatHistory(entry: HistoryEntry, token: string): Item {
  const sk = { S: `${HISTORY}${String(entry.at).padStart(INSTANT_DIGITS, "0")}#${token}` };
  return { ...recordKey(entry.user), sk, v: { N: "1" }, entry: { S: JSON.stringify(entry) } };
}

/** Throws `Misconfigured`, naming the item, for what is no entry. */
export function parseHistory(item: Item, user: UserName): HistoryEntry {
  const name = `user#${user}/${item["sk"]?.S ?? ""}`;
  checkVersion(item, name);
  const entry = readJson(EntryShape, item["entry"]?.S);
  if (entry === null) throw unreadable(name);
  return entry as unknown as HistoryEntry;
}

/** An instant that may not be known. */
export const formatInstant = (at: Instant | null): AttributeValue => (at === null ? { NULL: true } : int(at));
const parseInstant = (attribute: AttributeValue | undefined): Instant | null =>
  attribute?.N === undefined ? null : instant(Number(attribute.N));

const formatUsers = (users: readonly UserName[]): AttributeValue => ({ L: users.map((user) => ({ S: user })) });
const parseUsers = (attribute: AttributeValue | undefined): readonly UserName[] | null =>
  attribute?.L?.map(({ S = "" }) => userName(S)) ?? null;

/** The attributes of what a sweep leaves to the next. */
export function formatMemory({ left, awake, custodyListedAt, told }: SweepMemory, calls: number): Item {
  return {
    calls: int(calls),
    ...(told === undefined ? {} : { told: { S: JSON.stringify(told) } }),
    left: formatUsers(left),
    awake: awake === null ? { NULL: true } : formatUsers(awake),
    custodyListedAt: formatInstant(custodyListedAt),
  };
}

/** What must hold of an item that is changed, by the names of what is set. */
export interface Condition {
  readonly expression: string;
  readonly values: Item;
}

/** That nobody has called the next sweep since that was read. */
export const whereCalled = (calls: number): Condition => ({
  expression: "attribute_not_exists(#calls) OR #calls = :known",
  values: { ":known": int(calls) },
});

/** Sets these attributes, each under its own name. */
export function settingOf(attributes: Item, condition?: Condition) {
  const set = Object.entries({ v: { N: "1" }, ...attributes });
  return {
    UpdateExpression: `SET ${set.map(([name]) => `#${name} = :${name}`).join(", ")}`,
    ConditionExpression: condition?.expression,
    ExpressionAttributeNames: Object.fromEntries(set.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: {
      ...condition?.values,
      ...Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
    },
  };
}

/** The attribute that says why sweeps do not act. */
export const formatPause = (pause: Pause): Item => ({ pause: { S: JSON.stringify(pause) } });

/** Throws `Misconfigured` for an unknown version. An item without a number `runningSince` is a pause; so is none. */
export function parseSweepState(item: Item | undefined): SweepState {
  if (item !== undefined) checkVersion(item, "keyturn/sweep");
  const runningSince = parseInstant(item?.["runningSince"]);
  // What is no such text was never told: it is said again.
  const told = readJson(ToldShape, item?.["told"]?.S) as ServiceMemory | null;
  return {
    ...(told === null ? {} : { told }),
    runningSince,
    pause: runningSince === null ? (readJson(PauseShape, item?.["pause"]?.S) as Pause | null) : null,
    left: parseUsers(item?.["left"]) ?? [],
    awake: parseUsers(item?.["awake"]),
    custodyListedAt: parseInstant(item?.["custodyListedAt"]),
    calls: Number(item?.["calls"]?.N ?? 0),
  };
}

const PauseShape = z.looseObject({
  since: z.number(),
  reason: z.nullable(z.string()),
  toldAt: z.nullable(z.number()),
});

/** What every reader relies on: whose record it is, and that each part is of its kind. */
const Part = z.looseObject({});
const RecordShape = z.looseObject({
  v: z.literal(1),
  user: z.string(),
  account: z.string(),
  userId: z.string(),
  since: z.number(),
  intent: z.nullable(z.looseObject({ at: z.number(), before: z.array(z.unknown()) })),
  orphans: Part,
  deliveries: z.array(Part),
  backOffs: z.array(Part),
  keys: z.record(z.string(), Part),
  notices: z.record(z.string(), Part),
  // Records of before there was rest do not have it.
  rest: z._default(z.nullable(z.looseObject({ until: z.number(), seal: z.string() })), null),
});
const ToldShape = z.looseObject({ notices: z.record(z.string(), Part), checkedAt: z.number(), digestAt: z.number() });
const EntryShape = z.looseObject({ at: z.number(), what: z.string() });

function checkVersion(item: Item, name: string): void {
  const version = item["v"]?.N;
  if (version === "1") return;
  const said = `reading the journal's item ${name}, its version is ${version ?? "missing"}, not 1`;
  throw new RotationError("Misconfigured", said);
}

const unreadable = (name: string): RotationError =>
  new RotationError("Misconfigured", `reading the journal's item ${name}, it cannot be understood`);
