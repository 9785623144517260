import { RotationError } from "../../../src/rotation/errors.ts";
import { policyOf } from "../../../src/cloud/custody-notes.ts";
import { NO_NOTES, spellGuard } from "../../../src/rotation/exposure.ts";
import type { CustodyNotes, ExposedBy } from "../../../src/rotation/exposure.ts";
import { accessKeyId, userName } from "../../../src/rotation/keys.ts";
import type { AccessKeyId, UserName } from "../../../src/rotation/keys.ts";
import type { CustodyVersion } from "../../../src/rotation/observation.ts";
import { instant } from "../../../src/rotation/time.ts";
import type { Custodian, Random } from "../../../src/rotation/world.ts";
import type { CloudAnswer } from "../call.ts";
import { listIn, optionalTextIn, tagsIn, textIn } from "./answers.ts";
import { contentOf, intentText, pairText, versionToken } from "./custody-content.ts";
import type { Content } from "./custody-content.ts";
import type { Ask, Session } from "./session.ts";

/** A version with what it holds. */
interface Held {
  readonly versionId: string;
  readonly content: Content;
}

type Labels = Readonly<Record<string, string>>;

const isNotFound = (thrown: unknown): boolean => thrown instanceof RotationError && thrown.code === "NotFound";

/** Which version bears which label. */
function labelsIn(described: CloudAnswer): Labels {
  const labels: Record<string, string> = {};
  for (const [versionId, stages] of Object.entries(
    (described["VersionIdsToStages"] ?? {}) as Record<string, string[]>,
  )) {
    for (const stage of stages) labels[stage] = versionId;
  }
  return labels;
}

const keyOf = (held: Held | null): AccessKeyId | null =>
  held?.content.kind === "pair" ? held.content.credential.id : null;

/** A version as it is shown, with what it holds where it was opened. */
interface Seen {
  readonly version: CustodyVersion;
  readonly content: Content | null;
}

/** The requests that custody is made of. */
function secretRequests(session: Session, prefix: string) {
  const ask = async (user: UserName, doing: string, request: Omit<Ask, "service">) => {
    const name = [prefix, user].join("");
    return session.ask(`${doing} ${user}`, {
      service: "secretsmanager",
      ...request,
      input: { SecretId: name, Name: name, ...request.input },
    });
  };

  const describe = async (user: UserName, region: string): Promise<CloudAnswer | null> => {
    try {
      return await ask(user, "reading custody of", { operation: "DescribeSecret", region });
    } catch (thrown) {
      if (isNotFound(thrown)) return null;
      throw thrown;
    }
  };

  const versionAt = async (user: UserName, versionId: string | undefined): Promise<Held | null> => {
    if (versionId === undefined) return null;
    const answer = await ask(user, "reading custody of", {
      operation: "GetSecretValue",
      input: { VersionId: versionId },
    });
    const content = contentOf(textIn(answer, "SecretString"), `reading custody of ${user}`);
    return { versionId, content };
  };

  /** The labels of a secret that must be there. */
  const labelsOf = async (user: UserName): Promise<Labels> => {
    const described = await describe(user, session.homeRegion);
    if (described !== null) return labelsIn(described);
    throw new RotationError("NotFound", `reading custody of ${user}, there is no such secret`);
  };

  /** What fails is judged by where the label is: done already is done, and moved by somebody else is `Conflict`. */
  const moveLabel = async (
    user: UserName,
    stage: string,
    move: { readonly from?: string | undefined; readonly to?: string },
  ): Promise<void> => {
    const doing = `moving ${stage} in custody of`;
    try {
      await ask(user, doing, {
        operation: "UpdateSecretVersionStage",
        input: {
          VersionStage: stage,
          ...(move.from === undefined ? {} : { RemoveFromVersionId: move.from }),
          ...(move.to === undefined ? {} : { MoveToVersionId: move.to }),
        },
        meanings: { InvalidParameterException: "Conflict", ResourceNotFoundException: "Conflict" },
      });
    } catch (thrown) {
      const holder = (await labelsOf(user))[stage];
      if (holder === move.to) return;
      if (holder === move.from) throw thrown;
      throw new RotationError("Conflict", `${doing} ${user}, somebody else moved it`, { cause: thrown });
    }
  };

  return { ask, describe, versionAt, moveLabel, labelsOf };
}

type Requests = ReturnType<typeof secretRequests>;

/** Replica Regions whose AWSCURRENT is another version, or none. */
async function replicasBehind(requests: Requests, user: UserName, described: CloudAnswer): Promise<string[]> {
  const replicas = listIn(described, "ReplicationStatus");
  if (replicas.length === 0) return [];
  const current = labelsIn(described)["AWSCURRENT"];
  const behind: string[] = [];
  for (const replica of replicas) {
    const region = textIn(replica, "Region");
    const there = await requests.describe(user, region);
    if (there === null || labelsIn(there)["AWSCURRENT"] !== current) behind.push(region);
  }
  return behind;
}

