import { AwsClient } from "aws4fetch";
import type { SigningPair } from "../../test/world/caller.ts";
import type { SystemName } from "../../test/world/five-systems.ts";
import { openBook } from "./calls.ts";
import type { CallBook } from "./calls.ts";
import { START_MS } from "./local-cloud.ts";
import type { LocalCloud } from "./local-cloud.ts";
import { actionsSecrets } from "./seeding.ts";
import { callOf } from "./signed-calls.ts";
import type { CallName } from "./signed-calls.ts";

/** When a consumer is at work: simulated days since the beginning, which was a Monday, and the hour of the day. */
interface Hour {
  readonly day: number;
  readonly hour: number;
}

interface ReaderPlan {
  readonly system: SystemName;
  readonly name: string;
  /** The name that it signs by, as its profile knows it. */
  readonly reader: string;
  readonly isAtWork: (at: Hour) => boolean;
  /** What it does with the pair that it holds. */
  readonly calls: readonly CallName[];
  /** It is a CI: GitHub gives each run the pair when it begins, and the run ends so many hours later with the same one. */
  readonly runsForHours?: number;
}

/** A laptop that fetches its pair from custody with the pair it holds, or a CI whose runs are given theirs by GitHub. */
export interface Reader {
  readonly book: CallBook;
  /** Whether it is at work in this hour of the run. */
  isAtWork(hours: number): boolean;
  /** Reads custody, keeps the pair it has while there is none to read, and does its work; or begins a run, or ends one. */
  work(): Promise<void>;
}

const isWeekday = (day: number): boolean => day % 7 < 5;
const HOUR_MS = 3_600_000;
const SHUT_UNTIL_DAY = 21;
const deploying = ["cloudformation", "logs", "s3"] as const;
const developing = ["sts", "logs", "dynamodb", "s3"] as const;

/** Everybody who pulls, and the CI that is given its pair, at their own rhythm. */
const PLANS: readonly ReaderPlan[] = [
  {
    system: "ai-math-tutor",
    name: "CI",
    reader: "ci",
    isAtWork: ({ day, hour }) => isWeekday(day) && [9, 11, 14, 17].includes(hour),
    calls: deploying,
    runsForHours: 3,
  },
  {
    system: "ai-math-tutor",
    name: "deploy laptop",
    reader: "laptop",
    isAtWork: ({ day, hour }) => day % 13 === 3 && hour === 15,
    calls: deploying,
  },
  {
    system: "flowid",
    name: "laptop A",
    reader: "laptop-a",
    isAtWork: ({ hour }) => hour === 9,
    calls: developing,
  },
  {
    system: "flowid",
    name: "laptop B",
    reader: "laptop-b",
    isAtWork: ({ day, hour }) => day >= SHUT_UNTIL_DAY && hour === 10,
    calls: developing,
  },
  {
    system: "flowid",
    name: "laptop C",
    reader: "laptop-c",
    isAtWork: ({ day, hour }) => isWeekday(day) && (hour === 8 || hour === 16),
    calls: developing,
  },
  {
    system: "flowid",
    name: "laptop D",
    reader: "laptop-d",
    isAtWork: ({ day, hour }) => day % 7 === 1 && hour === 13,
    calls: developing,
  },
  {
    system: "invoice-scanner",
    name: "command line",
    reader: "command-line",
    isAtWork: ({ day, hour }) => day % 4 === 2 && hour === 16,
    calls: ["s3", "textract"],
  },
  {
    system: "invoice-scanner",
    name: "nightly job",
    reader: "nightly-job",
    isAtWork: ({ hour }) => hour === 2,
    calls: ["s3", "textract", "dynamodb"],
  },
];

export const createReaders = (local: LocalCloud): Reader[] =>
  PLANS.map((plan) => (plan.runsForHours === undefined ? createReader(local, plan) : createCi(local, plan)));

