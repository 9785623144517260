import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}
interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

const PERMISSIVE = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0"];
/** Of tools alone, which run on a developer's machine and are not shipped: each is a library that stays its own file. */
const TOOLS_ALSO = [
  "CC0-1.0",
  "LGPL-3.0-or-later",
  "MPL-2.0",
  "PSF-2.0",
  "Python-2.0",
  "MIT OR Apache-2.0",
  "Apache-2.0 AND LGPL-3.0-or-later",
  "Apache-2.0 AND LGPL-3.0-or-later AND MIT",
];

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const locked = Object.entries(lock.packages).filter(([path]) => path !== "");
const nameOf = (path: string): string => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
const violating = (breaks: (found: Locked) => boolean): string[] =>
  locked.filter(([, found]) => breaks(found)).map(([path, found]) => `${path} ${found.license ?? "without a licence"}`);

test("every locked package is known by its hash, and by no host", () => {
  expect(locked.length).toBeGreaterThan(100);
  expect(violating(({ integrity }) => integrity?.startsWith("sha512-") !== true)).toEqual([]);
  expect(violating(({ resolved }) => resolved !== undefined)).toEqual([]);
});

test("what is deployed has a permissive licence, and so has a tool, or one of a library that stays its own", () => {
  const known = ({ license = "", dev }: Locked): boolean =>
    PERMISSIVE.includes(license) || (dev === true && TOOLS_ALSO.includes(license));
  expect(violating((found) => !known(found))).toEqual([]);
});

test("scripts at installation run for the named packages alone, none of which is deployed", () => {
  const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  const names = new Set(scripted.map(([path]) => nameOf(path)));
  expect([...names].toSorted()).toEqual(Object.keys(manifest.allowScripts).toSorted());
  expect(scripted.filter(([, { dev }]) => dev !== true)).toEqual([]);
});

test("every direct dependency is pinned to one version, and has its reason on record", () => {
  const reasons = readFileSync("docs/decisions/0030-dependencies.md", "utf8");
  const direct = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(direct.filter(([, range]) => !/^(npm:[\w-]+@)?\d+\.\d+\.\d+$/.test(range))).toEqual([]);
  const said = (name: string): boolean =>
    reasons.includes(`\`${name}\``) || reasons.includes(`\`${name.replace(/^@aws-sdk\//, "")}\``);
  expect(direct.map(([name]) => name).filter((name) => !said(name))).toEqual([]);
});
