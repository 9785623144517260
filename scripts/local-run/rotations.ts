import type { SystemName } from "../../test/world/five-systems.ts";
import type { CallBook } from "./calls.ts";
import { START_MS } from "./local-cloud.ts";
import type { LocalCloud } from "./local-cloud.ts";

const DAY_MS = 86_400_000;

/** The day of the run, with its fraction: 0 is the beginning. */
export const dayOf = (atMs: number): number => Math.floor(((atMs - START_MS) / DAY_MS) * 100) / 100;

/** One rotation, read off the cloud itself and not off what Keyturn says. Days are null until they have come. */
export interface Rotation {
  readonly system: SystemName;
  readonly user: string;
  readonly oldKey: string;
  readonly oldKeyAgeDays: number;
  newKey: string | null;
  createdDay: number | null;
  promotedDay: number | null;
  inactiveDay: number | null;
  deletedDay: number | null;
}

export function openRotations({ cloud, systems }: LocalCloud): Rotation[] {
  return Object.entries(systems).map(([system, { user, firstPair }]) => ({
    system: system as SystemName,
    user,
    oldKey: firstPair.keyId,
    oldKeyAgeDays: -dayOf(cloud.iam.keys.get(firstPair.keyId)?.createdAtMs ?? START_MS),
    newKey: null,
    createdDay: null,
    promotedDay: null,
    inactiveDay: null,
    deletedDay: null,
  }));
}

/** Looks at the cloud once, after a sweep, and notes what has come about since the last look. */
export function lookAt({ cloud, clock }: LocalCloud, rotation: Rotation): void {
  const today = dayOf(clock.now());
  const old = cloud.iam.keys.get(rotation.oldKey);
  const made = cloud.iam.keysOf(rotation.user).find(({ id }) => id !== rotation.oldKey);
  if (made !== undefined && made.id !== rotation.newKey) {
    rotation.newKey = made.id;
    rotation.createdDay = dayOf(made.createdAtMs);
  }
  const isCurrent = made !== undefined && currentKey(cloud, rotation.user) === made.id;
  if (isCurrent) rotation.promotedDay ??= today;
  // A key that was given back is not Inactive, whatever it has been.
  const isOut = old?.status === "Inactive" || old?.isDeleted === true;
  rotation.inactiveDay = isOut ? (rotation.inactiveDay ?? today) : null;
  if (old?.isDeleted === true) rotation.deletedDay ??= today;
}

/** The old key is gone, the one key that is left is Active and current in custody, and whoever called last signed with it. */
export function isOver({ cloud }: LocalCloud, rotation: Rotation, books: readonly CallBook[]): boolean {
  const [key, ...others] = cloud.iam.keysOf(rotation.user);
  if (key === undefined || others.length > 0 || key.status !== "Active") return false;
  if (key.id === rotation.oldKey || currentKey(cloud, rotation.user) !== key.id) return false;
  return books
    .filter(({ system }) => system === rotation.system)
    .every((book) => book.latest()?.key === key.id.slice(-4) && book.latest()?.code === null);
}

function currentKey(cloud: LocalCloud["cloud"], user: string): string | null {
  const text = cloud.secretsManager.textOf(`keyturn/${user}`, "AWSCURRENT");
  if (text === null) return null;
  const { AccessKeyId } = JSON.parse(text) as Record<string, unknown>;
  return typeof AccessKeyId === "string" ? AccessKeyId : null;
}
