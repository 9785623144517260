import { RotationError } from "../../src/rotation/errors.ts";
import type { Receipt } from "../../src/rotation/record.ts";
import type { Destination, Journal, Notifier } from "../../src/rotation/world.ts";
import type { Checker, Sent } from "./checker.ts";
import { settle } from "./consumers.ts";
import { isRevoking, isUrgent } from "./leaks.ts";
import type { FaultKind } from "./plan.ts";
import type { Run } from "./run.ts";
import { isRaced } from "./stage.ts";
import type { SimulatedSubject, Stage } from "./stage.ts";

function refused(doing: string): (kind: FaultKind) => Error {
  return (kind) => {
    if (kind === "denied") return new RotationError("Denied", `${doing}, access denied`);
    if (kind === "throttle")
      return new RotationError("Throttled", `${doing}, too many requests`, { retryAfterMs: 1_000 });
    return new RotationError("Unreachable", `${doing}, no answer came`, { outcomeUnknown: true });
  };
}

/** What is asked of the outside. */
export interface Exchanged {
  readonly operation: string;
  readonly user: string;
  readonly refuse: (kind: FaultKind) => Error;
  /** Called when it is sent: others had their turn before. */
  readonly sending?: () => void;
}

/** One exchange with the outside: an effect, and all that may go wrong around it. */
type Exchange = <Answer>(call: Exchanged, effect: () => Answer, stale?: () => Answer | null) => Promise<Answer>;

/** What everything outside of AWS is reached through. */
interface Outside {
  readonly stage: Stage;
  readonly checkers: readonly Checker[];
  readonly exchange: Exchange;
}

export function troubledJournal({ exchange, checkers, stage }: Outside, journal: Journal, run: () => Run): Journal {
  const through = <Answer>(method: string, user: string, effect: () => Promise<Answer>): Promise<Answer> =>
    exchange({ operation: `journal.${method}`, user, refuse: refused(`journal ${method}`) }, effect).then((it) => it);
  return {
    read: (user) => through("read", user, () => journal.read(user)),
    write: (revision, next) =>
      through("write", next.record.user, async () => {
        const written = await journal.write(revision, next);
        for (const checker of checkers) {
          checker.wrote?.(run(), next.record);
          for (const entry of next.history) checker.appended?.(run(), entry);
        }
        return written;
      }),
    readMany: (users) => through("readMany", "", () => journal.readMany(users)),
    history: (user) => journal.history(user),
    sweepState: () => through("sweepState", "", () => journal.sweepState()),
    setRunning: async (since) => {
      await journal.setRunning(since);
      stage.pausedMs = since === null ? stage.clock.now() : null;
    },
    setPause: async (pause) => {
      await journal.setPause(pause);
      stage.pausedMs = stage.clock.now();
    },
    notePause: (pause) => journal.notePause(pause),
    setMemory: (memory, calls) => through("setMemory", "", () => journal.setMemory(memory, calls)),
  };
}

/** Of what changes nothing nobody asks. */
export const UNWATCHED: Sent = {
  wasRaced: false,
  wasRetagged: false,
  wasRegranted: false,
  wasUrgent: false,
  wasRevoked: false,
  atMs: Number.POSITIVE_INFINITY,
};

export const sentBy = (stage: Stage, run: Run, user: string): Sent => ({
  wasRaced: isRaced(stage, run, user),
  wasRetagged: isRaced(stage, run, user, "tags"),
  wasRegranted: isRaced(stage, run, user, "policies"),
  wasUrgent: isUrgent(stage, user),
  wasRevoked: isRevoking(stage, user),
  atMs: stage.clock.now(),
});

export function troubledDestination(
  { exchange, checkers, stage }: Outside,
  destination: Destination,
  { subject, run }: { readonly subject: SimulatedSubject; readonly run: () => Run },
): Destination {
  if (destination.readsCustody) return destination;
  const { name } = destination;
  const through = <Answer>(
    method: string,
    effect: () => Promise<Answer>,
    sending: () => void = () => undefined,
  ): Promise<Answer> => {
    const refuse = refused(`${method} at ${name}`);
    return exchange({ operation: `destination.${method}`, user: subject.user, refuse, sending }, effect).then(
      (it) => it,
    );
  };
  return {
    name,
    slots: destination.slots,
    readsCustody: false,
    preflight: async () => {
      // A place that is shut, or gone, is a trouble as any other.
      const troubled = (): void => void run().troubles.add("destination.preflight");
      const answer = await through("preflight", () => destination.preflight()).catch((thrown: unknown) => {
        troubled();
        throw thrown;
      });
      if (answer.kind === "blocked") troubled();
      return answer;
    },
    live: (receipt) =>
      through("live", async () => {
        const state = await destination.live(receipt);
        for (const checker of checkers) checker.sawLive?.({ run: run(), destination: name, state });
        return state;
      }),
    deliver: (credential, anchor) => {
      let sent = UNWATCHED;
      const sending = (): void => {
        sent = sentBy(stage, run(), subject.user);
      };
      const arrives = (): Promise<Receipt> => {
        settle(stage);
        const pair = { keyId: credential.id, secret: credential.secret.reveal() };
        stage.trace.note(subject.user, "deliver", () => `${pair.keyId} to ${name} by run ${String(run().id)}`);
        // A request may arrive late, and its run have learnt meanwhile that somebody took the key before it was sent.
        const isOvertaken = sent.wasRaced && stage.takenByPeople.has(pair.keyId);
        for (const checker of checkers)
          checker.delivering?.({ run: run(), subject, destination: name, pair, isOvertaken, sent });
        return destination.deliver(credential, anchor);
      };
      return through("deliver", arrives, sending);
    },
  };
}

export function troubledNotifier({ exchange, checkers, stage }: Outside, notifier: Notifier, run: () => Run): Notifier {
  return {
    name: notifier.name,
    notify: (notices) =>
      exchange({ operation: "notifier.notify", user: notices[0]?.user ?? "", refuse: refused("notifying") }, () => {
        for (const { user, code, text, isOver } of notices) {
          // What is over, or of the service itself, tells of no user's trouble.
          if (isOver || user === null) continue;
          stage.toldMs.set(`${user} ${code}`, stage.clock.now());
          stage.trace.note(user, "notice", () => `${code}: ${text}`);
        }
        for (const checker of checkers) checker.noticed?.(run(), notices);
        return notifier.notify(notices);
      }).then(() => undefined),
  };
}
