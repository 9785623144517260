import * as sdk from "@aws-sdk/client-dynamodb";
import { RotationError } from "../rotation/errors.ts";
import type { UserName } from "../rotation/keys.ts";
import type { Journal, Random, Revision } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import * as items from "./journal-items.ts";
import { readPages } from "./pages.ts";
import { retryThrottled, type Waiting } from "./retry.ts";
import { asking } from "./translate-error.ts";

/** The most that BatchGetItem takes. Source: DynamoDB API, BatchGetItem. */
const BATCH_KEYS_MAX = 100;
const BATCHES_AT_ONCE = 5;

interface JournalOptions extends Waiting {
  readonly tableName: string;
  readonly random: Random;
}

/** The journal in one DynamoDB table with the string keys `pk` and `sk`. */
export function createJournal({ dynamodb }: Clients, options: JournalOptions): Journal {
  const { tableName: TableName, random } = options;
  const table = { TableName, ConsistentRead: true };
  const get = async (Key: items.Item, doing: string): Promise<items.Item | undefined> =>
    (await asking(doing, dynamodb.send(new sdk.GetItemCommand({ ...table, Key })))).Item;
  const remember: Remember = async (attributes, doing, condition) => {
    const update = items.settingOf(attributes, condition);
    await asking(doing, dynamodb.send(new sdk.UpdateItemCommand({ TableName, Key: items.SWEEP_KEY, ...update })));
  };
  return {
    async read(user) {
      return items.parseRevision(await get(items.recordKey(user), `reading the journal of ${user}`), user);
    },
    async readMany(users) {
      const found = new Map<string, items.Item>();
      const keys = [...new Set(users)].map(items.recordKey);
      const readItems = async (batch: readonly items.Item[]): Promise<void> => {
        for (const item of await readBatch(dynamodb, options, batch)) found.set(item["pk"]?.S ?? "", item);
      };
      await inBatches(keys, readItems);
      return new Map(users.flatMap((user) => readable(found.get(items.recordKey(user).pk.S), user)));
    },
    async write(revision, { record, lease, now, history }) {
      const { user } = record;
      const doing = `writing the journal of ${user}`;
      const next: Revision = { record, lease, number: revision.number + 1 };
      const Item = items.formatRevision(next, user);
      const Put = { TableName, Item, ...items.conditionOf(revision, lease, now) };
      const lines = history.map((entry) => ({
        Put: { TableName, Item: items.formatHistory(entry, random.token()) },
      }));
      // The SDK gives a transaction its token, so that its own repetition after a lost answer is no second write.
      const transaction = { TransactItems: [{ Put }, ...lines] };
      if (lines.length === 0) await asking(doing, dynamodb.send(new sdk.PutItemCommand(Put)));
      else await asking(doing, dynamodb.send(new sdk.TransactWriteItemsCommand(transaction)));
      return next;
    },
    async history(user) {
      const input = {
        ...table,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues: { ":pk": items.recordKey(user).pk, ":prefix": { S: items.HISTORY } },
      };
      const pages = await readPages(`reading the history of ${user}`, sdk.paginateQuery({ client: dynamodb }, input));
      return pages.flatMap(({ Items = [] }) => Items).map((item) => items.parseHistory(item, user));
    },
    async sweepState() {
      return items.parseSweepState(await get(items.SWEEP_KEY, "reading the state of the sweeps"));
    },
    ...pausing(remember),
    setMemory: (memory, { read, now }) =>
      remember(items.formatMemory(memory, now), "writing what the next sweep is to know", items.whereCalled(read)),
  };
}

/** Sets attributes of the sweeps' item, and makes the item if there is none. */
type Remember = (attributes: items.Item, doing: string, condition?: items.Condition) => Promise<void>;

function pausing(remember: Remember) {
  const nothing = { NULL: true as const };
  const pausingOr = "pausing or resuming the sweeps";
  return {
    setRunning: (since) => remember({ runningSince: items.formatInstant(since), pause: nothing }, pausingOr),
    setPause: (pause) => remember({ runningSince: nothing, ...items.formatPause(pause) }, pausingOr),
    notePause: (pause) => remember(items.formatPause(pause), "writing down a pause"),
  } satisfies Partial<Journal>;
}

async function inBatches(keys: readonly items.Item[], read: (batch: readonly items.Item[]) => Promise<void>) {
  const starts = Array.from({ length: Math.ceil(keys.length / BATCH_KEYS_MAX) }, (_, index) => index * BATCH_KEYS_MAX);
  const rest = starts.values();
  const work = async (): Promise<void> => {
    for (const start of rest) await read(keys.slice(start, start + BATCH_KEYS_MAX));
  };
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, work));
}

/** What DynamoDB leaves unprocessed is asked again, a few times; then it is `Throttled`. */
async function readBatch(
  dynamodb: sdk.DynamoDBClient,
  { tableName, ...waiting }: JournalOptions,
  keys: readonly items.Item[],
): Promise<readonly items.Item[]> {
  const doing = "reading the journal of many users";
  const found: items.Item[] = [];
  let Keys = [...keys];
  await retryThrottled(waiting, async () => {
    const command = new sdk.BatchGetItemCommand({ RequestItems: { [tableName]: { Keys, ConsistentRead: true } } });
    const { Responses, UnprocessedKeys } = await asking(doing, dynamodb.send(command));
    found.push(...(Responses?.[tableName] ?? []));
    Keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
    if (Keys.length > 0) throw new RotationError("Throttled", `${doing}, ${String(Keys.length)} were left unprocessed`);
  });
  return found;
}

/** Nothing where there is a record that cannot be understood: whoever reads it by itself meets the error. */
function readable(item: items.Item | undefined, user: UserName): readonly (readonly [UserName, Revision])[] {
  try {
    return [[user, items.parseRevision(item, user)]];
  } catch (thrown) {
    if (thrown instanceof RotationError && thrown.code === "Misconfigured") return [];
    throw thrown;
  }
}
