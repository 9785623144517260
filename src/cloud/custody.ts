import { createHash } from "node:crypto";
import { CreateSecretCommand, paginateListSecrets } from "@aws-sdk/client-secrets-manager";
import { RotationError } from "../rotation/errors.ts";
import { userName, type AccessKeyId, type Credential, type UserName } from "../rotation/keys.ts";
import type { Custody, CustodyIntent, CustodyOwner, CustodyVersion } from "../rotation/observation.ts";
import type { Custodian, Random } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { MARKER, formatIntent, formatPair } from "./custody-content.ts";
import { openSecret, type CustodySecret, type SecretFacts } from "./custody-secret.ts";
import { readPages } from "./pages.ts";
import { foreignName, translateError } from "./translate-error.ts";

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
    ensure: (user, owner, regions) => ensureSecret(clients, prefix + user, owner, regions),
    writeIntent: (user, intent) => writeIntent(open(user, `writing the intent of ${user}`), intent, random.token()),
    storePending: (user, credential) => storePending(open(user, `storing the replacement of ${user}`), credential),
    credential: (user, id) => findPair(open(user, `reading the pair ${id} of ${user}`), id),
    promote: (user, id) => promote(open(user, `promoting ${id} of ${user}`), id),
    withdrawPending: (user, id) => withdrawPending(open(user, `withdrawing ${id} of ${user}`), id),
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
const tokenOf = (id: string): string => createHash("sha256").update(id).digest("hex");

async function ensureSecret({ secrets }: Clients, name: string, owner: CustodyOwner, regions: readonly string[]) {
  const tags = { [ACCOUNT_TAG]: owner.account, [USER_ID_TAG]: owner.userId };
  const command = new CreateSecretCommand({
    Name: name,
    Description: "An IAM user's access key, kept by Keyturn.",
    SecretString: MARKER,
    ClientRequestToken: tokenOf(`marker of ${name}`),
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    // The API refuses an empty list of Regions.
    AddReplicaRegions: regions.length === 0 ? undefined : regions.map((Region) => ({ Region })),
  });
  try {
    await secrets.send(command);
  } catch (thrown) {
    if (foreignName(thrown) === "ResourceExists") return;
    throw translateError(thrown, `creating the secret ${name}`);
  }
}

/** `recognise` null opens every labelled version. */
async function readCustody(
  clients: Clients,
  secret: CustodySecret,
  recognise: readonly AccessKeyId[] | null,
): Promise<Custody> {
  const facts = await secret.find();
  if (facts === null) return { kind: "absent" };
  const keyOf = new Map((recognise ?? []).map((id) => [tokenOf(id), id]));
  const read = async (versionId: string | undefined, isOpened = true): Promise<CustodyVersion | null> => {
    if (versionId === undefined) return null;
    const known = keyOf.get(versionId);
    if (known !== undefined || !isOpened) return { versionId, keyId: known ?? null };
    return { versionId, keyId: (await secret.pair(versionId))?.id ?? null };
  };
  const { AWSCURRENT, AWSPENDING, AWSPREVIOUS, KEYTURN_INTENT } = facts.labels;
  const [current, pending, previous] = await Promise.all([
    read(AWSCURRENT),
    read(AWSPENDING === AWSCURRENT ? undefined : AWSPENDING),
    read(AWSPREVIOUS, recognise === null),
  ]);
  // The intent matters only while there is no pair; not reading it otherwise spares a call a sweep.
  const holdsPair = (current?.keyId ?? pending?.keyId ?? null) !== null;
  const intent = holdsPair || KEYTURN_INTENT === undefined ? null : (await secret.content(KEYTURN_INTENT)).intent;
  const replicasBehind = await findBehind(clients, secret, facts);
  return { kind: "present", owner: ownerOf(facts), current, pending, previous, intent, replicasBehind };
}

function ownerOf({ tags }: SecretFacts): CustodyOwner | null {
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

async function writeIntent(secret: CustodySecret, intent: CustodyIntent, token: string): Promise<void> {
  const content = formatIntent(intent);
  await secret.put("KEYTURN_INTENT", token, content);
  const read = (await secret.content(token)).intent;
  if (read !== null && formatIntent(read) === content) return;
  throw new RotationError("Conflict", `${secret.doing}, what was read back differs`);
}

async function storePending(secret: CustodySecret, credential: Credential): Promise<void> {
  const token = tokenOf(credential.id);
  const labels = await secret.put("AWSPENDING", token, formatPair(credential));
  if (labels.includes("AWSPENDING")) return;
  // A repeated PutSecretValue changes nothing, labels included, so one that was taken away is put back here.
  const { AWSPENDING: from, AWSCURRENT } = await secret.labels();
  if (from !== token && AWSCURRENT !== token) await secret.move("AWSPENDING", { from, to: token });
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

async function promote(secret: CustodySecret, id: AccessKeyId): Promise<void> {
  const { AWSCURRENT, AWSPENDING } = await secret.labels();
  const holds = async (versionId: string | undefined): Promise<boolean> =>
    versionId === tokenOf(id) || (await secret.pair(versionId))?.id === id;
  if (AWSPENDING === undefined || !(await holds(AWSPENDING))) {
    if (await holds(AWSCURRENT)) return;
    throw new RotationError("Conflict", `${secret.doing}, it is no longer the pending key`);
  }
  if (AWSPENDING !== AWSCURRENT) await secret.move("AWSCURRENT", { from: AWSCURRENT, to: AWSPENDING });
  await secret.move("AWSPENDING", { from: AWSPENDING, to: null });
}

async function withdrawPending(secret: CustodySecret, id: AccessKeyId): Promise<void> {
  const { AWSPENDING } = await secret.labels();
  const pending = await secret.pair(AWSPENDING);
  if (pending?.id === id) await secret.move("AWSPENDING", { from: AWSPENDING, to: null });
}
