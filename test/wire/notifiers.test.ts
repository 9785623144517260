import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { ListSubscriptionsByTopicCommand, PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createEventBus } from "../../src/cloud/event-bus.ts";
import { createJsonService } from "../../src/cloud/json-service.ts";
import { createSlack } from "../../src/cloud/slack.ts";
import { createTopic } from "../../src/cloud/sns.ts";
import { createEventBridgeNotifier } from "../../src/report/notifiers/eventbridge.ts";
import { createSlackNotifier } from "../../src/report/notifiers/slack.ts";
import { createSnsNotifier } from "../../src/report/notifiers/sns.ts";
import { type NoticeCode, NOTICES } from "../../src/rotation/notice.ts";
import type { Notice } from "../../src/rotation/notice.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { seconds } from "../../src/rotation/time.ts";
import type { Notifier } from "../../src/rotation/world.ts";
import { NOW, USER } from "../report/builders.ts";
import { Slack } from "../world/slack.ts";
import { setUpWire } from "./setup.ts";
import type { WireSetup } from "./setup.ts";

const CODES = Object.keys(NOTICES) as NoticeCode[];
const notice = (code: NoticeCode = "OldKeyStillUsed", more: Partial<Notice> = {}): Notice => {
  const { severity = "info", advice = "" } = NOTICES[code] ?? {};
  return { code, severity, user: USER, at: NOW, text: "used 3 h ago", advice, dedupeKey: code, ...more };
};
/** Longer than any limit, and full of what Slack, JSON and HTML take amiss. */
const NASTY = `<!channel> & "quoted" \\ ünï ${"<&>\n".repeat(4_000)}`;

let setup: WireSetup;
let slack: Slack;
let slept: number[];
beforeEach(async () => {
  setup = await setUpWire();
  slack = new Slack(setup.clock);
  slept = [];
  setup.wire.mount((url) => url.startsWith("/services/"), slack.handler);
});
afterEach(() => setup.close());

const waiting = {
  clock: {
    sleep: async (ms: number) => {
      await Promise.resolve();
      slept.push(ms);
      setup.clock.advance(ms);
    },
  },
  random: { fraction: () => 0.5 },
};
const webhook = (path = slack.path) => `${setup.wire.url}${path}`;
const aSlack = (address = webhook()): Notifier => {
  const readWebhook = async () => Promise.resolve(new Secret(address));
  return createSlackNotifier(createSlack({ readWebhook, timeoutMs: seconds(5), clock: waiting.clock }));
};
const aBus = (bus = "default"): Notifier => {
  const { keyId: accessKeyId, secret: secretAccessKey, sessionToken } = setup.cloud.role;
  const credentials = async () => Promise.resolve({ accessKeyId, secretAccessKey, sessionToken });
  const clock = { ...waiting.clock, hear: () => undefined };
  const service = { service: "events", target: "AWSEvents", region: "us-east-1", endpoint: setup.wire.url };
  const ask = createJsonService({ ...service, credentials, timeoutMs: seconds(5), ...waiting, clock });
  return createEventBridgeNotifier(createEventBus(ask, bus, waiting));
};
const aTopic = () => createTopic(setup.world.clients, "keyturn", setup.world.identity);
const sdk = () => {
  const { keyId: accessKeyId, secret: secretAccessKey, sessionToken } = setup.cloud.role;
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  return { endpoint: setup.wire.url, region: "us-east-1", credentials, maxAttempts: 1 };
};

describe.for([
  ["sns", () => createSnsNotifier(aTopic()), () => setup.cloud.sns.published.length],
  ["slack", () => aSlack(), () => slack.messages.reduce((sum, { blocks }) => sum + blocks.length / 2, 0)],
  ["eventbridge", () => aBus(), () => setup.cloud.eventBuses.taken.length],
] as const)("the notifier %s", ([, make, took]) => {
  test("tells every notice of the registry, open and over, of a user and of the service", async () => {
    const notices = CODES.flatMap((code) => [
      notice(code),
      notice(code, { isOver: true }),
      notice(code, { user: null }),
    ]);
    await make().notify(notices);
    expect(took()).toBe(notices.length);
  });

  test("takes a text that is too long and full of signs", async () => {
    await make().notify([
      notice("StepFailed", { text: NASTY, owner: NASTY.slice(0, 256), command: NASTY.slice(0, 200) }),
    ]);
    expect(took()).toBe(1);
  });
});

describe.for([
  ["sns", () => createSnsNotifier(aTopic()), () => setup.cloud.sns.published.length],
  ["slack", () => aSlack(), () => slack.messages.length],
  ["eventbridge", () => aBus(), () => setup.cloud.eventBuses.taken.length],
] as const)("the notifier %s", ([, make, took]) => {
  test.for([
    ["300 kB of signs that JSON spells longer", '"\\\n'.repeat(100_000)],
    ["100,000 letters of three bytes", "界".repeat(100_000)],
    ["letters of two halves, cut anywhere", `x${"😀".repeat(50_000)}`],
  ] as const)("takes a notice of %s", async ([, text]) => {
    await make().notify([notice("StepFailed", { text })]);
    expect(took()).toBe(1);
  });

  test("takes a notice whose owner's tag is empty", async () => {
    await make().notify([notice("StepFailed", { owner: "" })]);
    expect(took()).toBe(1);
  });
});

