import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { SweepResult } from "../../src/sweep.ts";
import { build } from "../build.ts";
import { mistakePlugin } from "../mistakes/index.ts";
import type { MistakeName } from "../mistakes/index.ts";
import type { LocalCloud } from "./local-cloud.ts";

/** The Lambda function, as this process invokes it. */
export interface Deployment {
  /** By hand: a fresh table is paused. */
  resume(): Promise<void>;
  /** The Scheduler's event. */
  sweep(): Promise<SweepResult>;
}

type Handler = (event: unknown) => Promise<unknown>;

/** Bundles the function as it would be deployed, tells it where it runs, and loads it once, as a warm Lambda does. */
export async function deploy(local: LocalCloud, mistake: MistakeName | null): Promise<Deployment> {
  const { file } = await build(
    mistake === null ? {} : { output: `dist/keyturn-${mistake}.cjs`, plugins: [mistakePlugin(mistake)] },
  );
  Object.assign(process.env, local.environment);
  const { handler } = createRequire(fileURLToPath(import.meta.url))(file) as { handler: Handler };
  return {
    async resume() {
      await handler({ command: "resume" });
    },
    sweep: async () => (await handler({ command: "sweep" })) as SweepResult,
  };
}