type Tags = Readonly<Record<string, string>>;

function ownerIn(tags: Tags): { account: string; userId: string } | null {
  const account = tags["keyturn:account"];
  const userId = tags["keyturn:user-id"];
  return account === undefined || userId === undefined ? null : { account, userId };
}

const EXPOSED = "keyturn:exposed/";

function notesIn(tags: Tags): CustodyNotes {
  const marks = Object.entries(tags).filter(([name]) => name.startsWith(EXPOSED));
  const exposures = marks.map(([name, value]) => {
    const [at, by] = value.split(" ");
    return { keyId: accessKeyId(name.slice(EXPOSED.length)), at: instant(Number(at)), by: by as ExposedBy };
  });
  const [at = null, ...policies] = tags["keyturn:quarantine"]?.split(" ") ?? [];
  const quarantine = at === null ? null : { at: instant(Number(at)), policies: policies.join(" ") };
  return { exposures, quarantine, guard: tags["keyturn:guard"] ?? null };
}

const notesOf = (described: CloudAnswer): CustodyNotes => notesIn(tagsIn(described, "as-written"));

type Noting = Pick<Custodian, "notes" | "mark" | "guard">;

function noting({ ask, describe }: Requests, { homeRegion }: Session, random: Random): Noting {
  const tag = async (user: UserName, Tags: readonly { Key: string; Value: string }[]): Promise<void> => {
    if (Tags.length > 0) await ask(user, "tagging custody of", { operation: "TagResource", input: { Tags } });
  };
  const notes: Custodian["notes"] = async (user) => {
    const described = await describe(user, homeRegion);
    return described === null ? NO_NOTES : notesOf(described);
  };
  return {
    notes,
    async mark(user, { exposures, quarantine }, { owner, replicaRegions }) {
      const described = await describe(user, homeRegion);
      const known = described === null ? [] : notesOf(described).exposures.map(({ keyId }) => keyId);
      const fresh = exposures.filter(({ keyId, by }) => by === "revoke" || !known.includes(keyId));
      const tags = fresh.map(({ keyId, at, by }) => ({ Key: EXPOSED + keyId, Value: `${String(at)} ${by}` }));
      const { at, policies } = quarantine ?? { at: 0, policies: "" };
      if (quarantine !== null) tags.push({ Key: "keyturn:quarantine", Value: `${String(at)} ${policies}`.trim() });
      if (described !== null) return tag(user, tags);
      const owned = [
        { Key: "keyturn:account", Value: owner.account },
        { Key: "keyturn:user-id", Value: owner.userId },
      ];
      const made = { ClientRequestToken: random.token(), SecretString: '{"Version":1}', Tags: [...tags, ...owned] };
      const AddReplicaRegions = replicaRegions.map((Region) => ({ Region }));
      await ask(user, "making custody of", { operation: "CreateSecret", input: { ...made, AddReplicaRegions } });
    },
    async guard(user, guard) {
      const input = { ResourcePolicy: policyOf(guard), BlockPublicPolicy: true };
      await ask(user, "guarding custody of", { operation: "PutResourcePolicy", input });
      await tag(user, [{ Key: "keyturn:guard", Value: spellGuard(guard) }]);
    },
  };
}

function reading(requests: Requests, homeRegion: string): Custodian["read"] {
  return async (user, recognise) => {
    const described = await requests.describe(user, homeRegion);
    if (described === null) return { kind: "absent" };
    if (described["DeletedDate"] !== undefined) {
      throw new RotationError("Misconfigured", `reading custody of ${user}, the secret is scheduled for deletion`);
    }
    const labels = labelsIn(described);
    const known = new Map((recognise ?? []).map((id) => [versionToken(id), id]));
    const at = async (versionId: string | undefined, isOpened = true): Promise<Seen | null> => {
      if (versionId === undefined) return null;
      const keyId = known.get(versionId);
      if (keyId !== undefined || !isOpened) return { version: { versionId, keyId: keyId ?? null }, content: null };
      const held = await requests.versionAt(user, versionId);
      return { version: { versionId, keyId: keyOf(held) }, content: held?.content ?? null };
    };
    const current = await at(labels["AWSCURRENT"]);
    const isTidy = labels["AWSPENDING"] !== labels["AWSCURRENT"];
    const pending = isTidy ? await at(labels["AWSPENDING"]) : null;
    const previous = await at(labels["AWSPREVIOUS"], recognise === undefined);
    const isEmpty = (current?.version.keyId ?? pending?.version.keyId ?? null) === null;
    const tags = tagsIn(described, "as-written");
    const latest = isEmpty ? ((await at(labels["KEYTURN_INTENT"])) ?? current) : null;
    return {
      kind: "present",
      owner: ownerIn(tags),
      current: current?.version ?? null,
      pending: pending?.version ?? null,
      previous: previous?.version ?? null,
      intent: latest?.content?.kind === "intent" ? latest.content.intent : null,
      replicasBehind: await replicasBehind(requests, user, described),
      isHalfPromoted: !isTidy && labels["AWSPENDING"] !== undefined,
      notes: notesIn(tags),
    };
  };
}

