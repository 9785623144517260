import { describe, expect, test } from "vitest";
import { createAllowance } from "../../src/cloud/cloudflare-allowance.ts";
import { createCloudflare } from "../../src/cloud/cloudflare.ts";
import { createCloudflareWorker } from "../../src/destinations/cloudflare-worker.ts";
import { createCloudflarePages } from "../../src/destinations/cloudflare-pages.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { days, hours } from "../../src/rotation/time.ts";
import type { Destination } from "../../src/rotation/world.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import { Cloudflare } from "../world/cloudflare.ts";
import { aSystem, ofKey } from "../world/system.ts";
import { PAGES_OPTIONS, pagesAt, simulatePages } from "./pages-under-test.ts";
import { ACCOUNT, clientFor, COUNTING, ID, QUICK, SECRET, TOKEN, WORKER, WORKER_OPTIONS } from "./worker-under-test.ts";

const BASE = "http://cloudflare.invalid/client/v4";

/** An answer in the place of the one that the API would give. */
interface Refused {
  readonly on: "GET" | "PATCH";
  readonly status: number;
  readonly code?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What Cloudflare might quote: what was sent. It must stand nowhere afterwards. */
const QUOTED = "a text that repeats the request";

function refusing(send: typeof globalThis.fetch, { on, status, code, headers = {}, body }: Refused) {
  const sent: string[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    if (init?.method !== on) return send(input, init);
    sent.push(new Request(input).url);
    const errors = code === undefined ? [] : [{ code, message: QUOTED }];
    const text = body ?? JSON.stringify({ success: false, errors, messages: [], result: null });
    return Promise.resolve(new Response(text, { status, headers }));
  };
  return { fetch, sent };
}

/** A due key, its Worker (or Pages project) on the simulated Cloudflare, and one answer that is refused. */
async function sweepAgainst(kind: "worker" | "pages", refused: Refused) {
  const { here, first } = await aSystem();
  let destination: Destination;
  let sent: string[];
  let cloudflare: Cloudflare;
  if (kind === "pages") {
    ({ cloudflare } = simulatePages({ clock: here.clock, pair: { id: first.keyId, secret: first.secret } }));
    const refusal = refusing(cloudflareFetch(cloudflare), refused);
    ({ sent } = refusal);
    destination = createCloudflarePages(PAGES_OPTIONS, pagesAt(BASE, { fetch: refusal.fetch }));
  } else {
    cloudflare = new Cloudflare(here.clock);
    cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: [WORKER], status: "active" });
    cloudflare.deploy(ACCOUNT, WORKER, { secrets: { [ID]: first.keyId, [SECRET]: first.secret } });
    const refusal = refusing(cloudflareFetch(cloudflare), refused);
    ({ sent } = refusal);
    const clients = {
      cloudflare: clientFor(BASE, { fetch: refusal.fetch }),
      ask: null,
      clock: QUICK,
      random: COUNTING,
    };
    destination = createCloudflareWorker(WORKER_OPTIONS, clients);
  }
  here.destinations = { ci: [destination] };
  const result = await here.sweep();
  const outcome = result.users[0]?.decisions.at(-1);
  const notices = here.notices.map(({ code, text, advice, severity }) => ({ code, text, advice, severity }));
  const versions = kind === "worker" ? cloudflare.versions(ACCOUNT, WORKER) : [];
  return { here, first, outcome, notices, sent, versions };
}

type Row = readonly [
  what: string,
  kind: "worker" | "pages",
  refused: Refused,
  error: string,
  words: RegExp,
  whose: "operator" | "time" | "us",
];

