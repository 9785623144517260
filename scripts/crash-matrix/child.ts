import { createRequire } from "node:module";
import type { ChildHears, ChildSays } from "./child-process.ts";

/** The bundle in a process of its own, which may be killed at any moment. Each message is one invocation. */
const [file = ""] = process.argv.slice(2);
const { handler } = createRequire(import.meta.url)(file) as { handler: (event: unknown) => Promise<unknown> };

// An interruption from the terminal is not for this process.
process.on("SIGINT", () => {});

const say = (said: ChildSays): void => {
  process.send?.(said);
};

process.on("message", ({ event, environment }: ChildHears) => {
  Object.assign(process.env, environment);
  handler(event).then(
    (result) => say({ kind: "returned", result }),
    (thrown: unknown) => say({ kind: "threw", error: String(thrown) }),
  );
});
