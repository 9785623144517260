import { CreateSecretCommand, ListSecretsCommand } from "@aws-sdk/client-secrets-manager";
import { RotationError } from "../rotation/errors.ts";
import { userName } from "../rotation/keys.ts";
import type { AccessKeyId, Credential, UserName } from "../rotation/keys.ts";
import type { Custody, CustodyIntent, CustodyVersion } from "../rotation/observation.ts";
import type { Custodian, CustodyOwner, Random } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { MARKER, formatIntent, formatPair, tokenOf } from "./custody-content.ts";
import { openSecret } from "./custody-secret.ts";
import type { CustodySecret, Label, SecretFacts } from "./custody-secret.ts";
import { readPages } from "./pages.ts";
import { foreignName, translateError } from "./translate-error.ts";

const ACCOUNT_TAG = "keyturn:account";
const USER_ID_TAG = "keyturn:user-id";
/** Failures that pass by themselves: a replica that cannot be asked for now does not show the current version yet. */
const PASSING: readonly string[] = ["Unreachable", "Throttled"];

interface CustodyOptions {
  /** The deployed stage; null for the default one, whose secrets bear no stage in their names. */
  readonly stage: string | null;
  readonly random: Random;
}

/** What the names of a stage's custody secrets begin with; the user's name follows. */
export const custodyPrefix = (stage: string | null): string => (stage === null ? "keyturn/" : `keyturn-${stage}/`);

/** Custody in Secrets Manager: one secret a user. */
export function createCustody(clients: Clients, { stage, random }: CustodyOptions): Custodian {
  const prefix = custodyPrefix(stage);
  const nameOf = (user: UserName): string => prefix + user;
  const secretOf = (user: UserName): CustodySecret => openSecret(clients.secrets, nameOf(user));
  return {
    users: () => listUsers(clients, prefix),
    read: (user) => readCustody(clients, nameOf(user), `reading custody of ${user}`),
    ensure: (user, owner, regions) => ensureSecret(clients, nameOf(user), owner, regions),
    writeIntent: (user, intent) => {
      const doing = `writing the intent of ${user}`;
      return writeIntent(secretOf(user), intent, { token: random.token(), doing });
    },
    storePending: (user, credential) => storePending(secretOf(user), credential, `storing the replacement of ${user}`),
    credential: (user, id) => findPair(secretOf(user), id, `reading the pair ${id} of ${user}`),
    promote: (user, id) => promote(secretOf(user), id, `promoting ${id} of ${user}`),
    withdrawPending: (user, id) => withdrawPending(secretOf(user), id, `withdrawing ${id} of ${user}`),
  };
}

async function promote(secret: CustodySecret, id: AccessKeyId, doing: string): Promise<void> {
  const { AWSCURRENT, AWSPENDING } = (await secret.facts(doing)).versionOf;
  const pending = await readPair(secret, AWSPENDING, doing);
  if (pending?.id !== id) {
    const current = await readPair(secret, AWSCURRENT, doing);
    if (current?.id === id) return;
    throw new RotationError("Conflict", `${doing}, it is no longer the pending key`);
  }
  if (AWSPENDING !== AWSCURRENT && AWSPENDING !== undefined) {
    await move(secret, { label: "AWSCURRENT", from: AWSCURRENT, to: AWSPENDING }, doing);
  }
  await move(secret, { label: "AWSPENDING", from: AWSPENDING, to: null }, doing);
}

interface Move {
  readonly label: Label;
  readonly from: string | undefined;
  /** Null takes the label away. */
  readonly to: string | null;
}

/**
 * Moves a label. A move that was made, but whose answer was lost, is refused when it is repeated: the label is then
 * where it should be, and that is success. Where it is elsewhere, somebody else moved it, and that is a `Conflict`.
 */
async function move(secret: CustodySecret, { label, from, to }: Move, doing: string): Promise<void> {
  try {
    await secret.move(label, { from, to }, doing);
  } catch (thrown) {
    const holder = (await secret.facts(doing)).versionOf[label];
    if ((holder ?? null) === to) return;
    if (holder === from) throw thrown;
    throw new RotationError("Conflict", `${doing}, ${label} was moved by somebody else`);
  }
}

async function readPair(
  secret: CustodySecret,
  versionId: string | undefined,
  doing: string,
): Promise<Credential | null> {
  if (versionId === undefined) return null;
  const content = await secret.content(versionId, doing);
  return content.kind === "pair" ? content.credential : null;
}

async function readVersion(
  secret: CustodySecret,
  versionId: string | undefined,
  doing: string,
): Promise<CustodyVersion | null> {
  if (versionId === undefined) return null;
  const pair = await readPair(secret, versionId, doing);
  return { versionId, keyId: pair?.id ?? null };
}

function ownerOf({ tags }: SecretFacts): { account: string; userId: string } | null {
  const account = tags[ACCOUNT_TAG];
  const userId = tags[USER_ID_TAG];
  return account === undefined || userId === undefined ? null : { account, userId };
}

