import { RotationError } from "../../../src/rotation/errors.ts";
import { accessKeyId, userName } from "../../../src/rotation/keys.ts";
import type { AccessKey } from "../../../src/rotation/keys.ts";
import { Secret } from "../../../src/rotation/secret.ts";
import { instant } from "../../../src/rotation/time.ts";
import type { AccessKeys, Clock, Identity, Prover } from "../../../src/rotation/world.ts";
import { ServiceError } from "../call.ts";
import type { CloudAnswer } from "../call.ts";
import { listIn, msIn, optionalTextIn, partIn, textIn } from "./answers.ts";
import type { Session } from "./session.ts";

const STATUSES: Readonly<Record<string, AccessKey["status"]>> = {
  Active: "active",
  Inactive: "inactive",
};

const keyFrom = (listed: CloudAnswer): AccessKey => ({
  id: accessKeyId(textIn(listed, "AccessKeyId")),
  status: STATUSES[textIn(listed, "Status")] ?? "unrecognized",
  createdAt: instant(msIn(listed, "CreateDate")),
});

const TRIES_MAX = 5;
const WAIT_MS = 1_000;

/** Asks again what was throttled, and so had no effect; nothing else. */
async function whileThrottled<Answer>(clock: Clock, ask: () => Promise<Answer>): Promise<Answer> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await ask();
    } catch (thrown) {
      const isThrottled = thrown instanceof RotationError && thrown.code === "Throttled";
      if (!isThrottled || tried === TRIES_MAX) throw thrown;
      await clock.sleep(WAIT_MS);
    }
  }
}

export function directAccessKeys({ ask, clock }: Session): AccessKeys {
  return {
    async list(user) {
      const found: AccessKey[] = [];
      let marker: string | null = null;
      do {
        const answer: CloudAnswer = await ask(`listing the keys of ${user}`, {
          service: "iam",
          operation: "ListAccessKeys",
          input: { UserName: user, ...(marker === null ? {} : { Marker: marker }) },
        });
        found.push(...listIn(answer, "AccessKeyMetadata").map(keyFrom));
        marker = optionalTextIn(answer, "Marker");
      } while (marker !== null);
      return found;
    },
    async ownerOf(id) {
      try {
        const asked = { service: "iam", operation: "GetAccessKeyLastUsed", input: { AccessKeyId: id } };
        return userName(textIn(await ask(`asking whose ${id} is`, asked), "UserName"));
      } catch (thrown) {
        if (thrown instanceof RotationError && thrown.code === "NotFound") return null;
        throw thrown;
      }
    },
    async create(user) {
      const answer = await whileThrottled(clock, async () =>
        ask(`making a key for ${user}`, {
          service: "iam",
          operation: "CreateAccessKey",
          input: { UserName: user },
        }),
      );
      const key = partIn(answer, "AccessKey");
      return {
        id: accessKeyId(textIn(key, "AccessKeyId")),
        secret: new Secret(textIn(key, "SecretAccessKey")),
        createdAt: instant(msIn(key, "CreateDate")),
      };
    },
    async setStatus(user, id, status) {
      await ask(`setting ${id} of ${user} ${status}`, {
        service: "iam",
        operation: "UpdateAccessKey",
        input: {
          UserName: user,
          AccessKeyId: id,
          Status: status === "active" ? "Active" : "Inactive",
        },
      });
    },
    async delete(user, id) {
      try {
        await ask(`deleting ${id} of ${user}`, {
          service: "iam",
          operation: "DeleteAccessKey",
          input: { UserName: user, AccessKeyId: id },
        });
      } catch (thrown) {
        if (!(thrown instanceof RotationError) || thrown.code !== "NotFound") throw thrown;
      }
    },
    async describe(user, id, text) {
      const input = text === null ? { TagKeys: [id] } : { Tags: [{ Key: id, Value: text }] };
      const operation = text === null ? "UntagUser" : "TagUser";
      await whileThrottled(clock, async () =>
        ask(`describing ${id} of ${user}`, { service: "iam", operation, input: { UserName: user, ...input } }),
      );
    },
  };
}

/** The codes of a refused authentication. A fresh key is met with the first of them. */
const REFUSALS = ["InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidAccessKeyId"];

export function directProver({ ask }: Session): Prover {
  return {
    async callerArn(credential, region) {
      try {
        const answer = await ask(`proving ${credential.id} in ${region}`, {
          service: "sts",
          operation: "GetCallerIdentity",
          region,
          pair: { keyId: credential.id, secret: credential.secret.reveal() },
        });
        return { kind: "answered", arn: textIn(answer, "Arn") };
      } catch (thrown) {
        const cause = thrown instanceof RotationError ? thrown.cause : null;
        if (cause instanceof ServiceError && REFUSALS.includes(cause.code)) {
          return { kind: "refused", because: cause.code };
        }
        throw thrown;
      }
    },
  };
}

/** The role behind a session: `assumed-role/<role>/<session>` at STS is `role/<role>` at IAM and in CloudTrail. */
function principalOf(arn: string): string {
  const known = principals.get(arn);
  if (known !== undefined) return known;
  const role = arn.replace(/^arn:(aws[a-z-]*):sts::(\d+):assumed-role\/([^/]+)\/.*$/, "arn:$1:iam::$2:role/$3");
  principals.set(arn, role);
  return role;
}
const principals = new Map<string, string>();

export function directIdentity({ ask }: Session): Identity {
  let known: Awaited<ReturnType<Identity["read"]>> | null = null;
  return {
    async read() {
      if (known !== null) return known;
      const answer = await ask("asking who we are", {
        service: "sts",
        operation: "GetCallerIdentity",
      });
      known = {
        account: textIn(answer, "Account"),
        principalArn: principalOf(textIn(answer, "Arn")),
      };
      return known;
    },
  };
}