describe("SNS", () => {
  test("has a mail for people, JSON for programs, and what filters need", async () => {
    await createSnsNotifier(aTopic()).notify([notice("KeyOverdue", { owner: "team-a" })]);
    const [published] = setup.cloud.sns.published;
    expect(published?.message).toMatch(/^used 3 h ago\n\nWhat to do: .+\nWhose move: yours\n/);
    expect(published?.attributes).toMatchObject({ severity: "urgent", state: "open", owner: "team-a" });
    for (const protocol of ["sqs", "lambda", "http", "https"]) {
      expect(JSON.parse(published?.byProtocol[protocol] ?? "")).toMatchObject({ version: 1, code: "KeyOverdue" });
    }
  });

  test.for<[string, { readonly protocol: string; readonly isConfirmed: boolean }[], RegExp]>([
    ["nobody", [], /^nobody has subscribed to keyturn$/],
    ["one who has not confirmed", [{ protocol: "email", isConfirmed: false }], /^nobody has confirmed/],
    ["one of two", [false, true].map((isConfirmed) => ({ protocol: "email", isConfirmed })), /^heard$/],
  ])("knows whether it is heard: %s", async ([, subscriptions, expected]) => {
    const all = subscriptions.map((one) => ({ ...one, endpoint: "you@example.com" }));
    setup.cloud.sns.subscriptions.splice(0, Infinity, ...all);
    expect((await aTopic().whyUnheard()) ?? "heard").toMatch(expected);
  });

  test("finds the one confirmed subscription on the second page", async () => {
    const pending = Array.from({ length: 100 }, () => ({
      protocol: "email",
      endpoint: "a@example.com",
      isConfirmed: false,
    }));
    setup.cloud.sns.subscriptions.unshift(...pending);
    expect(await aTopic().whyUnheard()).toBeNull();
  });

  test("answers a client that is not ours the same, and refuses a structure without a default", async () => {
    const client = new SNSClient(sdk());
    client.config.disableClockSkewCorrection = async () => Promise.resolve(true);
    const TopicArn = "arn:aws:sns:us-east-1:123456789012:keyturn";
    const { Subscriptions } = await client.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    expect(Subscriptions).toMatchObject([{ Protocol: "email", SubscriptionArn: `${TopicArn}:subscription-0` }]);
    const publish = async (Message: string) =>
      client.send(new PublishCommand({ TopicArn, Message, MessageStructure: "json" }));
    await expect(publish('{"email":"a"}')).rejects.toMatchObject({ name: "InvalidParameterException" });
    await expect(publish("no json")).rejects.toMatchObject({ name: "InvalidParameterException" });
    client.destroy();
  });
});

describe("Slack", () => {
  test("gets many notices in as few messages as its blocks allow, escaped", async () => {
    await aSlack().notify(Array.from({ length: 60 }, () => notice("Stranger", { text: "<!channel> & co" })));
    expect(slack.messages.map(({ blocks }) => blocks.length)).toEqual([50, 50, 20]);
    expect(JSON.stringify(slack.messages[0]?.blocks[0])).toContain("&lt;!channel&gt; &amp; co");
  });

  test("is told to make no mention and no link of a text that has none", async () => {
    await aSlack().notify([notice("Stranger", { text: "held: @channel http://example.com", owner: "@here" })]);
    const [section, context] = slack.messages[0]?.blocks ?? [];
    expect(section).toMatchObject({ text: { type: "mrkdwn", verbatim: true } });
    expect(context).toMatchObject({ elements: [{ type: "mrkdwn", verbatim: true }] });
  });

  test("is asked again after the time it named, and everything arrives once", async () => {
    slack.isThrottling = true;
    for (let count = 0; count < 5; count += 1) await aSlack().notify([notice()]);
    expect([slack.messages.length, slept]).toEqual([5, [1_000]]);
  });

  test("is asked no more than three times, and no more after anything else", async () => {
    slack.trouble = { status: 429, word: "rate_limited" };
    await expect(aSlack().notify([notice()])).rejects.toMatchObject({ code: "Throttled" });
    expect(slack.requests).toBe(3);
    slack.trouble = { status: 500, word: "rollup_error" };
    await expect(aSlack().notify([notice()])).rejects.toMatchObject({ code: "Unreachable" });
    expect(slack.requests).toBe(4);
  });

  test.for([
    [404, "no_service", "NotFound"],
    [410, "channel_is_archived", "NotFound"],
    [403, "action_prohibited", "Denied"],
    [400, "invalid_blocks", "Misconfigured"],
  ] as const)("says what it was told with %i %s", async ([status, word, code]) => {
    slack.trouble = { status, word };
    const failed = aSlack().notify([notice()]);
    await expect(failed).rejects.toMatchObject({ code, message: `posting to Slack, HTTP ${String(status)}: ${word}` });
  });

  test.for([
    ["of another kind", "http://hooks.example.com/services/T/B/very-secret"],
    ["that is refused", "/services/T/B/very-secret"],
    ["where nobody is", "http://127.0.0.1:9/services/T/B/very-secret"],
  ] as const)("shows the address of its webhook to nobody: one %s", async ([, address]) => {
    const target = address.startsWith("/") ? webhook(address) : address;
    const failure: unknown = await aSlack(target)
      .notify([notice()])
      .catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(Error);
    expect(JSON.stringify([String(failure), failure, (failure as Error).cause ?? ""])).not.toContain("very-secret");
  });

  test("refuses from a client that is not ours what is too much for it", async () => {
    const post = async (body: object) => {
      const response = await globalThis.fetch(webhook(), { method: "POST", body: JSON.stringify(body) });
      return `${String(response.status)} ${await response.text()}`;
    };
    const section = (text: string) => ({ type: "section", text: { type: "mrkdwn", text } });
    expect(await post({ text: "", blocks: Array.from({ length: 51 }, () => section("a")) })).toBe("400 invalid_blocks");
    expect(await post({ text: "", blocks: [section("a".repeat(3_001))] })).toBe("400 invalid_blocks");
    expect(await post({ text: "", blocks: [section("a".repeat(3_000))] })).toBe("200 ok");
    expect(await post({})).toBe("400 no_text");
  });
});

