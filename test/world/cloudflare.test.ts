import { describe, expect, test } from "vitest";
import { ACCOUNT, ID, SECRET, simulateWorker, TOKEN, WORKER } from "../destinations/worker-under-test.ts";
import { Cloudflare, type DeployedEvent, type Readings } from "./cloudflare.ts";

const refusal = (code: number) => expect.objectContaining({ code });
const idsOf = (cloudflare: Cloudflare) => cloudflare.versions(ACCOUNT, WORKER).map(({ id }) => id);
const wholly = (versionId: string) => ({
  shares: [{ versionId, percentage: 100 }],
  isForced: false,
});

describe("a simulated version", () => {
  test("keeps the secrets that it was made with", () => {
    const cloudflare = simulateWorker();
    cloudflare.changeSecrets(ACCOUNT, WORKER, { [ID]: "AKIANEW" });
    const secrets = cloudflare.versions(ACCOUNT, WORKER).map((version) => version.secrets[ID]);
    expect(secrets).toEqual(["AKIAOLDOLDOLDOLDOLD1", "AKIANEW"]);
  });

  test("inherits the secrets of the newest upload, live or not", () => {
    const cloudflare = simulateWorker();
    cloudflare.upload(ACCOUNT, WORKER, { secrets: { [ID]: "AKIASTAGED" } });
    cloudflare.deploy(ACCOUNT, WORKER, { code: "released" });
    expect(cloudflare.live(ACCOUNT, WORKER)[0]).toMatchObject({
      number: 3,
      code: "released",
      secrets: { [ID]: "AKIASTAGED", [SECRET]: "old-secret" },
    });
  });
});

describe("a simulated change of secrets", () => {
  test("is refused with 10215 while the newest version is not live", () => {
    const cloudflare = simulateWorker();
    cloudflare.upload(ACCOUNT, WORKER);
    expect(() => cloudflare.changeSecrets(ACCOUNT, WORKER, { [ID]: "x" })).toThrow(refusal(10215));
  });

  test("in a gradual deployment is refused, or ends it: both readings can be had", () => {
    const change = (editDuringGradual: Readings["editDuringGradual"]) => {
      const cloudflare = simulateWorker({ editDuringGradual });
      const [versionId = ""] = idsOf(cloudflare);
      const canary = { versionId: cloudflare.upload(ACCOUNT, WORKER).id, percentage: 10 };
      const shares = [{ versionId, percentage: 90 }, canary];
      cloudflare.createDeployment(ACCOUNT, WORKER, { shares, isForced: false });
      return cloudflare.changeSecrets(ACCOUNT, WORKER, { [ID]: "AKIANEW" });
    };
    expect(() => change("refused")).toThrow(refusal(10215));
    expect(change("collapses").number).toBe(3);
  });

  test("is refused with 100160 above the limit of one request", () => {
    const names = Array.from({ length: 26 }, (_, index) => [`S${String(index)}`, "x"]);
    const secrets = Object.fromEntries(names) as Record<string, string>;
    const strict = simulateWorker({ bulkOperationsMax: 25 });
    expect(() => strict.changeSecrets(ACCOUNT, WORKER, secrets)).toThrow(refusal(100160));
    expect(simulateWorker().changeSecrets(ACCOUNT, WORKER, secrets).number).toBe(2);
  });

  test("is refused with 10053 where a plain variable has the name", () => {
    const cloudflare = simulateWorker();
    const change = () => cloudflare.changeSecrets(ACCOUNT, WORKER, { AWS_REGION: "x" });
    expect(change).toThrow(refusal(10053));
  });
});

describe("a simulated deployment", () => {
  test("is told to listeners, in the order of the deployments", () => {
    const cloudflare = simulateWorker();
    const heard: DeployedEvent[] = [];
    cloudflare.onDeployed((event) => heard.push(event));
    cloudflare.changeSecrets(ACCOUNT, WORKER, { [ID]: "a" });
    cloudflare.deploy(ACCOUNT, WORKER);
    expect(heard.map(({ versions }) => versions.map(({ number }) => number))).toEqual([[2], [3]]);
  });

  test("of a version older than the newest 100 is refused", () => {
    const cloudflare = simulateWorker();
    for (let made = 1; made <= 100; made += 1) cloudflare.deploy(ACCOUNT, WORKER);
    const [first = "", second = ""] = idsOf(cloudflare);
    expect(() => cloudflare.createDeployment(ACCOUNT, WORKER, wholly(first))).toThrow(refusal(10021));
    cloudflare.createDeployment(ACCOUNT, WORKER, wholly(second));
    expect(cloudflare.deployments(ACCOUNT, WORKER)).toHaveLength(10);
  });

  test("that goes back past a change of secrets names them, unless it is forced", () => {
    const cloudflare = simulateWorker();
    cloudflare.changeSecrets(ACCOUNT, WORKER, { [ID]: "AKIANEW" });
    const back = wholly(idsOf(cloudflare)[0] ?? "");
    const roll = () => cloudflare.createDeployment(ACCOUNT, WORKER, back);
    expect(roll).toThrow(refusal(10220));
    expect(roll).toThrow(ID);
    cloudflare.createDeployment(ACCOUNT, WORKER, { ...back, isForced: true });
    expect(cloudflare.live(ACCOUNT, WORKER)[0]?.number).toBe(1);
  });
});

test("the simulated rate limit refuses all requests of the next five minutes", () => {
  const clock = { ms: 0 };
  const cloudflare = new Cloudflare({ now: () => clock.ms });
  cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: null, status: "active" });
  for (let sent = 1; sent <= 1_200; sent += 1) cloudflare.admit(TOKEN);
  expect(() => cloudflare.admit(TOKEN)).toThrow(expect.objectContaining({ status: 429 }));
  clock.ms = 299_999;
  expect(() => cloudflare.admit(TOKEN)).toThrow(expect.objectContaining({ status: 429 }));
  clock.ms = 300_000;
  expect(cloudflare.admit(TOKEN).account).toBe(ACCOUNT);
});
