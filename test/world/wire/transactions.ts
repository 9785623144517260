import type { Encoded } from "./protocols.ts";

type Input = Readonly<Record<string, unknown>>;

/** One operation of the table without transactions. */
export type Ask = (operation: string, input: Input) => Promise<Encoded>;

/** A token that is seen again within ten minutes is the same transaction (DynamoDB API, TransactWriteItems). */
const TOKEN_KEPT_FOR_MS = 10 * 60_000;
const ITEMS_MAX = 100;

interface Done {
  readonly atMs: number;
  readonly items: string;
}

/**
 * TransactWriteItems of Puts upon a table that knows no transactions. Whoever calls it lets nothing else into the table
 * meanwhile. At most one Put may have a condition: it goes first, and what it says decides.
 */
export function transactions(ask: Ask, nowMs: () => number): (input: Input) => Promise<Encoded> {
  const done = new Map<string, Done>();
  return async (input) => {
    const puts = (input["TransactItems"] as readonly { readonly Put?: Input }[]).map(({ Put }) => Put);
    const conditional = puts.findIndex((put) => put?.["ConditionExpression"] !== undefined);
    const refusal = refusalOf(puts);
    if (refusal !== null) return refused("ValidationException", refusal);
    const token = String(input["ClientRequestToken"]);
    const items = JSON.stringify(input["TransactItems"]);
    const earlier = done.get(token);
    if (earlier !== undefined && nowMs() - earlier.atMs < TOKEN_KEPT_FOR_MS) {
      return earlier.items === items ? EMPTY : refused("IdempotentParameterMismatchException", "other items");
    }
    const ordered = puts.toSorted(
      (one, other) => Number(other === puts[conditional]) - Number(one === puts[conditional]),
    );
    for (const put of ordered) {
      const answer = await ask("PutItem", put ?? {});
      if (answer.status === 200) continue;
      if (!answer.body.includes("ConditionalCheckFailedException")) return answer;
      return cancelled(puts.map((one) => (one === put ? "ConditionalCheckFailed" : "None")));
    }
    done.set(token, { atMs: nowMs(), items });
    return EMPTY;
  };
}

/** What DynamoDB would not begin, and what this does not know. */
function refusalOf(puts: readonly (Input | undefined)[]): string | null {
  if (puts.length === 0 || puts.length > ITEMS_MAX) return "a transaction has 1 to 100 items";
  if (puts.includes(undefined)) return "only Put is simulated";
  if (puts.filter((put) => put?.["ConditionExpression"] !== undefined).length > 1)
    return "only one condition is simulated";
  const keys = puts.map((put) => {
    const { pk, sk } = (put?.["Item"] ?? {}) as Input;
    return JSON.stringify([pk, sk]);
  });
  return new Set(keys).size < keys.length ? "Transaction request cannot include multiple operations on one item" : null;
}

const JSON_TYPE = { "content-type": "application/x-amz-json-1.0" };
const EMPTY: Encoded = { status: 200, headers: JSON_TYPE, body: "{}" };
const NAMESPACE = "com.amazonaws.dynamodb.v20120810#";

const refused = (code: string, message: string, more: Input = {}): Encoded => ({
  status: 400,
  headers: JSON_TYPE,
  body: JSON.stringify({ __type: NAMESPACE + code, message, ...more }),
});

function cancelled(codes: readonly string[]): Encoded {
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(", ")}]`;
  return refused("TransactionCanceledException", message, {
    Message: message,
    CancellationReasons: codes.map((Code) =>
      Code === "None" ? { Code } : { Code, Message: "The conditional request failed" },
    ),
  });
}
