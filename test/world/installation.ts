import { userName } from "../../src/rotation/keys.ts";
import type { Notice } from "../../src/rotation/notice.ts";
import type { Profile } from "../../src/rotation/policy.ts";
import { hours, instant } from "../../src/rotation/time.ts";
import type { Destination, World } from "../../src/rotation/world.ts";
import type { SweepResult } from "../../src/sweep.ts";
import { sweep } from "../../src/sweep.ts";
import type { Cloud } from "./cloud.ts";
import { createCloud } from "./cloud.ts";
import { SimulatedClock } from "./clock.ts";
import { MemoryJournal } from "./direct/journal.ts";
import type { DirectWorld } from "./direct/world.ts";
import { directWorld } from "./direct/world.ts";

const START_MS = Date.UTC(2026, 0, 5);

/** Keyturn as somebody installed it, on a simulated account: every sweep is a run of its own, the table outlives them. */
export interface Installation {
  readonly cloud: Cloud;
  readonly clock: SimulatedClock;
  journal: MemoryJournal;
  /** Every notice ever sent of a user, but that something is over: "user code". */
  readonly told: string[];
  /** The same notices whole. */
  readonly notices: Notice[];
  /** What was told to be over, and what was told of the service itself. */
  readonly closed: Notice[];
  readonly ofService: Notice[];
  /** Changes the world of each run from now on: a crash, a lie. Null for the world as it is. */
  bend: ((world: DirectWorld) => World) | null;
  profiles: Record<string, Profile>;
  destinations: Record<string, readonly Destination[]>;
  /** The keys of a user as IAM lists them: "id Active". */
  keysOf(user: string): string[];
  /** The world of a new run. */
  run(): DirectWorld;
  sweep(users?: readonly string[]): Promise<SweepResult>;
  /** Sweeps every hour for so long; `between` happens after each hour, before its sweep. */
  pass(ms: number, between?: () => void | Promise<void>): Promise<SweepResult[]>;
  /** The same, until something is the case; throws when it is not so in time. */
  passUntil(isSo: () => boolean, limitMs: number, between?: () => void | Promise<void>): Promise<void>;
}

interface InstallationOptions {
  readonly profiles: Record<string, Profile>;
  readonly destinations?: Record<string, readonly Destination[]>;
  readonly regions?: readonly string[];
  readonly bend?: (world: DirectWorld) => World;
}

export async function install(options: InstallationOptions): Promise<Installation> {
  const clock = new SimulatedClock(START_MS);
  const cloud = createCloud({ clock, regions: options.regions ?? ["us-east-1", "eu-central-1"] });
  // A report that is there at once leaves the time as the test has it.
  cloud.iam.credentialReports.takesMs = 0;
  const told: string[] = [];
  let runs = 0;
  const installation: Installation = {
    cloud,
    clock,
    journal: new MemoryJournal(),
    told,
    notices: [],
    closed: [],
    ofService: [],
    bend: options.bend ?? null,
    profiles: options.profiles,
    destinations: options.destinations ?? {},
    keysOf: (user) =>
      [...cloud.iam.keys.values()]
        .filter(({ caller, isDeleted }) => caller.name === user && !isDeleted)
        .map(({ id, status }) => `${id} ${status}`),
    run: () =>
      directWorld(cloud, {
        journal: installation.journal,
        destinations: () => ({ of: (profile) => installation.destinations[profile] ?? [] }),
        // Two runs at the same instant are two holders of leases.
        seed: clock.now() + runs++,
      }),
    sweep: async (users) => {
      const world = installation.run();
      const result = await sweep(installation.bend?.(world) ?? world, {
        profiles: installation.profiles,
        enrolmentTag: "keyturn",
        mode: "act",
        ...(users === undefined ? {} : { users: users.map((name) => userName(name)) }),
      });
      const sent = world.notifier.notices;
      const opened = sent.filter(({ user, isOver }) => user !== null && isOver !== true);
      told.push(...opened.map(({ user, code }) => `${user ?? ""} ${code}`));
      installation.notices.push(...opened);
      installation.closed.push(...sent.filter(({ user, isOver }) => user !== null && isOver === true));
      installation.ofService.push(...sent.filter(({ user }) => user === null));
      return result;
    },
    pass: async (ms, between) => {
      const results: SweepResult[] = [];
      const until = clock.now() + ms;
      while (clock.now() < until) {
        clock.advance(hours(1));
        await between?.();
        results.push(await installation.sweep());
      }
      return results;
    },
    passUntil: async (isSo, limitMs, between) => {
      const until = clock.now() + limitMs;
      while (!isSo()) {
        if (clock.now() >= until) throw new Error(`not so within ${String(limitMs / hours(24))} days`);
        clock.advance(hours(1));
        await between?.();
        await installation.sweep();
      }
    },
  };
  await installation.journal.setRunning(instant(START_MS));
  return installation;
}
