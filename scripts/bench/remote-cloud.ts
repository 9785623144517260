import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Order, Place, Told } from "./messages.ts";

const SCRIPT = fileURLToPath(new URL("../bench-cloud.ts", import.meta.url));

/** The simulated cloud, its time running, in another process. */
export interface RemoteCloud extends Place {
  readonly clock: { readonly isRunning: true; advance(): void };
  /** Has something done there, one order after the other. */
  ask(order: Order): Promise<Told>;
  close(): Promise<void>;
}

export async function startRemoteCloud(latencyMs: number): Promise<RemoteCloud> {
  const child = fork(SCRIPT, [String(latencyMs)]);
  const [place] = (await once(child, "message")) as [Place];
  return {
    ...place,
    clock: { isRunning: true, advance: () => undefined },
    async ask(order) {
      const answer = once(child, "message");
      child.send(order);
      const [told] = (await answer) as [Told];
      return told;
    },
    async close() {
      const exit = once(child, "exit");
      child.disconnect();
      await exit;
    },
  };
}
