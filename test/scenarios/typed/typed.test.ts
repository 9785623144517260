import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { COMMANDS } from "../../../src/cli/commands/index.ts";
import { parseCommand } from "../../../src/handlers/command.ts";
import { partsOf, textOf, untypedIn } from "./document.ts";
import type { Part } from "./document.ts";
import { play } from "./play.ts";
import type { Played } from "./play.ts";

const ACCOUNT = "it needs an AWS account, or deploys to one";
const INSTALLED = "it installs what this test runs with";
const WHOLE_RUN = "test/scenarios/npm-start.test.ts and mistakes.test.ts run it";

/** The documents, and their commands that are not typed here, each with the reason. Those that take longest come first. */
const DOCUMENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "docs/operating.md": {},
  "docs/commands.md": {},
  "docs/leaked-keys.md": {
    "aws cloudformation deploy --region us-west-2 --stack-name keyturn-leaked-keys --template-file scripts/leaked-keys.json \\":
      ACCOUNT,
  },
  "docs/laptops.md": {},
  "README.md": {
    "npm ci && npm start": INSTALLED,
    "npm ci && npm test": INSTALLED,
    "npm start -- --break two-puts": WHOLE_RUN,
    "npm start -- --break no-quiet": WHOLE_RUN,
    "npm start -- --break delete-first": WHOLE_RUN,
    "npm run package": "test/wire/deployment packages each stage",
    "npm run deploy": ACCOUNT,
  },
  "docs/deploying.md": {
    "$EDITOR keyturn.config.ts": ACCOUNT,
    "aws secretsmanager create-secret --name cloudflare/api-token --secret-string file:///dev/stdin": ACCOUNT,
    "npm run package": "test/wire/deployment packages each stage",
    "npm run deploy": ACCOUNT,
    "aws sns subscribe --topic-arn arn:aws:sns:us-east-1:<account>:keyturn --protocol email --notification-endpoint you@example.com":
      ACCOUNT,
    "npm run build && npx keyturn doctor": ACCOUNT,
    "npx keyturn enroll <user> --as <profile>": ACCOUNT,
    "npx keyturn plan": ACCOUNT,
    "npx keyturn resume": ACCOUNT,
    "npx keyturn rotate <user>": ACCOUNT,
    'npx keyturn pause --reason "removal"': ACCOUNT,
    "npx keyturn status": ACCOUNT,
    "npx keyturn unenroll <user>": ACCOUNT,
    "npx sls remove": ACCOUNT,
  },
};
const hasSession = (name: string): boolean => read(name).some(({ kind }) => kind === "session");
/** Each document has a cloud of its own; so many are up at a time. */
const AT_ONCE = 2;

const path = (name: string): string => new URL(`../../../${name}`, import.meta.url).pathname;
const read = (name: string): readonly Part[] => partsOf(readFileSync(path(name), "utf8"));

const played = new Map<string, Played>();
const saidOf = (name: string): Played => {
  const found = played.get(name);
  if (found === undefined) throw new Error(`${name} was not played`);
  return found;
};

beforeAll(async () => {
  const waiting = Object.keys(DOCUMENTS).filter(hasSession);
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      played.set(name, await play(read(name)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}, 900_000);

describe.for(Object.keys(DOCUMENTS).filter(hasSession))(
  "%s, typed line by line at a terminal with the local cloud",
  (name) => {
    test("shows what each line says", async () => {
      await expect(textOf(saidOf(name).parts)).toMatchFileSnapshot(path(name));
    });

    test("breaks none of the consumers that were at work all the time", () => {
      expect(saidOf(name).calls).toMatch(/^The consumers made \d{2,} calls, 0 failed\.$/);
    });
  },
);

test.for(Object.keys(DOCUMENTS))(
  "%s has no other command but those on the list of what nobody can type here",
  (name) => {
    expect(untypedIn(read(name)).toSorted()).toEqual(Object.keys(DOCUMENTS[name] ?? {}).toSorted());
  },
);

test("a document that says what is not so is found, and so is a consumer that a line breaks", async () => {
  const wrong = "echo wrong | npx wrangler secret put AWS_SECRET_ACCESS_KEY --name cognito-admin > /dev/null; sleep 3";
  // For the sessions something quicker stands in the place of npx.
  const real = "PATH=${PATH#*:} npx keyturn --help | head -1; PATH=${PATH#*:} npx sls --version";
  const text = ["```", `$ ${wrong}`, "nothing happened", `$ ${real}`, "```"].join("\n");
  const { parts, done, calls } = await play(partsOf(text));
  expect(textOf(parts)).not.toContain("nothing happened");
  expect(calls).toMatch(/, [1-9]\d* failed\.\n[^]*SignatureDoesNotMatch/);
  expect(done.at(-1)?.said.join("\n")).toMatch(/^keyturn: the access keys [^]*osls/);
}, 300_000);

describe("each command succeeds in some document", () => {
  const succeeded = (): readonly string[] =>
    [...played.values()].flatMap(({ done }) => done.filter(({ code }) => code === 0).map(({ typed }) => typed));

  test.for(COMMANDS.map(({ name }) => name))("typed as keyturn %s", (name) => {
    const isTyped = new RegExp(`(npx keyturn|keyturn\\.cjs) ${name}\\b(?!-)`);
    expect(succeeded().filter((line) => isTyped.test(line))).not.toEqual([]);
  });

  test.for(namesOfEvents())('sent by sls invoke as {"command":"%s"}', (name) => {
    expect(
      succeeded().filter((line) => line.includes(`npx sls invoke -f keyturn -d '{"command":"${name}"`)),
    ).not.toEqual([]);
  });
});

/** As the refusal of an event lists them. */
function namesOfEvents(): readonly string[] {
  try {
    parseCommand({ command: "no such command" });
  } catch (thrown) {
    return /allowed: (.*)$/.exec((thrown as Error).message)?.[1]?.split(", ") ?? [];
  }
  return [];
}
