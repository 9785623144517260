import { days } from "../../src/rotation/time.ts";
import type { Deed } from "./mischief.ts";
import { giveByHand, isHad } from "./people.ts";
import type { Workplace } from "./workplaces.ts";

/** A deed at one of the places of a user that store a pair before it is live. */
const atStored =
  (act: (builds: NonNullable<Workplace["builds"]>, worker: Workplace) => (() => void) | null): Deed["act"] =>
  ({ dice, subject: { workers } }) => {
    const stored = workers.filter(({ builds }) => builds !== null);
    const worker = stored.length === 0 ? null : dice.pick(stored);
    return worker?.builds ? act(worker.builds, worker) : null;
  };

/** What people, and Cloudflare, do to places that store first. Drawn by dice of their own. */
export const PAGES_MISCHIEF: readonly Deed[] = [
  {
    name: "breaks the builds",
    weight: 3,
    lastsMs: days(5),
    act: atStored((builds) => {
      builds.breakAll(true);
      return () => {
        builds.breakAll(false);
      };
    }),
  },
  {
    name: "cancels the build under way",
    weight: 2,
    lastsMs: null,
    when: ({ subject }) => subject.workers.some(({ builds }) => builds?.isAwaited() === true),
    act: atStored((builds) => {
      builds.cancel();
      return null;
    }),
  },
  {
    name: "Cloudflare fails after the pair is stored",
    weight: 3,
    lastsMs: null,
    act: atStored((builds) => {
      builds.tearNext();
      return null;
    }),
  },
  {
    name: "pushes, or uploads",
    weight: 3,
    lastsMs: null,
    act: atStored((_, worker) => {
      worker.deployByOthers();
      return null;
    }),
  },
  {
    name: "pushes while a pair is stored and not live",
    weight: 3,
    lastsMs: null,
    when: ({ subject }) => subject.workers.some(({ builds }) => builds?.isAwaited() === true),
    act: atStored((_, worker) => {
      worker.deployByOthers();
      return null;
    }),
  },
  {
    name: "a CI sends an old pair again",
    weight: 2,
    lastsMs: null,
    act: ({ stage, dice, subject }) => {
      const stored = subject.workers.filter(({ builds }) => builds !== null);
      const keys = stage.cloud.iam.keysOf(subject.user).filter((key) => isHad(stage, subject, key));
      if (stored.length === 0 || keys.length === 0) return null;
      const { id: keyId, secret } = dice.pick(keys);
      giveByHand({ stage, subject }, dice.pick(stored), { keyId, secret });
      return null;
    },
  },
];
