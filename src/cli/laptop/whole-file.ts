import { mkdir, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { RotationError } from "../../rotation/errors.ts";

/** Ten seconds: nobody holds the lock for longer than it takes to write a small file. */
const TRIES_MAX = 100;
const TRY_EVERY_MS = 100;
/**
 * Who died between making the lock and writing its number into it leaves one that says nothing. Were two to write at once
 * for that, the file would still be whole: each changes the text that it finds, and puts it there in one step.
 */
const UNSIGNED_LOCK_KEPT_MS = 2_000;
const PRIVATE = 0o600;

const codeOf = (thrown: unknown): unknown => (thrown as { readonly code?: unknown }).code;

/** The wall clock of this machine, which no decision about a key rests on. */
const wallMs = (): number => performance.timeOrigin + performance.now();

/** A file's bytes, one character each, so that what is not ours is written back as it was; null where there is none. */
export async function readWhole(file: string): Promise<string | null> {
  try {
    return await readFile(file, "latin1");
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return null;
    throw new RotationError(
      "Misconfigured",
      `reading ${file}, ${String(codeOf(thrown))}. See that it is a file, and that whoever runs this may read it`,
      { cause: thrown },
    );
  }
}

/**
 * Changes a file under a lock, all or nothing: whoever reads it, or whenever we die, sees the old text or the new. A link
 * stays a link. `change` gets the text as it is now; null leaves it. Throws `Conflict` when another goes on holding the lock.
 */
export async function changeWhole(
  link: string,
  change: (text: string) => string | null,
  isPrivate = true,
): Promise<void> {
  try {
    await mkdir(dirname(link), { recursive: true, mode: 0o700 });
    const file = await realpath(link).catch(() => link);
    await locked(file, async () => {
      const text = change((await readWhole(file)) ?? "");
      if (text !== null) await replace(file, text, isPrivate ? PRIVATE : await modeOf(file));
    });
  } catch (thrown) {
    if (thrown instanceof RotationError) throw thrown;
    const mend = "See that its folder is there, and that whoever runs this may write it";
    throw new RotationError("Misconfigured", `writing ${link}, ${String(codeOf(thrown))}. ${mend}`, { cause: thrown });
  }
}

const modeOf = async (file: string): Promise<number> => (await stat(file).catch(() => null))?.mode ?? PRIVATE;

async function replace(file: string, text: string, mode: number): Promise<void> {
  // Always the same name: what a run that died left behind is written over by the next.
  const unfinished = `${file}.keyturn-new`;
  await rm(unfinished, { force: true });
  const handle = await open(unfinished, "wx", PRIVATE);
  try {
    await handle.chmod(mode & 0o777);
    await handle.writeFile(text, "latin1");
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
  // So that the name, too, outlives a power cut; where a folder cannot be synchronised the file system does without.
  const folder = await open(dirname(file), "r").catch(() => null);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

async function locked(file: string, work: () => Promise<void>): Promise<void> {
  const lock = `${file}.keyturn-lock`;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    if (await take(lock)) {
      try {
        return await work();
      } finally {
        await rm(lock, { force: true });
      }
    }
    if (await isAbandoned(lock)) await rm(lock, { force: true });
    else await wait(TRY_EVERY_MS);
  }
  const said = `another keyturn is writing it; if none is, delete ${lock}`;
  throw new RotationError("Conflict", `writing ${file}, ${said}`);
}

async function take(lock: string): Promise<boolean> {
  try {
    const handle = await open(lock, "wx", PRIVATE);
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === "EEXIST") return false;
    throw thrown;
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  const holder = Number(await readFile(lock, "utf8").catch(() => ""));
  const madeMs = (await stat(lock).catch(() => null))?.mtimeMs ?? wallMs();
  if (!(holder > 0)) return wallMs() - madeMs > UNSIGNED_LOCK_KEPT_MS;
  try {
    process.kill(holder, 0);
    return false;
  } catch (thrown) {
    // Somebody else's process lives, although we may not signal it.
    return codeOf(thrown) === "ESRCH";
  }
}
