import { type Ground, openGround } from "./ground.ts";

/** Callers that never pause. */
const CALLERS = 4;
/** Calls after the last change, so that what it left is seen. */
const CALLS_AFTERWARDS = 40;

/** What callers of the Worker met while a pair was handed over, and how that ended. */
export interface Measured {
  readonly what: string;
  readonly requests: number;
  readonly failed: number;
  readonly perSecond: number;
  /** What AWS said to the failed ones. */
  readonly codes: readonly string[];
  readonly ended: string;
  readonly live: string;
}

/** One way to hand the pair over, while callers call. */
export interface Case {
  readonly what: string;
  readonly lingers?: boolean;
  readonly handOver: (ground: Ground) => Promise<string>;
}

const staged = (ground: Ground): Promise<string> => ground.deliver(true);

export const CASES: readonly Case[] = [
  { what: "two secret puts", handOver: (ground) => ground.putTwice() },
  { what: "secrets-bulk", handOver: (ground) => ground.deliver(false) },
  { what: "staged", handOver: staged },
  {
    what: "secrets-bulk, a key that AWS refuses",
    handOver(ground) {
      ground.setStatus("new", "Inactive");
      return ground.deliver(false);
    },
  },
  {
    what: "staged, a key that AWS refuses",
    handOver(ground) {
      ground.setStatus("new", "Inactive");
      return staged(ground);
    },
  },
  {
    what: "staged, isolates keep the old pair",
    lingers: true,
    async handOver(ground) {
      const ended = await staged(ground);
      await ground.edge.endLingering();
      return ended;
    },
  },
  {
    what: "… and the old key goes at once",
    lingers: true,
    async handOver(ground) {
      const ended = await staged(ground);
      ground.setStatus("old", "Inactive");
      return ended;
    },
  },
];

/** Somebody deploys just before each of the calls that a staged delivery makes to Cloudflare. */
export async function overtakings(): Promise<readonly Case[]> {
  const ground = await openGround();
  await staged(ground);
  const calls = ground.calls();
  await ground.close();
  return Array.from({ length: calls }, (_, index) => ({
    what: `staged, somebody deploys before call ${String(index + 1)}`,
    handOver(later) {
      later.before.set(index + 1, later.deployByOthers);
      return staged(later);
    },
  }));
}

/** Hands over while callers call, and goes on until there were so many calls. */
export async function measure({ what, lingers = false, handOver }: Case, requestsMin: number): Promise<Measured> {
  const ground = await openGround({ lingers });
  const seen: (string | null)[] = [];
  let left = Number.POSITIVE_INFINITY;
  const call = async (): Promise<void> => {
    for (; left > 0; left -= 1) seen.push(await callOnce(ground.url));
  };
  const startedAt = performance.now();
  const callers = Promise.all(Array.from({ length: CALLERS }, call));
  const ended = await handOver(ground);
  await ground.edge.settled();
  left = Math.max(CALLS_AFTERWARDS, requestsMin - seen.length);
  await callers;
  const seconds = (performance.now() - startedAt) / 1_000;
  const live = ground.live();
  await ground.close();
  const codes = seen.filter((code) => code !== null);
  return {
    what,
    requests: seen.length,
    failed: codes.length,
    perSecond: Math.round(seen.length / seconds),
    codes: [...new Set(codes)],
    ended,
    live,
  };
}

/** The error code of the Worker's own call to AWS; null when it went well. */
async function callOnce(url: string): Promise<string | null> {
  try {
    const response = await fetch(url);
    const { ok, code } = (await response.json()) as { readonly ok: boolean; readonly code: string | null };
    return ok ? null : (code ?? "Unknown");
  } catch {
    return "NoAnswer";
  }
}
