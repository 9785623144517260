import { TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import type { TransactWriteItemsCommandOutput } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { minutes } from "../../src/rotation/time.ts";
import { setUpWire } from "./setup.ts";
import type { WireSetup } from "./setup.ts";

describe("a transaction of the simulated table", () => {
  let setup: WireSetup;
  beforeEach(async () => {
    setup = await setUpWire();
  });
  afterEach(async () => setup.close());

  const put = (sk: string, isNew = false) => ({
    Put: {
      TableName: setup.wire.tableName,
      Item: { pk: { S: "it" }, sk: { S: sk } },
      ...(isNew ? { ConditionExpression: "attribute_not_exists(pk)" } : {}),
    },
  });
  const transact = async (
    token: string,
    ...items: ReturnType<typeof put>[]
  ): Promise<TransactWriteItemsCommandOutput> =>
    setup.world.clients.dynamodb.send(
      new TransactWriteItemsCommand({ TransactItems: items, ClientRequestToken: token }),
    );

  test("says of each item, in its place, why it was cancelled", async () => {
    await transact("one", put("a", true));
    await expect(transact("two", put("b"), put("a", true), put("c"))).rejects.toMatchObject({
      name: "TransactionCanceledException",
      CancellationReasons: [{ Code: "None" }, { Code: "ConditionalCheckFailed" }, { Code: "None" }],
    });
  });

  test("is the same one under its token for ten minutes, and refuses other items under it", async () => {
    await transact("one", put("a", true));
    await transact("one", put("a", true));
    await expect(transact("one", put("b"))).rejects.toMatchObject({ name: "IdempotentParameterMismatchException" });
    setup.clock.advance(minutes(10));
    await expect(transact("one", put("a", true))).rejects.toMatchObject({ name: "TransactionCanceledException" });
  });

  test("has no item twice", async () => {
    await expect(transact("one", put("a"), put("a"))).rejects.toMatchObject({ name: "ValidationException" });
  });
});