const challenge = { "content-type": "text/html", "cf-mitigated": "challenge" };
const NOT_LIVE = /newest version .* not the live one.*Deploy it, or upload the live one again/;
const TABLE: readonly Row[] = [
  [
    "10007",
    "worker",
    { on: "GET", status: 404, code: 10007 },
    "NotFound",
    /no Worker of that name, and none is created\. Correct the name/,
    "operator",
  ],
  [
    "10090",
    "worker",
    { on: "PATCH", status: 404, code: 10090 },
    "NotFound",
    /none is created\. Correct the name/,
    "operator",
  ],
  ["10215", "worker", { on: "PATCH", status: 400, code: 10215 }, "Conflict", NOT_LIVE, "time"],
  ["10214", "worker", { on: "PATCH", status: 400, code: 10214 }, "Conflict", NOT_LIVE, "time"],
  [
    "10220",
    "worker",
    { on: "PATCH", status: 400, code: 10220 },
    "Conflict",
    /bring an old pair back\. Deploy a newer one/,
    "time",
  ],
  [
    "10222",
    "worker",
    { on: "PATCH", status: 400, code: 10222 },
    "Misconfigured",
    /no version yet\. Deploy it once/,
    "operator",
  ],
  [
    "10056",
    "worker",
    { on: "PATCH", status: 404, code: 10056 },
    "Misconfigured",
    /no secret of that name\. Set it once/,
    "operator",
  ],
  [
    "10053",
    "worker",
    { on: "PATCH", status: 400, code: 10053 },
    "Misconfigured",
    /another kind of binding\. Remove that/,
    "operator",
  ],
  ["10021", "worker", { on: "PATCH", status: 400, code: 10021 }, "Bug", /not understood\. Tell us/, "us"],
  ["10201", "worker", { on: "PATCH", status: 400, code: 10201 }, "Bug", /not understood\. Tell us/, "us"],
  [
    "100160",
    "worker",
    { on: "PATCH", status: 400, code: 100160 },
    "LimitReached",
    /too many secrets in one request\. Set fewer/,
    "operator",
  ],
  [
    "10000",
    "worker",
    { on: "GET", status: 403, code: 10000 },
    "Denied",
    /not allowed to\. Give it the role Editor/,
    "operator",
  ],
  [
    "9106",
    "worker",
    { on: "GET", status: 400, code: 9106 },
    "Denied",
    /or store a valid one in the apiToken secret/,
    "operator",
  ],
  ["10001", "worker", { on: "GET", status: 403, code: 10001 }, "Denied", /or store a valid one/, "operator"],
  ["9109", "worker", { on: "GET", status: 403, code: 9109 }, "Denied", /or store a valid one/, "operator"],
  [
    "7003",
    "worker",
    { on: "GET", status: 404, code: 7003 },
    "Misconfigured",
    /account id or a name in the path is not valid\. Correct accountId/,
    "operator",
  ],
  ["7000", "worker", { on: "GET", status: 404, code: 7000 }, "Misconfigured", /Correct accountId/, "operator"],
  [
    "8000007",
    "pages",
    { on: "GET", status: 404, code: 8000007 },
    "NotFound",
    /no Pages project of that name, and none is created\. Correct/,
    "operator",
  ],
  ["9109 of Pages", "pages", { on: "GET", status: 403, code: 9109 }, "Denied", /for Pages: Pages Write/, "operator"],
  [
    "429",
    "worker",
    { on: "GET", status: 429, code: 971, headers: { "retry-after": "300" } },
    "Throttled",
    /Cloudflare lifts it in minutes/,
    "time",
  ],
  [
    "429 without a wait",
    "worker",
    { on: "PATCH", status: 429, code: 971 },
    "Throttled",
    /Cloudflare lifts it in minutes/,
    "time",
  ],
  [
    "a challenge for browsers",
    "worker",
    { on: "GET", status: 403, headers: challenge, body: "<!DOCTYPE html>" },
    "Unreachable",
    /a challenge for browsers/,
    "time",
  ],
  [
    "HTML in a 200",
    "worker",
    { on: "GET", status: 200, body: "<html>" },
    "Unreachable",
    /no success \(HTTP 200, code none\)/,
    "time",
  ],
  [
    "a 502 of HTML",
    "worker",
    { on: "PATCH", status: 502, body: "<html>" },
    "Unreachable",
    /Cloudflare failed \(HTTP 502\)/,
    "time",
  ],
  [
    "an unknown code",
    "worker",
    { on: "PATCH", status: 400, code: 12345 },
    "Misconfigured",
    /not known \(HTTP 400, code 12345\)/,
    "operator",
  ],
];

