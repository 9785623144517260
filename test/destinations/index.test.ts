import { globSync } from "node:fs";
import { expect, test } from "vitest";
import { createDestination, DestinationOptions, factsOf } from "../../src/destinations/index.ts";
import { instant } from "../../src/rotation/time.ts";
import { GITHUB, githubAt } from "./github-under-test.ts";
import { PAGES_OPTIONS, pagesAt } from "./pages-under-test.ts";
import { PARAMETER_OPTIONS, parametersAt } from "./parameter-under-test.ts";
import { SECRETS_STORE_OPTIONS, secretsStoreAt } from "./secrets-store-under-test.ts";
import { clientFor, COUNTING, QUICK, WORKER_OPTIONS } from "./worker-under-test.ts";

const ALL: readonly DestinationOptions[] = [
  WORKER_OPTIONS,
  PAGES_OPTIONS,
  SECRETS_STORE_OPTIONS,
  { kind: "secrets-manager" },
  PARAMETER_OPTIONS,
  GITHUB.json,
];
const clock = { ...QUICK, now: () => instant(0) };
const clients = {
  cloudflare: () => clientFor("http://cloudflare.invalid/client/v4"),
  pages: () => pagesAt("http://cloudflare.invalid/client/v4"),
  secretsStore: () => secretsStoreAt("http://cloudflare.invalid/client/v4"),
  parameters: () => parametersAt("http://ssm.invalid"),
  github: () => githubAt("http://github.invalid", GITHUB.json),
  health: () => () => Promise.reject(new Error("nobody asks")),
  clock,
  random: COUNTING,
  staging: new Set<string>(),
};

test("the registry knows every file of the folder", () => {
  const files = globSync("*.ts", { cwd: "src/destinations" }).filter((file) => file !== "index.ts");
  const kinds = DestinationOptions.def.options.map((option): string => option.shape.kind.def.values[0] ?? "");
  expect(kinds.map((kind) => `${kind}.ts`).toSorted()).toEqual(files.toSorted());
  expect(ALL.map(({ kind }): string => kind).toSorted()).toEqual(kinds.toSorted());
});

test.for(ALL)("$kind says the same of itself with and without a client", (options) => {
  const { name, slots, readsCustody } = createDestination(options, clients);
  expect(factsOf(options)).toMatchObject({ name, slots, readsCustody });
});

test("secrets-manager is always ready, and delivered to by promotion alone", async () => {
  const custody = createDestination({ kind: "secrets-manager" }, clients);
  expect(custody).toMatchObject({ name: "secrets-manager", slots: [], readsCustody: true });
  expect(await custody.preflight()).toEqual({ kind: "ready", anchor: null });
});
