import { GetItemCommand, PutItemCommand, UpdateItemCommand, paginateQuery } from "@aws-sdk/client-dynamodb";
import type { AttributeValue, PutItemCommandInput } from "@aws-sdk/client-dynamodb";
import type { Journal, Random, Revision } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import * as items from "./journal-items.ts";
import { readPages } from "./pages.ts";
import { asking } from "./translate-error.ts";

/** The journal in one DynamoDB table with the string keys `pk` and `sk`. */
export function createJournal({ dynamodb }: Clients, tableName: string, random: Random): Journal {
  const table = { TableName: tableName, ConsistentRead: true };
  const get = async (Key: items.Item, doing: string): Promise<items.Item | undefined> =>
    (await asking(doing, dynamodb.send(new GetItemCommand({ ...table, Key })))).Item;
  const put = async (input: Omit<PutItemCommandInput, "TableName">, doing: string): Promise<void> => {
    await asking(doing, dynamodb.send(new PutItemCommand({ TableName: tableName, ...input })));
  };
  /** Sets one attribute of the sweeps' item, and makes the item if there is none. */
  const remember = async (attribute: string, value: AttributeValue): Promise<void> => {
    const command = new UpdateItemCommand({
      TableName: tableName,
      Key: items.SWEEP_KEY,
      UpdateExpression: "SET #v = :v, #attribute = :value",
      ExpressionAttributeNames: { "#v": "v", "#attribute": attribute },
      ExpressionAttributeValues: { ":v": { N: "1" }, ":value": value },
    });
    await asking(`writing the journal's ${attribute}`, dynamodb.send(command));
  };
  return {
    async read(user) {
      const item = await get(items.recordKey(user), `reading the journal of ${user}`);
      return item === undefined ? { record: null, number: 0, lease: null } : items.parseRevision(item, user);
    },
    async write(revision, { record, lease, now }) {
      const { user } = record;
      const next: Revision = { record, lease, number: revision.number + 1 };
      const Item = items.formatRevision(next, user);
      await put({ Item, ...items.conditionOf(revision, lease, now) }, `writing the journal of ${user}`);
      return next;
    },
    append: (entry) =>
      put({ Item: items.formatHistory(entry, random.token()) }, `writing the history of ${entry.user}`),
    async history(user) {
      const input = {
        ...table,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues: { ":pk": items.recordKey(user).pk, ":prefix": { S: items.HISTORY } },
      };
      const pages = await readPages(`reading the history of ${user}`, paginateQuery({ client: dynamodb }, input));
      return pages.flatMap(({ Items = [] }) => Items).map((item) => items.parseHistory(item, user));
    },
    async sweepState() {
      const item = await get(items.SWEEP_KEY, "reading the state of the sweeps");
      return item === undefined ? { runningSince: null, left: [] } : items.parseSweepState(item);
    },
    setRunning: (since) => remember("runningSince", since === null ? { NULL: true } : { N: String(since) }),
    setLeft: (users) => remember("left", { L: users.map((user) => ({ S: user })) }),
  };
}
