import { days, hours, minutes } from "../../src/rotation/time.ts";
import { nextPair } from "./consumers.ts";
import { MAIL_POLICY } from "./cast.ts";
import type { Dice } from "./dice.ts";
import {
  createKeyByHand,
  deleteKeyByHand,
  forbidMail,
  moveLabelBack,
  setStatusByHand,
  tagByHand,
  giveByHand,
  resume,
  isHad,
} from "./people.ts";
import { custodyName, custodyPair } from "./stage.ts";
import type { SimulatedSubject, Stage } from "./stage.ts";
import type { Workplace } from "./workplaces.ts";

interface Doing {
  readonly stage: Stage;
  readonly dice: Dice;
  readonly subject: SimulatedSubject;
}

/** One inconvenient thing that a person does. */
export interface Deed {
  readonly name: string;
  readonly weight: number;
  /** How long it stays at most; null where nobody undoes it before all is mended. */
  readonly lastsMs: number | null;
  /** It waits for this, and then happens in the middle of a sweep. */
  readonly when?: (doing: Doing) => boolean;
  /** Does it, and gives what undoes it; null where there was nothing to do, or nothing to undo. */
  readonly act: (doing: Doing) => (() => void) | null;
}

const keysOf = ({ stage, subject }: Doing, status?: "Active" | "Inactive") =>
  stage.cloud.iam.keysOf(subject.user).filter((key) => status === undefined || key.status === status);

/** A deed at one of the user's Workers, where it has one. */
const atWorker =
  (act: (worker: Workplace, doing: Doing) => (() => void) | null): Deed["act"] =>
  (doing) => {
    const { workers } = doing.subject;
    return workers.length === 0 ? null : act(doing.dice.pick(workers), doing);
  };

const atKeys: readonly Deed[] = [
  {
    name: "creates a key by hand",
    weight: 4,
    lastsMs: days(8),
    act: ({ stage, subject }) => {
      const keyId = createKeyByHand(stage, subject.user);
      const key = keyId === null ? undefined : stage.cloud.iam.keys.get(keyId);
      return key === undefined
        ? null
        : () => {
            deleteKeyByHand(stage, key);
          };
    },
  },
  {
    name: "deletes a key",
    weight: 3,
    lastsMs: null,
    act: (doing) => {
      const keys = keysOf(doing);
      if (keys.length > 0) deleteKeyByHand(doing.stage, doing.dice.pick(keys));
      return null;
    },
  },
  {
    name: "disables a key",
    weight: 4,
    lastsMs: days(6),
    act: (doing) => {
      const keys = keysOf(doing, "Active");
      if (keys.length === 0) return null;
      const key = doing.dice.pick(keys);
      setStatusByHand(doing.stage, key, "Inactive");
      return () => {
        setStatusByHand(doing.stage, key, "Active");
      };
    },
  },
  {
    name: "makes a key active again",
    weight: 4,
    lastsMs: days(3),
    act: (doing) => {
      const keys = keysOf(doing, "Inactive");
      if (keys.length === 0) return null;
      const key = doing.dice.pick(keys);
      setStatusByHand(doing.stage, key, "Active");
      return () => {
        setStatusByHand(doing.stage, key, "Inactive");
      };
    },
  },
];

/** The replacement, while it is pending. */
function pendingOf({ stage, subject }: Doing) {
  const pending = custodyPair(stage, subject.user, "AWSPENDING");
  const isPending = pending !== null && pending.keyId !== custodyPair(stage, subject.user, "AWSCURRENT")?.keyId;
  return isPending ? stage.cloud.iam.keys.get(pending.keyId) : undefined;
}

const atReplacements: readonly Deed[] = [
  {
    name: "disables the replacement",
    weight: 2,
    lastsMs: days(2),
    when: (doing) => pendingOf(doing) !== undefined,
    act: (doing) => {
      const key = pendingOf(doing);
      if (key === undefined) return null;
      setStatusByHand(doing.stage, key, "Inactive");
      return () => {
        setStatusByHand(doing.stage, key, "Active");
      };
    },
  },
  {
    name: "deletes the replacement",
    weight: 2,
    lastsMs: null,
    when: (doing) => pendingOf(doing) !== undefined,
    act: (doing) => {
      const key = pendingOf(doing);
      if (key !== undefined) deleteKeyByHand(doing.stage, key);
      return null;
    },
  },
];