function createReader(local: LocalCloud, { system, name, reader, isAtWork, calls }: ReaderPlan): Reader {
  const { user, firstPair } = local.systems[system];
  const book = openBook(system, name);
  let held = firstPair;
  return {
    book,
    isAtWork: (hours) => isAtWork(hourOf(hours)),
    async work() {
      const reading = { what: "secretsmanager", secretId: `keyturn/${user}`, reader } as const;
      const found = pairIn(await send(local, book, { ...reading, pair: held })) ?? held;
      const isNew = found.keyId !== held.keyId;
      held = found;
      // What it has stored it reads custody with once more, so that it is seen to have it.
      if (isNew) await send(local, book, { ...reading, pair: held });
      for (const what of calls) await send(local, book, { pair: held, what, reader });
    },
  };
}

/** A run that is under way, with what GitHub gave it. */
type Run = { readonly pair: SigningPair; readonly endsAt: number };

function createCi(local: LocalCloud, plan: ReaderPlan): Reader {
  const { system, name, reader, isAtWork, calls, runsForHours = 0 } = plan;
  const book = openBook(system, name);
  const place = actionsSecrets.find(({ profile }) => profile === system);
  let runs: readonly Run[] = [];
  const isBegun = (hours: number): boolean => isAtWork(hourOf(hours));
  return {
    book,
    isAtWork: (hours) => isBegun(hours) || isBegun(hours - runsForHours),
    async work() {
      const now = Math.floor((local.clock.now() - START_MS) / HOUR_MS);
      const given = place === undefined ? undefined : local.github.startRun(place.repository)[place.secret];
      const pair = pairOf(given ?? "{}");
      const begun = isBegun(now) && pair !== null ? [{ pair, endsAt: now + runsForHours }] : [];
      const ending = runs.filter(({ endsAt }) => endsAt <= now);
      runs = [...runs.filter(({ endsAt }) => endsAt > now), ...begun];
      for (const run of [...ending, ...begun]) {
        for (const what of calls) await send(local, book, { pair: run.pair, what, reader });
      }
    },
  };
}

const hourOf = (hours: number): Hour => ({ day: Math.floor(hours / 24), hour: hours % 24 });

interface Sent {
  readonly pair: SigningPair;
  readonly what: CallName;
  readonly secretId?: string;
  /** By whose name it is signed. */
  readonly reader: string;
}

/** Makes one call and enters it. Gives the answer; null for a refusal. */
async function send(
  local: LocalCloud,
  book: CallBook,
  { pair, what, secretId = "", reader }: Sent,
): Promise<string | null> {
  const { service, path, init } = callOf(what, secretId);
  const atMs = local.clock.now();
  const { keyId: accessKeyId, secret: secretAccessKey } = pair;
  const aws = new AwsClient({ accessKeyId, secretAccessKey, service, region: "us-east-1", retries: 0 });
  const headers = { ...init.headers, "user-agent": `aws4fetch app/keyturn-${reader}` };
  const answer = await ask(aws, local.wire.url + path, { ...init, headers });
  const isNothingYet = answer.code === "ResourceNotFoundException";
  book.enter({ atMs, key: accessKeyId.slice(-4), code: isNothingYet ? null : answer.code });
  return answer.code === null ? answer.body : null;
}

interface Answered {
  readonly code: string | null;
  readonly body: string;
}

async function ask(aws: AwsClient, url: string, init: RequestInit): Promise<Answered> {
  try {
    const response = await aws.fetch(url, init);
    const body = await response.text();
    return { code: response.ok ? null : errorCode(response, body), body };
  } catch {
    return { code: "NoAnswer", body: "" };
  }
}

/** AWS names an error in a header, in JSON or in XML. */
function errorCode(response: Response, body: string): string {
  const named =
    response.headers.get("x-amzn-errortype") ??
    /"__type":"([^"]+)"/.exec(body)?.[1] ??
    /<Code>([^<]+)</.exec(body)?.[1];
  return named ?? `HTTP ${String(response.status)}`;
}

/** Null where there is no secret, and on the marker, which holds no pair. */
function pairIn(body: string | null): SigningPair | null {
  if (body === null) return null;
  const { SecretString } = JSON.parse(body) as { readonly SecretString: string };
  return pairOf(SecretString);
}

function pairOf(text: string): SigningPair | null {
  const { AccessKeyId, SecretAccessKey } = JSON.parse(text) as Record<string, unknown>;
  if (typeof AccessKeyId !== "string" || typeof SecretAccessKey !== "string") return null;
  return { keyId: AccessKeyId, secret: SecretAccessKey };
}
