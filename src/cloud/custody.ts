import { createHash } from "node:crypto";
import { paginateListSecrets } from "@aws-sdk/client-secrets-manager";
import { RotationError } from "../rotation/errors.ts";
import { type Guard, spellGuard } from "../rotation/exposure.ts";
import { userName, type AccessKeyId, type Credential, type UserName } from "../rotation/keys.ts";
import type { Custody, CustodyIntent, CustodyOwner, CustodyVersion } from "../rotation/observation.ts";
import type { Custodian, CustodyPlace, Marks, Random } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { formatIntent, formatMarker, formatPair } from "./custody-content.ts";
import { GUARD_TAG, notesIn, policyOf, tagsOf } from "./custody-notes.ts";
import { openSecret, type CustodySecret, type SecretFacts } from "./custody-secret.ts";
import { readPages } from "./pages.ts";
import { translateError } from "./translate-error.ts";

const ACCOUNT_TAG = "keyturn:account";
const USER_ID_TAG = "keyturn:user-id";

/** What the names of a stage's custody secrets begin with; the user's name follows. Null is the default stage. */
export const custodyPrefix = (stage: string | null): string => (stage === null ? "keyturn/" : `keyturn-${stage}/`);

/** Custody in Secrets Manager: one secret a user. */
export function createCustody(clients: Clients, stage: string | null, random: Random): Custodian {
  const prefix = custodyPrefix(stage);
  const open = (user: UserName, doing: string): CustodySecret => openSecret(clients.secrets, prefix + user, doing);
  return {
    users: () => listUsers(clients, prefix),
    read: (user, recognise) => readCustody(clients, open(user, `reading custody of ${user}`), recognise ?? null),
    writeIntent: (user, intent, place) =>
      writeIntent(open(user, `writing the intent of ${user}`), random.token(), intent, place),
    storePending: (user, credential) => storePending(open(user, `storing the replacement of ${user}`), credential),
    credential: (user, id) => findPair(open(user, `reading the pair ${id} of ${user}`), id),
    promote: (user, pending, current) =>
      promote(open(user, `promoting ${pending.keyId ?? pending.versionId} of ${user}`), pending, current),
    notes: async (user) => notesIn(await open(user, `reading custody's tags of ${user}`).tags()),
    mark: (user, marks, place) =>
      mark(open(user, `marking exposed keys of ${user}`), { marks, place, token: random.token() }),
    guard: (user, guard) => protect(open(user, `guarding custody of ${user}`), guard),
    withdrawPending: (user, id) => withdrawPending(open(user, `withdrawing ${id} of ${user}`), id),
    vacate: (user, current, intent) =>
      vacate(open(user, `emptying custody of ${user}`), current, { token: random.token(), text: formatIntent(intent) }),
  };
}

async function listUsers({ secrets }: Clients, prefix: string): Promise<readonly UserName[]> {
  const input = { Filters: [{ Key: "name" as const, Values: [prefix] }] };
  const pages = await readPages("listing custody", paginateListSecrets({ client: secrets, pageSize: 100 }, input));
  return pages
    .flatMap(({ SecretList = [] }) => SecretList)
    .filter(({ Name, DeletedDate }) => Name?.startsWith(prefix) && DeletedDate === undefined)
    .map(({ Name = "" }) => userName(Name.slice(prefix.length)));
}

/** The token, and so the version id, under which something is stored: the same for every try. */
export const tokenOf = (id: string): string => createHash("sha256").update(id).digest("hex");

/** A version, and the intent that it holds, if it was opened and does. */
type Opened = { readonly version: CustodyVersion; readonly intent: CustodyIntent | null };

/** `recognise` null opens every labelled version. */
async function readCustody(
  clients: Clients,
  secret: CustodySecret,
  recognise: readonly AccessKeyId[] | null,
): Promise<Custody> {
  const facts = await secret.find();
  if (facts === null) return { kind: "absent" };
  const keyOf = new Map((recognise ?? []).map((id) => [tokenOf(id), id]));
  const open = async (versionId: string | undefined, isOpened = true): Promise<Opened | null> => {
    if (versionId === undefined) return null;
    const known = keyOf.get(versionId);
    if (known !== undefined || !isOpened) return { version: { versionId, keyId: known ?? null }, intent: null };
    const { pair, intent } = await secret.content(versionId);
    return { version: { versionId, keyId: pair?.id ?? null }, intent };
  };
  const { AWSCURRENT, AWSPENDING, AWSPREVIOUS, KEYTURN_INTENT } = facts.labels;
  const [current, pending, previous] = await Promise.all([
    open(AWSCURRENT),
    open(AWSPENDING === AWSCURRENT ? undefined : AWSPENDING),
    open(AWSPREVIOUS, recognise === null),
  ]);
  // The intent matters only while there is no pair; not reading it otherwise spares a call a sweep.
  const holdsPair = (current?.version.keyId ?? pending?.version.keyId ?? null) !== null;
  // The marker of a new secret is its first intent.
  const latest = holdsPair ? null : KEYTURN_INTENT === undefined ? current : await open(KEYTURN_INTENT);
  const replicasBehind = await findBehind(clients, secret, facts);
  return {
    kind: "present",
    owner: ownerOf(facts),
    current: current?.version ?? null,
    pending: pending?.version ?? null,
    previous: previous?.version ?? null,
    intent: latest?.intent ?? null,
    replicasBehind,
    isHalfPromoted: AWSPENDING !== undefined && AWSPENDING === AWSCURRENT,
    notes: notesIn(facts.tags),
  };
}

