import { minutes } from "../../../src/rotation/time.ts";
import type { Checker } from "../checker.ts";
import type { Run } from "../run.ts";
import { custodyPair, violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** A lease lasts five minutes by the clocks of two runs, each of which may be two minutes off. */
const LEASE_SURE_MS = minutes(1);

/** One rotation a user at a time: runs do not act by turns on a user, and no second replacement is stored beside a good one. */
export function inv7(stage: Stage): Checker {
  const invariant = "INV-7";
  const last = new Map<string, { readonly run: Run; readonly before: Run | null }>();

  const acted = (user: string, run: Run, what: string): void => {
    const known = last.get(user);
    if (known?.run === run) return;
    // A run that gave up gives its lease back, although its call may still be under way: IAM's limit of two keys and
    // the repeatable acts are what saves the user then.
    // A process that stood still for longer than its lease wakes in the middle of its act, and no lease can help that.
    const isLate = run.stalledMs > LEASE_SURE_MS;
    if (known?.before === run && !isLate) {
      violate(stage, invariant, user, `runs ${String(run.id)} and ${String(known.run.id)} act by turns: ${what}`);
    }
    last.set(user, { run, before: known?.run ?? null });
  };

  return {
    invariant,
    before: ({ name, user, run, input, sent }) => {
      // A mark needs no lease.
      if (input["SecretString"] === '{"Version":1}') return;
      acted(user, run, name);
      const isPending =
        name === "secretsmanager.PutSecretValue" && JSON.stringify(input["VersionStages"]) === '["AWSPENDING"]';
      // One that arrives late is no decision of now.
      if (!isPending || sent.atMs < stage.clock.now()) return;
      const pending = custodyPair(stage, user, "AWSPENDING");
      const current = custodyPair(stage, user, "AWSCURRENT");
      const key = pending === null || pending.keyId === current?.keyId ? null : stage.cloud.iam.keys.get(pending.keyId);
      const isOther = !String(input["SecretString"]).includes(pending?.keyId ?? "nothing");
      if (key && !key.isDeleted && isOther) {
        violate(stage, invariant, user, `a second replacement is stored beside ${key.id}`);
      }
    },
    delivering: ({ subject, run, destination }) => {
      acted(subject.user, run, `a delivery to ${destination}`);
    },
  };
}
