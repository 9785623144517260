import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { foreignClient, setUpWire } from "./setup.ts";
import type { WireSetup } from "./setup.ts";

describe("what is not AWS's own", () => {
  let setup: WireSetup;
  beforeEach(async () => {
    setup = await setUpWire();
  });
  afterEach(async () => setup.close());
  const invoke = async (name: string, body: string, headers: Record<string, string> = {}) =>
    foreignClient(setup.cloud.role, "lambda").fetch(`${setup.wire.url}/2015-03-31/functions/${name}/invocations`, {
      method: "POST",
      body,
      headers,
    });

  test("runs an invoked function with its event, and answers what it returned", async () => {
    setup.wire.onInvoke("keyturn-dev-sweep", async (event) => Promise.resolve({ event }));
    const answer = await invoke("keyturn-dev-sweep", '{"command":"plan"}');
    expect(await answer.json()).toEqual({ event: { command: "plan" } });
    expect(await (await invoke("another", "{}")).json()).toEqual({});
  });

  test("tells of a function that threw as Lambda does", async () => {
    setup.wire.onInvoke("keyturn", async () => Promise.reject(new TypeError("no such command")));
    const answer = await invoke("keyturn", "");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-amz-function-error")).toBe("Unhandled");
    expect(await answer.json()).toEqual({
      errorType: "TypeError",
      errorMessage: "no such command",
    });
  });

  test("answers an asynchronous invocation at once", async () => {
    const events: unknown[] = [];
    setup.wire.onInvoke("keyturn", async (event) => Promise.resolve(events.push(event)));
    const answer = await invoke("keyturn", '{"n":1}', { "x-amz-invocation-type": "Event" });
    expect(answer.status).toBe(202);
    expect(events).toEqual([{ n: 1 }]);
  });

  test("gives a mounted API its requests unread, with the cloud's time on the answer", async () => {
    setup.wire.mount("/client/v4", (request, response) => {
      request.pipe(response);
    });
    const answer = await foreignClient(setup.cloud.role, "any").fetch(`${setup.wire.url}/client/v4/accounts`, {
      method: "POST",
      body: "as it is",
    });
    expect(await answer.text()).toBe("as it is");
    expect(answer.headers.get("date")).toBe("Sun, 14 Mar 2027 09:30:00 GMT");
  });
});