function promoting(requests: Requests): Custodian["promote"] {
  return async (user, pending, current) => {
    const from = pending.versionId;
    if (from !== current?.versionId) {
      await requests.moveLabel(user, "AWSCURRENT", { from: current?.versionId, to: from });
    }
    await requests.moveLabel(user, "AWSPENDING", { from });
  };
}

async function listUsers(session: Session, prefix: string): Promise<UserName[]> {
  const users: UserName[] = [];
  let token: string | null = null;
  do {
    const answer: CloudAnswer = await session.ask("listing the custody secrets", {
      service: "secretsmanager",
      operation: "ListSecrets",
      input: {
        Filters: [{ Key: "name", Values: [prefix] }],
        ...(token === null ? {} : { NextToken: token }),
      },
    });
    for (const secret of listIn(answer, "SecretList")) {
      const name = textIn(secret, "Name");
      if (name.startsWith(prefix)) users.push(userName(name.slice(prefix.length)));
    }
    token = optionalTextIn(answer, "NextToken");
  } while (token !== null);
  return users;
}

function writing(session: Session, random: Random, prefix: string): Pick<Custodian, "writeIntent" | "storePending"> {
  const requests = secretRequests(session, prefix);
  return {
    async writeIntent(user, intent, { owner, replicaRegions, isAbsent }) {
      const versionId = random.token();
      const content = { ClientRequestToken: versionId, SecretString: intentText(intent) };
      if (isAbsent) {
        try {
          await session.ask(`opening custody of ${user}`, {
            service: "secretsmanager",
            operation: "CreateSecret",
            input: {
              ...content,
              Name: prefix + user,
              Tags: [
                { Key: "keyturn:account", Value: owner.account },
                { Key: "keyturn:user-id", Value: owner.userId },
              ],
              AddReplicaRegions: replicaRegions.map((Region) => ({ Region })),
            },
          });
          return { versionId, keyId: null };
        } catch (thrown) {
          // It is there after all.
          if (!(thrown instanceof RotationError) || thrown.code !== "Conflict") throw thrown;
        }
      }
      await requests.ask(user, "writing the intent of", {
        operation: "PutSecretValue",
        input: { ...content, VersionStages: ["KEYTURN_INTENT"] },
      });
      return null;
    },
    async storePending(user, credential) {
      const versionId = versionToken(credential.id);
      await requests.ask(user, "storing the replacement of", {
        operation: "PutSecretValue",
        input: {
          ClientRequestToken: versionId,
          SecretString: pairText(credential),
          VersionStages: ["AWSPENDING"],
        },
      });
      return { versionId, keyId: credential.id };
    },
  };
}

/** Custody under a prefix of names, such as `keyturn/`. */
export function directCustody(session: Session, random: Random, prefix: string): Custodian {
  const requests = secretRequests(session, prefix);
  return {
    ...writing(session, random, prefix),
    ...noting(requests, session, random),
    users: async () => listUsers(session, prefix),
    read: reading(requests, session.homeRegion),
    promote: promoting(requests),
    async credential(user, id) {
      const labels = await requests.labelsOf(user);
      for (const stage of ["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"]) {
        const held = await requests.versionAt(user, labels[stage]);
        if (held?.content.kind === "pair" && held.content.credential.id === id) {
          return held.content.credential;
        }
      }
      throw new RotationError("NotFound", `taking ${id} of ${user} out of custody, it is not there`);
    },
    async vacate(user, current, intent) {
      const to = random.token();
      await requests.ask(user, "emptying custody of", {
        operation: "PutSecretValue",
        input: { ClientRequestToken: to, SecretString: intentText(intent), VersionStages: ["KEYTURN_INTENT"] },
      });
      await requests.moveLabel(user, "AWSCURRENT", { from: current.versionId, to });
    },
    async withdrawPending(user, id) {
      const { AWSPENDING: pending } = await requests.labelsOf(user);
      if (pending === undefined || keyOf(await requests.versionAt(user, pending)) !== id) return;
      await requests.moveLabel(user, "AWSPENDING", { from: pending });
    },
  };
}