const WHOSE = {
  operator: ["NotFound", "Denied", "Misconfigured", "LimitReached"],
  time: ["Conflict", "Throttled", "Unreachable"],
  us: ["Bug"],
};

describe("what Cloudflare refuses", () => {
  test.for(TABLE)(
    "%s is told with what to do, and neither key is touched",
    async ([, kind, refused, error, words, whose]) => {
      const { here, first, outcome, notices, versions } = await sweepAgainst(kind, refused);
      expect(outcome).toMatchObject({
        outcome: "failed",
        error: { code: error, message: expect.stringMatching(words) },
      });
      const told = notices.find(({ code }) => code === "StepFailed");
      expect(told).toMatchObject({
        text: expect.stringMatching(new RegExp(`^${error}: .*${words.source}`)),
        advice: expect.stringMatching(/tried again at the next sweep.*mend what is named/),
        severity: whose === "us" ? "urgent" : "warning",
      });
      expect(WHOSE[whose]).toContain(error);
      expect(JSON.stringify([notices, outcome])).not.toContain(QUOTED);
      expect([ofKey(here, first.keyId), versions.length]).toEqual(["Active", kind === "worker" ? 1 : 0]);
    },
  );

  test("10215 is not tried around: what somebody uploaded is never deployed", async () => {
    const { here, first } = await aSystem();
    const cloudflare = new Cloudflare(here.clock);
    cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: [WORKER], status: "active" });
    cloudflare.deploy(ACCOUNT, WORKER, { code: "live", secrets: { [ID]: first.keyId, [SECRET]: first.secret } });
    const client = clientFor(BASE, { fetch: cloudflareFetch(cloudflare) });
    const clients = { cloudflare: client, ask: null, clock: QUICK, random: COUNTING };
    here.destinations = { ci: [createCloudflareWorker(WORKER_OPTIONS, clients)] };
    const upload = (): void => void cloudflare.upload(ACCOUNT, WORKER, { code: "unreleased" });
    cloudflare.faults.push({ on: "write", kind: "meanwhile", act: upload });
    await here.pass(days(2));
    expect(cloudflare.live(ACCOUNT, WORKER).map(({ code }) => code)).toEqual(["live"]);
    expect(cloudflare.versions(ACCOUNT, WORKER)).toHaveLength(2);
    expect(here.notices.map(({ code }) => code)).toContain("DestinationBlocked");
    cloudflare.deploy(ACCOUNT, WORKER, { code: "released" });
    await here.pass(hours(7));
    expect(cloudflare.live(ACCOUNT, WORKER)[0]?.secrets[ID]).not.toBe(first.keyId);
  });
});

describe("a token's allowance", () => {
  const NAME = { accountId: ACCOUNT, script: WORKER };

  test("once Cloudflare refuses, nothing more is sent with the token, whoever asks", async () => {
    const cloudflare = new Cloudflare({ now: () => 1_800_000_000_000 });
    const refused = { on: "GET", status: 429, code: 971, headers: { "retry-after": "300" } } as const;
    const { fetch, sent } = refusing(cloudflareFetch(cloudflare), refused);
    const allowance = createAllowance(QUICK);
    const clients = Array.from({ length: 50 }, () =>
      createCloudflare({
        baseUrl: BASE,
        readToken: () => Promise.resolve(new Secret(TOKEN)),
        timeoutMs: 1_000,
        clock: QUICK,
        random: COUNTING,
        fetch,
        allowance,
      }),
    );
    for (const client of clients) await expect(client.live(NAME)).rejects.toMatchObject({ code: "Throttled" });
    expect(sent).toHaveLength(1);
  });

  test("takes some at once, and no more than a thousand in five minutes", async () => {
    const waits: number[] = [];
    const allowance = createAllowance({ sleep: (ms) => Promise.resolve(void waits.push(ms)) });
    for (let asked = 1; asked <= 400; asked += 1) await allowance.take("reading");
    expect(waits).toEqual([]);
    for (let asked = 401; asked <= 1_001; asked += 1) await allowance.take("reading");
    expect(waits).toHaveLength(601);
    // The time of the test itself, in which more may go.
    expect(waits.at(-1)).toBeGreaterThan(290_000);
  });
});
