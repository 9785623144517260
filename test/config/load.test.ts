import { expect, test } from "vitest";
import { loadSettings } from "../../src/config/load.ts";

const environment = {
  KEYTURN_TABLE: "keyturn-journal",
  KEYTURN_TOPIC: "keyturn-notices",
  AWS_REGION: "us-east-1",
};

test("reads the environment of the default stage", () => {
  const settings = loadSettings(environment);
  expect(settings).toEqual({
    table: "keyturn-journal",
    topic: "keyturn-notices",
    stage: "default",
    enrolmentTag: "keyturn",
    region: "us-east-1",
    cloudflareBaseUrl: "https://api.cloudflare.com/client/v4",
    githubBaseUrl: "https://api.github.com",
    awsEndpoint: null,
  });
  expect(Object.isFrozen(settings)).toBe(true);
});

test("gives another stage an enrolment tag of its own", () => {
  const settings = loadSettings({ ...environment, KEYTURN_STAGE: "eu" });
  expect(settings).toMatchObject({ stage: "eu", enrolmentTag: "keyturn-eu" });
});

test.for([
  ["KEYTURN_TABLE", undefined],
  ["KEYTURN_TABLE", "  "],
  ["KEYTURN_TOPIC", undefined],
  ["KEYTURN_TOPIC", "arn:aws:sns:us-east-1:123456789012:keyturn-notices"],
  ["AWS_REGION", undefined],
  ["KEYTURN_STAGE", "hold"],
  ["KEYTURN_STAGE", "owner"],
  ["KEYTURN_STAGE", "EU"],
  ["CLOUDFLARE_API_BASE_URL", "http://example.com"],
  ["CLOUDFLARE_API_BASE_URL", "http://127.0.0.1.example.com"],
  ["GITHUB_API_URL", "http://github.example.com"],
] as const)("refuses %s = %s by its name", ([name, value]) => {
  expect(() => loadSettings({ ...environment, [name]: value })).toThrow(name);
});

test("lets the token of Cloudflare travel in the clear on the loopback only", () => {
  const settings = loadSettings({
    ...environment,
    CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:8787/client/v4/",
  });
  expect(settings.cloudflareBaseUrl).toBe("http://127.0.0.1:8787/client/v4");
});

test("names every variable that is missing at once", () => {
  expect(() => loadSettings({})).toThrow(/KEYTURN_TABLE .*KEYTURN_TOPIC .*AWS_REGION/);
});
