import { inspect } from "node:util";
import { expect, test } from "vitest";
import { userName } from "../../src/rotation/keys.ts";
import { days } from "../../src/rotation/time.ts";
import { explain } from "../../src/sweep.ts";
import type { RecordingLog } from "../world/direct/recorders.ts";
import { aSystem, DEPLOY, ofKey } from "../world/system.ts";

test("no secret that was ever issued is in a result, log, notice, journal, history or explanation", async () => {
  const logs: RecordingLog[] = [];
  const { here, first, worker, work } = await aSystem({
    bend: (world) => {
      logs.push(world.log);
      return world;
    },
  });
  const results = await here.pass(days(1), work);
  worker.failing = "after";
  const iam = { service: "secretsmanager", operation: "UpdateSecretVersionStage", kind: "error-before" } as const;
  here.cloud.faults.add({ ...iam, code: "AccessDeniedException", status: 403, times: 3 });
  results.push(...(await here.pass(days(20), work)));
  expect(ofKey(here, first.keyId)).toBe("gone");

  const user = userName(DEPLOY);
  const profiles = here.profiles;
  const explained = await explain(here.run(), { profiles, enrolmentTag: "keyturn", user });
  const kept = [await here.journal.read(user), await here.journal.history(user)];
  const printed = [results, logs, here.notices, kept, explained].map((said) =>
    [JSON.stringify(said), inspect(said, { depth: 20, maxArrayLength: null, maxStringLength: null })].join("\n"),
  );
  const secrets = [...here.cloud.iam.keys.values()].map(({ secret }) => secret);
  expect(secrets.length).toBeGreaterThan(1);
  for (const secret of secrets) expect(printed.join("\n").includes(secret)).toBe(false);
  // The twin: what is searched does hold what may be said.
  expect(printed.join("\n")).toContain(first.keyId);
});
