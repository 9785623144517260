import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process, { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import type { CloudCall } from "../../world/call.ts";
import type { SigningPair } from "../../world/caller.ts";
import { setUpWire } from "../setup.ts";
import type { WireSetup } from "../setup.ts";

const PROGRAM = fileURLToPath(new URL("program.ts", import.meta.url));
const DIE_AT = fileURLToPath(new URL("die-at.ts", import.meta.url));
export const DEV = "flowid-dev-user";

/** How a run of the program ended. */
interface Ran {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
}

/** A developer's machine: a home of its own, and the program, which knows nothing but the address of the simulated cloud. */
export interface Machine extends WireSetup {
  readonly home: string;
  /** The pair that its owner typed in. */
  readonly first: SigningPair;
  readonly env: Record<string, string>;
  /** Each call that reached AWS, as "GetSecretValue by AKIA… as keyturn-laptop". */
  readonly calls: string[];
  run(args: readonly string[], more?: Readonly<Record<string, string>>): Promise<Ran>;
  /** Custody as it is before the first rotation: its marker alone. */
  enrol(): void;
  /** A replacement is current in custody, and the old key is as it was. */
  replace(): SigningPair;
  /** The old key is taken away. */
  retire(): void;
  write(name: string, text: string): Promise<void>;
  read(name: string): Promise<string>;
}

export async function aMachine(): Promise<Machine> {
  const setup = await setUpWire();
  const { cloud, wire } = setup;
  const home = await mkdtemp(join(tmpdir(), "keyturn laptop-"));
  await mkdir(join(home, ".aws"));
  cloud.iam.createUser({ name: DEV, path: "/developers/" });
  const made = cloud.iam.createKey(DEV);
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    AWS_ENDPOINT_URL: wire.url,
    AWS_REGION: "us-east-1",
    // A name that somebody has set for other programs is not ours.
    AWS_SDK_UA_APP_ID: "keyturn-of-the-environment",
    NODE_NO_WARNINGS: "1",
  };
  const calls: string[] = [];
  cloud.onCall((call) => calls.push(described(call)));
  return {
    ...setup,
    home,
    first: { keyId: made.id, secret: made.secret },
    env,
    calls,
    run: (args, more = {}) => run(args, { ...env, ...more }),
    enrol: () => enrolIn(setup),
    replace: () => replaceIn(setup),
    retire() {
      const input = { UserName: DEV, AccessKeyId: made.id, Status: "Inactive" };
      cloud.callAs(cloud.role, { service: "iam", operation: "UpdateAccessKey", input });
      cloud.clock.advance(60_000);
    },
    write: (name, text) => writeFile(join(home, ".aws", name), text, "latin1"),
    read: (name) => readFile(join(home, ".aws", name), "latin1"),
    async close() {
      await setup.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

const described = ({ operation, signer, userAgent }: CloudCall): string =>
  `${operation} by ${signer?.keyId ?? "nobody"} as ${/ app\/(\S+)/.exec(` ${userAgent}`)?.[1] ?? "nobody"}`;

function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  return new Promise((resolve) => {
    const program = [...(env["DIE_AT"] === undefined ? [] : ["--import", DIE_AT]), PROGRAM, ...args];
    const child = execFile(execPath, program, { env }, (_, out, err) =>
      resolve({ exitCode: child.exitCode, out, err }),
    );
  });
}

const SECRET = `keyturn/${DEV}`;

function enrolIn({ cloud }: WireSetup): void {
  if (cloud.secretsManager.named(SECRET) !== null) return;
  const input = { Name: SECRET, SecretString: '{"Version":1}' };
  cloud.callAs(cloud.role, { service: "secretsmanager", operation: "CreateSecret", input });
}

function replaceIn(setup: WireSetup): SigningPair {
  const { cloud } = setup;
  enrolIn(setup);
  const made = cloud.iam.createKey(DEV);
  cloud.clock.advance(60_000);
  const SecretString = JSON.stringify({ Version: 1, AccessKeyId: made.id, SecretAccessKey: made.secret });
  const input = { SecretId: SECRET, SecretString };
  cloud.callAs(cloud.role, { service: "secretsmanager", operation: "PutSecretValue", input });
  return { keyId: made.id, secret: made.secret };
}
