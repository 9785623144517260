import { type Ground, openGround, type Setting } from "./ground.ts";
import { FIRST, SECOND } from "./holders.ts";
import {
  CLOUDFLARE,
  cutOff,
  deployedAlways,
  deployedBefore,
  deployedInTheWatch,
  deployedOn,
  movedAway,
  previewUploaded,
  rightBefore,
  refused,
  retiredAtOnce,
  takenBack,
  takenOut,
  undisturbed,
  WITH_MONTHLY,
} from "./plots.ts";
import { loadProgram } from "./program.ts";
import type { Plot, Row } from "./rotation.ts";

const BULK: Setting = { isStaged: false, holders: [FIRST], module: "matchmaking", keepsPairs: false };
const STAGED: Setting = { ...BULK, isStaged: true };
const KEPT: Setting = { ...STAGED, keepsPairs: true };
const MONTHLY: Setting = { ...BULK, holders: [WITH_MONTHLY] };
const SHARED: Setting = { ...STAGED, holders: [FIRST, SECOND], module: "two-pairs" };

type Story = (ground: Ground) => Plot;

/** A row in which nothing may go wrong. */
const sound = (what: string, setting: Setting, plot: Story): Row => ({
  what,
  setting,
  plot,
  mistake: null,
  isSound: true,
  twinOf: null,
});
/** The same with a mistake of the catalogue built in: something must go wrong. */
const twin = (of: Row, mistake: string): Row => ({
  ...of,
  what: `… with "${mistake}"`,
  mistake,
  isSound: false,
  twinOf: of.what,
});

const bulk = sound("secrets-bulk", BULK, undisturbed);
const kept = sound("staged, isolates keep a pair for 10 min", KEPT, undisturbed);
const retired = sound("… and somebody retires the old key at once", KEPT, retiredAtOnce);
const moved = sound("B8: the team moves the Worker to another user", STAGED, movedAway);
const busy = sound("B8: the team deploys before every sweep", STAGED, deployedAlways);
const out = sound("B9: a Worker is taken out of the profile", MONTHLY, takenOut);
const watched = sound("B10: a deploy that looks ill, in our watch", STAGED, deployedInTheWatch);
const preview = sound("B10: a preview, right before our version", STAGED, previewUploaded);
const cut = sound("B10: Cloudflare falls silent after our version", STAGED, cutOff);
const shared = sound("B10: two users of one Worker, at once", SHARED, undisturbed);

const CREATED = /^iam\.CreateAccessKey$/;
/** The steps of a rotation, each by the call before which somebody deploys, or by its day. */
const STEPS: readonly (readonly [string, Story])[] = [
  ["create", deployedBefore([CREATED])],
  ["store", deployedBefore([CREATED, /^secretsmanager\.PutSecretValue$/])],
  ["prove", deployedBefore([CREATED, /PutSecretValue$/, /^sts\.GetCallerIdentity$/])],
  ["promote", deployedBefore([/^POST /, /^secretsmanager\.UpdateSecretVersionStage$/])],
  ["drain", deployedOn(0.003)],
  ["silence", deployedOn(5)],
  ["deactivate", deployedBefore([/^iam\.UpdateAccessKey$/])],
  ["soak", deployedOn(14)],
  ["delete", deployedBefore([/^iam\.DeleteAccessKey$/])],
];

/** The calls to Cloudflare that a delivery makes, once the replacement is there: as "GET versions". */
export async function callsOfDelivery(): Promise<readonly string[]> {
  const ground = await openGround(await loadProgram(null), STAGED);
  const calls: string[] = [];
  rightBefore(ground, [CREATED], () =>
    ground.listeners.push((name) => void (CLOUDFLARE.test(name) && calls.push(name))),
  );
  await ground.sweep();
  await ground.close();
  return calls.map((name) => name.replace(/ \w+\/[\w-]+\//, " ").replace(/\?.*/, ""));
}

/** The rows of the table. `calls`: those of a delivery, each of which is overtaken in a row. */
export function rowsFor(calls: readonly string[]): readonly Row[] {
  const last = calls.findLastIndex((name) => name.startsWith("POST"));
  const overtaken = calls.flatMap((name, index) => {
    const before = [CREATED, ...Array.from({ length: index + 1 }, () => CLOUDFLARE)];
    const row = sound(`somebody deploys before call ${String(index + 1)}: ${name}`, STAGED, deployedBefore(before));
    // Cloudflare itself refuses the first deployment: it would bring an older pair back. Nothing but Keyturn guards the last.
    return index === last ? [row, twin(row, "a colleague's deploy is overruled")] : [row];
  });
  return [
    { ...twin(bulk, "pair pushed by two requests"), what: "two secret puts" },
    bulk,
    sound("staged", STAGED, undisturbed),
    { ...sound("secrets-bulk, a key that AWS refuses", BULK, refused), isSound: false },
    sound("staged, a key that AWS refuses", STAGED, takenBack),
    kept,
    twin(kept, "create, deliver, deactivate in one breath"),
    retired,
    twin(retired, "readers' caches forgotten"),
    ...STEPS.map(([step, plot]) => sound(`somebody deploys in the step ${step}`, STAGED, plot)),
    ...overtaken,
    moved,
    twin(moved, "what others gave is overwritten"),
    busy,
    twin(busy, "foreign version again and again"),
    out,
    twin(out, "former destination ignored"),
    watched,
    twin(watched, "a colleague's deploy is overruled"),
    preview,
    twin(preview, "a preview is shipped"),
    cut,
    twin(cut, "our own version is a stranger's"),
    shared,
    twin(shared, "two users stage at once"),
  ];
}
