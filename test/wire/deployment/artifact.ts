import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { inflateRawSync } from "node:zlib";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const NODE = join(ROOT, "node_modules/.bin/node");
const SLS = join(ROOT, "node_modules/serverless/bin/serverless.js");

/** A resource as CloudFormation's template has it. */
interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

export type Resources = Readonly<Record<string, Resource>>;

/** What `sls package` made: the template that a deployment applies, and the files of the function's archive. */
export interface Packaged {
  readonly resources: Resources;
  readonly files: ReadonlyMap<string, Buffer>;
}

/**
 * Runs `sls` in the project with standard input closed, and gives what it wrote to standard output. It gets no
 * variables but those given: no credentials of whoever runs the tests.
 */
export async function sls(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<string> {
  const env = {
    PATH: "/usr/bin:/bin",
    HOME: tmpdir(),
    AWS_EC2_METADATA_DISABLED: "true",
    ...variables,
  };
  const running = promisify(execFile)(NODE, [SLS, ...args], { cwd: ROOT, env });
  running.child.stdin?.end();
  return (await running).stdout;
}

const PACKAGING = join(ROOT, "dist/packaging.lock");
const TURN_AFTER_MS = 100;
/** One takes five seconds on a quiet machine. Whoever died with it does not keep it for ever. */
const TURN_MAX_MS = 60_000;

/** Packaging begins by emptying .serverless, also what another process is about to take from there: one after the other. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  await mkdir(join(ROOT, "dist"), { recursive: true });
  const isTaken = (): Promise<boolean> =>
    mkdir(PACKAGING).then(
      () => true,
      () => false,
    );
  for (let waitedMs = 0; !(await isTaken()) && waitedMs < TURN_MAX_MS; waitedMs += TURN_AFTER_MS) {
    await setTimeout(TURN_AFTER_MS);
  }
  try {
    return await work();
  } finally {
    await rmdir(PACKAGING).catch(() => null);
  }
}

/** Packages a stage. `parameters`: as `--param` takes them, "path=/ci/". */
export async function packageStage(stage: string, parameters: readonly string[] = []): Promise<Packaged> {
  const directory = await mkdtemp(join(tmpdir(), "keyturn-package-"));
  try {
    await alone(() =>
      sls(["package", "--stage", stage, "--package", directory, ...parameters.map((one) => `--param=${one}`)]),
    );
    const read = async (name: string): Promise<Buffer> => readFile(join(directory, name));
    const template = await read("cloudformation-template-update-stack.json");
    const { Resources } = JSON.parse(template.toString("utf8")) as { readonly Resources: Resources };
    return { resources: Resources, files: unzip(await read("keyturn.zip")) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

const END_OF_DIRECTORY = 0x06054b50;

/** The files of an archive by their paths. Source: PKWARE's APPNOTE, 4.3 (entries stored or deflated). */
function unzip(archive: Buffer): ReadonlyMap<string, Buffer> {
  const signature = Buffer.alloc(4);
  signature.writeUInt32LE(END_OF_DIRECTORY);
  const end = archive.lastIndexOf(signature);
  const files = new Map<string, Buffer>();
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      archive.readUInt16LE(at + offset),
    ) as [number, number, number];
    const name = archive.toString("utf8", at + 46, at + 46 + nameLength);
    const local = archive.readUInt32LE(at + 42);
    const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const bytes = archive.subarray(from, from + archive.readUInt32LE(at + 20));
    files.set(name, archive.readUInt16LE(at + 10) === 0 ? bytes : inflateRawSync(bytes));
    at += 46 + nameLength + extraLength + commentLength;
  }
  return files;
}