/** How a secret tells for whom it was made. */
export const ownerTags = ({ account, userId }: CustodyOwner): Readonly<Record<string, string>> => ({
  [ACCOUNT_TAG]: account,
  [USER_ID_TAG]: userId,
});

export function ownerOf({ tags }: SecretFacts): CustodyOwner | null {
  const { [ACCOUNT_TAG]: account, [USER_ID_TAG]: userId } = tags;
  return account === undefined || userId === undefined ? null : { account, userId };
}

/** ReplicationStatus tells of the making of a replica, not of its versions: each Region is asked itself. */
async function findBehind(clients: Clients, { name }: CustodySecret, facts: SecretFacts): Promise<readonly string[]> {
  const behind = async (region: string): Promise<readonly string[]> => {
    const replica = openSecret(clients.secretsIn(region), name, `reading the replica of ${name} in ${region}`);
    try {
      const shown = await replica.find();
      return shown?.labels.AWSCURRENT === facts.labels.AWSCURRENT ? [] : [region];
    } catch (thrown) {
      // A replica that cannot be asked for now does not show the current version yet.
      const { code } = translateError(thrown, replica.doing);
      if (code === "Unreachable" || code === "Throttled") return [region];
      throw thrown;
    }
  };
  return (await Promise.all(facts.replicaRegions.map(behind))).flat();
}

async function writeIntent(secret: CustodySecret, token: string, intent: CustodyIntent, place: CustodyPlace) {
  const { owner, replicaRegions, isAbsent } = place;
  const text = formatIntent(intent);
  if (isAbsent && (await secret.create({ token, text }, { tags: ownerTags(owner), replicaRegions }))) {
    return { versionId: token, keyId: null };
  }
  await secret.put("KEYTURN_INTENT", { token, text });
  return null;
}

interface Marking {
  readonly marks: Marks;
  readonly place: Omit<CustodyPlace, "isAbsent">;
  readonly token: string;
}

/** A secret that is made for the mark holds neither a pair nor an intent. */
async function mark(secret: CustodySecret, { marks, place, token }: Marking): Promise<void> {
  const { owner, replicaRegions } = place;
  const facts = await secret.find();
  const tags = tagsOf(marks, notesIn(facts?.tags ?? {}));
  const all = { ...tags, [ACCOUNT_TAG]: owner.account, [USER_ID_TAG]: owner.userId };
  const isMade =
    facts === null && (await secret.create({ token, text: formatMarker() }, { tags: all, replicaRegions }));
  if (!isMade) await secret.tag(tags);
}

async function protect(secret: CustodySecret, guard: Guard): Promise<void> {
  await secret.protect(policyOf(guard));
  await secret.tag({ [GUARD_TAG]: spellGuard(guard) });
}

async function storePending(secret: CustodySecret, credential: Credential): Promise<CustodyVersion> {
  const token = tokenOf(credential.id);
  const stored = { versionId: token, keyId: credential.id };
  const labels = await secret.put("AWSPENDING", { token, text: formatPair(credential) });
  if (labels.includes("AWSPENDING")) return stored;
  // A repeated PutSecretValue changes nothing, labels included, so one that was taken away is put back here.
  const { AWSPENDING: from, AWSCURRENT } = await secret.labels();
  if (from !== token && AWSCURRENT !== token) await secret.move("AWSPENDING", { from, to: token });
  return stored;
}

/** What Keyturn stored lies under the key's own token; what was deposited by others, under any. */
async function findPair(secret: CustodySecret, id: AccessKeyId): Promise<Credential> {
  const own = await secret.pairIfAny(tokenOf(id));
  if (own?.id === id) return own;
  const { AWSCURRENT, AWSPENDING, AWSPREVIOUS } = await secret.labels();
  for (const versionId of [AWSCURRENT, AWSPENDING, AWSPREVIOUS]) {
    const pair = await secret.pair(versionId);
    if (pair?.id === id) return pair;
  }
  throw new RotationError("NotFound", `${secret.doing}, custody holds no such pair`);
}

async function promote(secret: CustodySecret, { versionId }: CustodyVersion, current: CustodyVersion | null) {
  const from = current?.versionId;
  if (versionId !== from) await secret.move("AWSCURRENT", { from, to: versionId });
  await secret.move("AWSPENDING", { from: versionId, to: null });
}

async function withdrawPending(secret: CustodySecret, id: AccessKeyId): Promise<void> {
  const { AWSPENDING } = await secret.labels();
  const pending = await secret.pair(AWSPENDING);
  if (pending?.id === id) await secret.move("AWSPENDING", { from: AWSPENDING, to: null });
}

/** What holds an intent holds no pair, and is a marker as good as the first. */
async function vacate(secret: CustodySecret, { versionId }: CustodyVersion, marker: { token: string; text: string }) {
  await secret.put("KEYTURN_INTENT", marker);
  await secret.move("AWSCURRENT", { from: versionId, to: marker.token });
}