const atUsers: readonly Deed[] = [
  {
    name: "holds the user",
    weight: 3,
    lastsMs: days(6),
    act: ({ stage, subject }) => {
      tagByHand(stage, subject.user, "keyturn-hold", "a freeze");
      return () => {
        tagByHand(stage, subject.user, "keyturn-hold", null);
      };
    },
  },
  {
    name: "takes the tag away",
    weight: 3,
    lastsMs: days(6),
    act: ({ stage, subject }) => {
      tagByHand(stage, subject.user, "keyturn", null);
      return () => {
        tagByHand(stage, subject.user, "keyturn", subject.profile.name);
      };
    },
  },
  {
    name: "mistypes the tag",
    weight: 1,
    lastsMs: days(3),
    act: ({ stage, subject }) => {
      tagByHand(stage, subject.user, "keyturn", "nothing-of-that-name");
      return () => {
        tagByHand(stage, subject.user, "keyturn", subject.profile.name);
      };
    },
  },
  {
    name: "lets the user send mail",
    weight: 2,
    lastsMs: days(9),
    act: ({ stage, subject }) => {
      const inline = stage.cloud.iam.users.get(subject.user)?.inline;
      if (inline === undefined || "mail" in inline) return null;
      inline["mail"] = MAIL_POLICY;
      return () => {
        forbidMail(stage, subject);
      };
    },
  },
  {
    name: "makes the user again",
    weight: 1,
    lastsMs: null,
    act: ({ stage, dice, subject }) => {
      if (!dice.chance(0.3)) return null;
      for (const { id } of stage.cloud.iam.keysOf(subject.user)) stage.takenByPeople.add(id);
      stage.cloud.iam.deleteUser(subject.user);
      stage.cloud.iam.createUser({ name: subject.user, tags: { keyturn: subject.profile.name } });
      stage.remadeMs.set(subject.user, stage.clock.now());
      return null;
    },
  },
];

/** A Worker that has a version with the key that Keyturn took, and what that version is. */
function holderOfTaken(doing: Doing): { readonly worker: Workplace; readonly version: string } | null {
  for (const { id } of keysOf(doing, "Inactive")) {
    if (doing.stage.takenByPeople.has(id)) continue;
    for (const worker of doing.subject.workers) {
      const version = worker.versionWith(id);
      if (version !== null) return { worker, version };
    }
  }
  return null;
}

const atWorkers: readonly Deed[] = [
  {
    name: "restores the version with the key that was taken",
    weight: 3,
    lastsMs: days(6),
    when: (doing) => holderOfTaken(doing) !== null,
    act: (doing) => {
      const found = holderOfTaken(doing);
      if (found === null) return null;
      found.worker.rollBackTo(found.version);
      return () => {
        found.worker.rollBackTo(`v${String(found.worker.versions())}`);
      };
    },
  },
  {
    name: "deploys a Worker",
    weight: 4,
    lastsMs: null,
    act: atWorker((worker) => {
      worker.deployByOthers();
      return null;
    }),
  },
  {
    name: "restores an old Worker version",
    weight: 5,
    lastsMs: days(4),
    act: atWorker((worker, { dice }) => {
      const versions = worker.versions();
      if (versions < 2) return null;
      worker.rollBackTo(`v${String(dice.between(Math.max(1, versions - 3), versions - 1))}`);
      return () => {
        worker.rollBackTo(`v${String(worker.versions())}`);
      };
    }),
  },
  {
    name: "sets an old pair by hand",
    weight: 2,
    lastsMs: null,
    act: atWorker((worker, doing) => {
      const keys = keysOf(doing).filter((key) => isHad(doing.stage, doing.subject, key));
      if (keys.length === 0) return null;
      const { id: keyId, secret } = doing.dice.pick(keys);
      // Nothing tells such a version from one that only inherited our pair.
      giveByHand(doing, worker, { keyId, secret });
      return null;
    }),
  },
  {
    name: "leaves a Worker undeployable",
    weight: 3,
    lastsMs: days(5),
    act: atWorker((worker) => {
      worker.blockedBecause = "the newest version is not the live one";
      return () => {
        worker.blockedBecause = null;
      };
    }),
  },
  {
    name: "removes a Worker for a while",
    weight: 1,
    lastsMs: days(3),
    act: atWorker((worker) => {
      worker.isMissing = true;
      return () => {
        worker.isMissing = false;
      };
    }),
  },
  {
    name: "breaks the pushes of a Worker",
    weight: 1,
    lastsMs: days(9),
    act: atWorker((worker) => {
      worker.losesPushes = true;
      return () => {
        worker.losesPushes = false;
      };
    }),
  },
  {
    name: "takes a destination out of the profile",
    weight: 2,
    lastsMs: days(9),
    act: ({ dice, subject }) => {
      if (subject.destinations.length < 2) return null;
      const gone = dice.pick(subject.destinations);
      // A reader of custody needs no delivery, and cannot be forgotten.
      if (gone.readsCustody) return null;
      subject.destinations = subject.destinations.filter((destination) => destination !== gone);
      return () => {
        if (!subject.destinations.includes(gone)) subject.destinations = [...subject.destinations, gone];
      };
    },
  },
];

