import { GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { AttributeValue, DynamoDBClient, PutItemCommandInput } from "@aws-sdk/client-dynamodb";
import type { Journal, Random, Revision } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import {
  HISTORY,
  NO_REVISION,
  SWEEP_KEY,
  conditionOf,
  formatHistory,
  formatRevision,
  parseHistory,
  parseRevision,
  parseSweepState,
  recordKey,
} from "./journal-items.ts";
import type { Item } from "./journal-items.ts";
import { readPages } from "./pages.ts";
import { asking } from "./translate-error.ts";

interface JournalOptions {
  readonly tableName: string;
  readonly random: Random;
}

/** The journal in one DynamoDB table with the string keys `pk` and `sk`. */
export function createJournal(clients: Clients, options: JournalOptions): Journal {
  const table = openTable(clients.dynamodb, options.tableName);
  return {
    async read(user) {
      const item = await table.get(recordKey(user), `reading the journal of ${user}`);
      return item === null ? NO_REVISION : parseRevision(item, user);
    },
    async write(revision, { record, lease, now }) {
      const { user } = record;
      const next: Revision = { record, lease, number: revision.number + 1 };
      const put = { Item: formatRevision(next, user), ...conditionOf(revision, lease, now) };
      await table.put(put, `writing the journal of ${user}`);
      return next;
    },
    append: (entry) =>
      table.put({ Item: formatHistory(entry, options.random.token()) }, `writing the history of ${entry.user}`),
    async history(user) {
      const items = await table.below(recordKey(user).pk, HISTORY, `reading the history of ${user}`);
      return items.map((item) => parseHistory(item, user));
    },
    async sweepState() {
      const item = await table.get(SWEEP_KEY, "reading the state of the sweeps");
      return item === null ? { runningSince: null, left: [] } : parseSweepState(item);
    },
    setRunning: (since) => table.set(SWEEP_KEY, "runningSince", since === null ? null : { N: String(since) }),
    setLeft: (users) => table.set(SWEEP_KEY, "left", { L: users.map((user) => ({ S: user })) }),
  };
}

interface Table {
  get(key: Item, doing: string): Promise<Item | null>;
  put(put: Omit<PutItemCommandInput, "TableName">, doing: string): Promise<void>;
  /** All items of a partition whose sort key begins so, all pages, in the order of that key. */
  below(pk: AttributeValue, prefix: string, doing: string): Promise<readonly Item[]>;
  /** Sets one attribute of an item, or with null takes it away, and makes the item if there is none. */
  set(key: Item, attribute: string, value: AttributeValue | null): Promise<void>;
}

function openTable(dynamodb: DynamoDBClient, tableName: string): Table {
  const table = { TableName: tableName };
  return {
    async get(key, doing) {
      const command = new GetItemCommand({ ...table, Key: key, ConsistentRead: true });
      return (await asking(doing, dynamodb.send(command))).Item ?? null;
    },
    async put(put, doing) {
      await asking(doing, dynamodb.send(new PutItemCommand({ ...table, ...put })));
    },
    below: (pk, prefix, doing) =>
      readPages<Item, Item>(doing, async (start) => {
        const command = new QueryCommand({
          ...table,
          ConsistentRead: true,
          KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
          ExpressionAttributeValues: { ":pk": pk, ":prefix": { S: prefix } },
          ExclusiveStartKey: start,
        });
        const answer = await dynamodb.send(command);
        return { items: answer.Items, next: answer.LastEvaluatedKey };
      }),
    async set(key, attribute, value) {
      const command = new UpdateItemCommand({
        ...table,
        Key: key,
        UpdateExpression: value === null ? "SET #v = :v REMOVE #attribute" : "SET #v = :v, #attribute = :value",
        ExpressionAttributeNames: { "#v": "v", "#attribute": attribute },
        ExpressionAttributeValues: {
          ":v": { N: "1" },
          ...(value === null ? {} : { ":value": value }),
        },
      });
      await asking(`writing the journal's ${attribute}`, dynamodb.send(command));
    },
  };
}
