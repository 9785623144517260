import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";

/** What each mistake is, and the one module of the bundle that it takes the place of. */
export const MISTAKES = {
  "two-puts": {
    replaces: "src/cloud/cloudflare.ts",
    is: "a Worker's pair is set by two single writes",
  },
  "no-quiet": {
    replaces: "src/decide/rules/retire.ts",
    is: "the old key goes as soon as the new one is promoted",
  },
  "delete-first": {
    replaces: "src/act/create-replacement.ts",
    is: "the old key is deleted before its replacement is made",
  },
} as const satisfies Readonly<Record<string, { readonly replaces: string; readonly is: string }>>;

export type MistakeName = keyof typeof MISTAKES;

/** Those that the crash matrix must notice: one more, which does no harm until something goes wrong. */
export const CRASH_MISTAKES = {
  ...MISTAKES,
  "no-orphan": {
    replaces: "src/decide/rules/orphan.ts",
    is: "a key whose secret was lost when it was made is taken for a stranger's",
  },
} as const;

export type CrashMistakeName = keyof typeof CRASH_MISTAKES;

export const isMistake = (name: string): name is MistakeName => Object.hasOwn(MISTAKES, name);

export const isCrashMistake = (name: string): name is CrashMistakeName => Object.hasOwn(CRASH_MISTAKES, name);

/** Puts a mistake into the bundle. The module that it replaces stays within the mistake's own reach. */
export const mistakePlugin = (name: CrashMistakeName): Plugin =>
  replacing(CRASH_MISTAKES[name].replaces, `scripts/mistakes/${name}.ts`);

/** Has one module of a bundle stand in for another, which stays within its own reach. Both from the root of the project. */
export function replacing(module: string, standIn: string): Plugin {
  const fromRoot = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
  const [replaced, mistaken] = [fromRoot(module), fromRoot(standIn)] as const;
  return {
    name: `${standIn} for ${module}`,
    setup(build) {
      build.onResolve({ filter: /\.ts$/ }, async ({ path, pluginData, kind, importer, resolveDir }) => {
        if (pluginData === "resolving" || importer === mistaken) return null;
        const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: "resolving" });
        return found.path === replaced ? { path: mistaken } : null;
      });
    },
  };
}
