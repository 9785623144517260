import { Agent, get } from "node:http";
import { setTimeout as wait } from "node:timers/promises";

/** Callers that never pause, each on a line of its own. */
const CALLERS = 4;
const LOOKS_EACH_MS = 2;

/** Visitors of Workers, who know nothing of rotations: from `open` to `close` without a pause, but while time leaps. */
export interface Traffic {
  /** Where they go, in turn. */
  readonly urls: string[];
  readonly count: () => number;
  /** How often AWS refused a Worker's call, by its code; `NoAnswer` where the visitor got none. */
  readonly failures: ReadonlyMap<string, number>;
  readonly open: () => void;
  /** Resolves when there were so many calls in all. */
  readonly reach: (count: number) => Promise<void>;
  /** Does something while no call is under way. */
  readonly pause: (act: () => void) => Promise<void>;
  /** One visit beside the others. */
  readonly visit: (url: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

export function createTraffic(): Traffic {
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS + 1 });
  const urls: string[] = [];
  const failures = new Map<string, number>();
  let [count, underWay] = [0, 0];
  let state: "open" | "paused" | "closed" = "closed";
  const working: Promise<void>[] = [];

  const visit = async (url: string): Promise<void> => {
    underWay += 1;
    const code = await answerOf(url, agent);
    underWay -= 1;
    count += 1;
    if (code !== null) failures.set(code, (failures.get(code) ?? 0) + 1);
  };
  const work = async (caller: number): Promise<void> => {
    for (let turn = caller; state !== "closed"; turn += 1) {
      if (state === "paused") await wait(LOOKS_EACH_MS);
      else await visit(urls[turn % urls.length] ?? "");
    }
  };
  return {
    urls,
    count: () => count,
    failures,
    visit,
    open() {
      state = "open";
      working.push(...Array.from({ length: CALLERS }, (_, caller) => work(caller)));
    },
    async reach(many) {
      while (count < many) await wait(LOOKS_EACH_MS);
    },
    async pause(act) {
      state = "paused";
      while (underWay > 0) await wait(LOOKS_EACH_MS);
      act();
      state = "open";
    },
    async close() {
      state = "closed";
      await Promise.all(working);
      agent.destroy();
    },
  };
}

/** The error code of the Worker's own call to AWS; null when it went well. */
async function answerOf(url: string, agent: Agent): Promise<string | null> {
  try {
    const { ok, code } = JSON.parse(await textOf(url, agent)) as { readonly ok: boolean; readonly code: string | null };
    return ok ? null : (code ?? "Unknown");
  } catch {
    return "NoAnswer";
  }
}

const textOf = (url: string, agent: Agent): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = get(url, { agent }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (text += chunk));
      answer.once("end", () => resolve(text));
      answer.once("error", reject);
    });
    asked.once("error", reject);
  });