const atKeyturn: readonly Deed[] = [
  {
    name: "loses the journal",
    weight: 3,
    lastsMs: days(3),
    act: ({ stage }) => {
      stage.journal.wipe();
      stage.journalLostMs = stage.clock.now();
      stage.pausedMs = stage.clock.now();
      return () => {
        resume(stage);
      };
    },
  },
  {
    name: "pauses Keyturn",
    weight: 1,
    lastsMs: days(3),
    act: ({ stage }) => {
      void stage.journal.setRunning(null);
      stage.pausedMs = stage.clock.now();
      return () => {
        resume(stage);
      };
    },
  },
  {
    name: "schedules custody for deletion",
    weight: 1,
    lastsMs: days(5),
    act: ({ stage, subject }) => {
      const secret = stage.cloud.secretsManager.named(custodyName(subject.user));
      if (secret === null) return null;
      secret.deletedAtMs = stage.clock.now();
      return () => {
        secret.deletedAtMs = null;
      };
    },
  },
  {
    name: "takes KMS away",
    weight: 2,
    lastsMs: days(4),
    act: ({ stage, dice, subject }) => {
      const secret = stage.cloud.secretsManager.named(custodyName(subject.user));
      if (secret === null) return null;
      const isRead = dice.chance(0.5);
      secret.kms = isRead ? { read: "DecryptionFailure", write: null } : { read: null, write: "EncryptionFailure" };
      return () => {
        secret.kms = { read: null, write: null };
      };
    },
  },
  {
    name: "moves custody's label back",
    weight: 2,
    lastsMs: days(3),
    act: ({ stage, subject }) => {
      if (!moveLabelBack(stage, subject.user)) return null;
      const shown = custodyPair(stage, subject.user, "AWSCURRENT")?.keyId ?? "";
      return () => {
        moveLabelBack(stage, subject.user);
        // Whoever read it meanwhile holds a pair that no sweep need have seen.
        for (const consumer of subject.consumers) {
          if (nextPair(consumer, stage.clock.now())?.keyId === shown) consumer.forgiven.add(shown);
        }
      };
    },
  },
  {
    name: "makes AWS tell later",
    weight: 3,
    lastsMs: null,
    act: ({ stage, dice }) => {
      stage.cloud.lags.lastUsedMs = dice.pick([0, hours(1), hours(2), hours(4)]);
      stage.cloud.lags.cloudTrailMs = dice.pick([minutes(5), minutes(15), hours(6), days(200)]);
      return null;
    },
  },
];

/** What asks for a key that was taken; drawn once more where that must not wait for a window. */
export const BRINGING_BACK = atWorkers.filter(
  ({ name }) => name === "restores the version with the key that was taken",
);

export const MISCHIEF: readonly Deed[] = [...atKeys, ...atReplacements, ...atUsers, ...atWorkers, ...atKeyturn];
