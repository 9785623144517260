import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath, pid } from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { changeWhole } from "../../../src/cli/laptop/whole-file.ts";
import { RotationError } from "../../../src/rotation/errors.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const [OLD, NEW] = ["old\n".repeat(20_000), "new\r\n".repeat(20_000)];

describe("a file that is changed", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "keyturn-file-"));
    file = join(folder, "credentials");
    await writeFile(file, OLD);
  });
  afterEach(async () => rm(folder, { recursive: true }));

  const change = (dieAt: string): Promise<number | null> =>
    new Promise((resolve) => {
      const args = ["--import", here("die-at.ts"), here("change.ts"), file, NEW];
      const child = execFile(execPath, args, { env: { DIE_AT: dieAt } }, () => resolve(child.exitCode));
    });

  test("is the old one or the new one wherever its writer is killed, and the next writer ends well", async () => {
    const left: string[] = [];
    for (let step = 1, isKilled = true; isKilled; step += 1) {
      await writeFile(file, OLD);
      isKilled = (await change(String(step))) === null;
      left.push(await readFile(file, "utf8"));
      await changeWhole(file, () => NEW);
      expect(await readFile(file, "utf8")).toBe(NEW);
      // What the one that was killed left behind is gone with the next.
      expect(await readdir(folder)).toEqual(["credentials"]);
    }
    expect(left.length).toBeGreaterThan(9);
    expect(left.filter((text) => text !== OLD && text !== NEW)).toEqual([]);
    expect(new Set(left).size).toBe(2);
  });

  test("is waited for while another writes it, and left alone where there is nothing to change", async () => {
    await writeFile(`${file}.keyturn-lock`, String(pid));
    let isDone = false;
    const changed = changeWhole(file, (text) => (text === OLD ? NEW : null)).then(() => (isDone = true));
    await wait(250);
    expect([isDone, await readFile(file, "utf8")]).toEqual([false, OLD]);
    await rm(`${file}.keyturn-lock`);
    await changed;
    expect(await readFile(file, "utf8")).toBe(NEW);
    const { mtimeMs, ino } = await stat(file);
    await changeWhole(file, () => null);
    expect(await stat(file)).toMatchObject({ mtimeMs, ino });
  });

  test("keeps each byte, also those that are no text", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await writeFile(file, bytes);
    await changeWhole(file, (text) => `${text}!`);
    expect(await readFile(file)).toEqual(Buffer.concat([bytes, Buffer.from("!")]));
  });

  test("that cannot be written says which, and why", async () => {
    const inFile = join(file, "credentials");
    const refused = await changeWhole(inFile, () => NEW).catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(RotationError);
    expect(String(refused)).toContain(`writing ${inFile}, E`);
    expect(String(refused)).toContain("whoever runs this may write it");
  });
});