describe("an event bus", () => {
  const types = () => setup.cloud.eventBuses.taken.map(({ type }) => type);

  test("gets ten entries a request, each with the type of its notice", async () => {
    await aBus().notify(Array.from({ length: 23 }, () => notice("Stranger")));
    expect(setup.cloud.counts.get("events.PutEvents")).toBe(3);
    expect(new Set(types())).toEqual(new Set(["keyturn.rotation.Stranger"]));
    expect(setup.cloud.eventBuses.taken[0]).toMatchObject({ source: "keyturn", bus: "default", atMs: NOW });
  });

  test.for(["ThrottlingException", "InternalFailure"])(
    "gets again what it refused with %s, and nothing else",
    async (code) => {
      setup.cloud.eventBuses.refusals.push(null, code, null);
      await aBus().notify([notice("Stranger"), notice("BlindSpot"), notice("UseUnknown")]);
      expect(types()).toEqual(["Stranger", "UseUnknown", "BlindSpot"].map((name) => `keyturn.rotation.${name}`));
    },
  );

  test("is not asked again for what it will never take, and the failure names it", async () => {
    setup.cloud.eventBuses.refusals.push("NotAuthorizedForSourceException");
    const failed = aBus().notify([notice("Stranger"), notice("BlindSpot")]);
    await expect(failed).rejects.toMatchObject({ code: "Misconfigured", message: /NotAuthorizedForSource/ });
    expect(types()).toEqual(["keyturn.rotation.BlindSpot"]);
    expect(setup.cloud.counts.get("events.PutEvents")).toBe(1);
  });

  test("is given up after a few tries, and a missing one says so", async () => {
    setup.cloud.eventBuses.refusals.push(...Array.from({ length: 20 }, () => "ThrottlingException"));
    await expect(aBus().notify([notice()])).rejects.toMatchObject({ code: "Throttled" });
    expect(setup.cloud.counts.get("events.PutEvents")).toBe(6);
    setup.cloud.eventBuses.refusals.length = 0;
    await expect(aBus("nowhere").notify([notice()])).rejects.toMatchObject({ code: "Misconfigured" });
  });

  test("takes and refuses from the SDK's own client by the same rules", async () => {
    const client = new EventBridgeClient(sdk());
    client.config.disableClockSkewCorrection = async () => Promise.resolve(true);
    const entry = { Source: "mine", DetailType: "a.type", Detail: "{}", Time: new Date(NOW) };
    const put = async (...Entries: Partial<typeof entry>[]) => client.send(new PutEventsCommand({ Entries }));
    const answer = await put(
      entry,
      { ...entry, Detail: "no json" },
      { ...entry, Source: "aws.iam" },
      { Source: "mine" },
    );
    expect(answer.FailedEntryCount).toBe(3);
    expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode ?? "taken")).toEqual([
      "taken",
      "MalformedDetail",
      "NotAuthorizedForSourceException",
      "InvalidArgument",
    ]);
    expect(setup.cloud.eventBuses.taken).toMatchObject([{ source: "mine", atMs: NOW }]);
    await expect(put(...Array.from({ length: 11 }, () => entry))).rejects.toMatchObject({
      name: "ValidationException",
    });
    const large = { ...entry, Detail: JSON.stringify("x".repeat(200_000)).replace(/^.*$/, (text) => `{"x":${text}}`) };
    await expect(put(large, large, large, large, large, large)).rejects.toMatchObject({ name: "ValidationException" });
    client.destroy();
  });
});
