import type { CustodyNotes, ExposedBy, Exposure, Guard, Quarantine } from "../rotation/exposure.ts";
import { accessKeyId } from "../rotation/keys.ts";
import { instant } from "../rotation/time.ts";
import type { Marks } from "../rotation/world.ts";

const EXPOSED_TAG = "keyturn:exposed/";
const QUARANTINE_TAG = "keyturn:quarantine";
export const GUARD_TAG = "keyturn:guard";
/** By this the policy of a reader's custody is known to be ours. */
export const READ_SID = "ReadCurrent";

type Tags = Readonly<Record<string, string>>;

const SAID_BY: readonly string[] = ["revoke", "health", "quarantine", "custody"] satisfies ExposedBy[];

/** What custody's tags say. A mark that somebody has written by hand is one, too: who said so is then an operator. */
export function notesIn(tags: Tags): CustodyNotes {
  const exposures = Object.entries(tags).flatMap(([name, value]): Exposure[] => {
    if (!name.startsWith(EXPOSED_TAG)) return [];
    const [at = "", by = ""] = value.split(" ");
    const said = SAID_BY.includes(by) ? (by as ExposedBy) : "revoke";
    return [{ keyId: accessKeyId(name.slice(EXPOSED_TAG.length)), at: instant(Number(at) || 0), by: said }];
  });
  return { exposures, quarantine: quarantineIn(tags[QUARANTINE_TAG]), guard: tags[GUARD_TAG] ?? null };
}

function quarantineIn(value: string | undefined): Quarantine | null {
  const [at, ...policies] = value?.split(" ") ?? [];
  return at === undefined ? null : { at: instant(Number(at) || 0), policies: policies.join(" ") };
}

/** The tags to be written. A first mark stays, so that a second report does not put off the cut; `revoke` is another word. */
export function tagsOf({ exposures, quarantine }: Marks, known: CustodyNotes): Tags {
  const isNew = ({ keyId, by }: Exposure): boolean =>
    by === "revoke" || !known.exposures.some((exposure) => exposure.keyId === keyId);
  const marks = exposures.filter(isNew).map(({ keyId, at, by }) => [EXPOSED_TAG + keyId, `${String(at)} ${by}`]);
  const tags = Object.fromEntries(marks) as Tags;
  return quarantine === null
    ? tags
    : { ...tags, [QUARANTINE_TAG]: `${String(quarantine.at)} ${quarantine.policies}`.trim() };
}

/**
 * Custody's resource policy. It names the user alone, so that it locks nobody else out: sessions of the user (who have a
 * `aws:TokenIssueTime`) and federated ones never read, and the user itself only its current pair, or, where it does not
 * fetch it there, nothing. Source: IAM User Guide, global condition keys; Secrets Manager User Guide, resource policies.
 */
export function policyOf({ userArn, isReader }: Guard): string {
  const [, partition = "", , , account = ""] = userArn.split(":");
  const read = { Action: "secretsmanager:GetSecretValue", Resource: "*" };
  const deny = (Sid: string, Condition: object) => ({ Sid, Effect: "Deny", Principal: "*", ...read, Condition });
  const isUser = { "aws:PrincipalArn": userArn };
  const federated = `arn:${partition}:sts::${account}:federated-user/*`;
  const others = deny("NoFederatedUser", { ArnLike: { "aws:PrincipalArn": federated } });
  const current = { "ForAnyValue:StringEquals": { "secretsmanager:VersionStage": "AWSCURRENT" } };
  const labels = ["AWSPENDING", "AWSPREVIOUS", "KEYTURN_INTENT", "KEYTURN_DEPOSIT"];
  const statements = isReader
    ? [
        { Sid: READ_SID, Effect: "Allow", Principal: { AWS: userArn }, ...read, Condition: current },
        deny("NoSession", { ArnEquals: isUser, Null: { "aws:TokenIssueTime": "false" } }),
        deny("NothingElse", { ArnEquals: isUser, StringEquals: { "secretsmanager:VersionStage": labels } }),
      ]
    : [deny("NoReader", { ArnEquals: isUser })];
  return JSON.stringify({ Version: "2012-10-17", Statement: [...statements, others] });
}