/** ReplicationStatus tells of the making of a replica, not of its versions: each Region is asked itself. */
async function findBehind(
  clients: Clients,
  name: string,
  { versionOf, replicaRegions }: SecretFacts,
): Promise<readonly string[]> {
  const answers = await Promise.all(
    replicaRegions.map(async (region) => {
      const shown = await readCurrentId(clients, name, region);
      return shown === versionOf.AWSCURRENT ? [] : [region];
    }),
  );
  return answers.flat();
}

async function readCurrentId(clients: Clients, name: string, region: string): Promise<string | null> {
  const doing = `reading the replica of ${name} in ${region}`;
  try {
    const facts = await openSecret(clients.secretsIn(region), name).find(doing);
    return facts?.versionOf.AWSCURRENT ?? null;
  } catch (thrown) {
    const error = translateError(thrown, doing);
    if (PASSING.includes(error.code)) return null;
    throw error;
  }
}

async function listUsers({ secrets }: Clients, prefix: string): Promise<readonly UserName[]> {
  const found = await readPages("listing custody", async (NextToken) => {
    const answer = await secrets.send(
      new ListSecretsCommand({
        Filters: [{ Key: "name", Values: [prefix] }],
        IncludePlannedDeletion: false,
        MaxResults: 100,
        NextToken,
      }),
    );
    return { items: answer.SecretList, next: answer.NextToken };
  });
  return found
    .filter(({ Name, DeletedDate }) => Name?.startsWith(prefix) && DeletedDate === undefined)
    .map(({ Name = "" }) => userName(Name.slice(prefix.length)));
}

async function ensureSecret(
  { secrets }: Clients,
  name: string,
  owner: CustodyOwner,
  replicaRegions: readonly string[],
): Promise<void> {
  const command = new CreateSecretCommand({
    Name: name,
    Description: "An IAM user's access key, kept by Keyturn.",
    SecretString: MARKER,
    ClientRequestToken: tokenOf(`marker of ${name}`),
    Tags: [
      { Key: ACCOUNT_TAG, Value: owner.account },
      { Key: USER_ID_TAG, Value: owner.userId },
    ],
    // The API refuses an empty list of Regions.
    AddReplicaRegions: replicaRegions.length === 0 ? undefined : replicaRegions.map((Region) => ({ Region })),
  });
  try {
    await secrets.send(command);
  } catch (thrown) {
    if (foreignName(thrown) === "ResourceExists") return;
    throw translateError(thrown, `creating the secret ${name}`);
  }
}

async function readCustody(clients: Clients, name: string, doing: string): Promise<Custody> {
  const secret = openSecret(clients.secrets, name);
  const facts = await secret.find(doing);
  if (facts === null) return { kind: "absent" };
  const { AWSCURRENT, AWSPENDING, AWSPREVIOUS, KEYTURN_INTENT } = facts.versionOf;
  const [current, pending, previous] = await Promise.all([
    readVersion(secret, AWSCURRENT, doing),
    readVersion(secret, AWSPENDING === AWSCURRENT ? undefined : AWSPENDING, doing),
    readVersion(secret, AWSPREVIOUS, doing),
  ]);
  // The intent matters only while there is no pair; not reading it otherwise spares a call a sweep.
  const holdsPair = (current?.keyId ?? pending?.keyId ?? null) !== null;
  const intent = holdsPair || KEYTURN_INTENT === undefined ? null : await secret.content(KEYTURN_INTENT, doing);
  return {
    kind: "present",
    owner: ownerOf(facts),
    current,
    pending,
    previous,
    intent: intent?.kind === "intent" ? intent.intent : null,
    replicasBehind: await findBehind(clients, name, facts),
  };
}

async function storePending(secret: CustodySecret, credential: Credential, doing: string): Promise<void> {
  const token = tokenOf(credential.id);
  await secret.put({ content: formatPair(credential), token, label: "AWSPENDING" }, doing);
  // A repeated PutSecretValue changes nothing, labels included, so one that was taken away is put back here.
  const { AWSPENDING: from, AWSCURRENT } = (await secret.facts(doing)).versionOf;
  if (from === token || AWSCURRENT === token) return;
  await move(secret, { label: "AWSPENDING", from, to: token }, doing);
}

async function findPair(secret: CustodySecret, id: AccessKeyId, doing: string): Promise<Credential> {
  const { versionOf } = await secret.facts(doing);
  for (const label of ["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"] as const) {
    const credential = await readPair(secret, versionOf[label], doing);
    if (credential?.id === id) return credential;
  }
  throw new RotationError("NotFound", `${doing}, custody holds no such pair`);
}

async function withdrawPending(secret: CustodySecret, id: AccessKeyId, doing: string): Promise<void> {
  const { AWSPENDING } = (await secret.facts(doing)).versionOf;
  const pending = await readPair(secret, AWSPENDING, doing);
  if (pending?.id === id) await move(secret, { label: "AWSPENDING", from: AWSPENDING, to: null }, doing);
}

async function writeIntent(
  secret: CustodySecret,
  intent: CustodyIntent,
  { token, doing }: { readonly token: string; readonly doing: string },
): Promise<void> {
  await secret.put({ content: formatIntent(intent), token, label: "KEYTURN_INTENT" }, doing);
  const read = await secret.content(token, doing);
  if (read.kind === "intent" && formatIntent(read.intent) === formatIntent(intent)) return;
  throw new RotationError("Conflict", `${doing}, what was read back differs`);
}
