import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Measured } from "./rotation.ts";
import type { Task } from "./worker.ts";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

/** Measures rows in so many processes, and tells of each when all before it are told. Throws when one of them dies. */
export async function measureAll(
  tasks: readonly Task[],
  jobs: number,
  tell: (task: Task, measured: Measured) => void,
): Promise<void> {
  const waiting = [...tasks.entries()];
  const done: Measured[] = [];
  let told = 0;
  const work = async (): Promise<void> => {
    const worker = fork(WORKER);
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, task] = next;
      done[at] = await asked(worker, task);
      for (let one = done[told]; one !== undefined; one = done[told]) {
        const itsTask = tasks[told];
        if (itsTask !== undefined) tell(itsTask, one);
        told += 1;
      }
    }
    worker.disconnect();
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
}

async function asked(worker: ChildProcess, task: Task): Promise<Measured> {
  worker.send(task);
  const ended = new AbortController();
  const { signal } = ended;
  const died = once(worker, "exit", { signal }).then(() => {
    throw new Error("a process that measured died");
  });
  const answered = once(worker, "message", { signal }).then(([measured]) => measured as Measured);
  return Promise.race([answered, died]).finally(() => {
    ended.abort();
    // The one that lost the race is aborted, which is nobody's concern.
    died.catch(() => null);
    answered.catch(() => null);
  });
}
