import * as sdk from "@aws-sdk/client-iam";
import { RotationError } from "../rotation/errors.ts";
import { accessKeyId, type AccessKey, userName } from "../rotation/keys.ts";
import { Secret } from "../rotation/secret.ts";
import { instant } from "../rotation/time.ts";
import type { AccessKeys } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { readPages } from "./pages.ts";
import { retryThrottled, type Waiting } from "./retry.ts";
import { asking, finding } from "./translate-error.ts";

/** IAM's access keys. */
export function createAccessKeys({ iam, iamOnce }: Clients, waiting: Waiting): AccessKeys {
  return {
    async list(user) {
      const doing = `listing the keys of ${user}`;
      const pages = await readPages(doing, sdk.paginateListAccessKeys({ client: iam }, { UserName: user }));
      return pages.flatMap(({ AccessKeyMetadata = [] }) => AccessKeyMetadata).map((key) => parseKey(key, doing));
    },
    async create(user) {
      const doing = `creating a key of ${user}`;
      const command = new sdk.CreateAccessKeyCommand({ UserName: user });
      // What was throttled made no key; whatever else went wrong may have made one.
      const answer = await retryThrottled(waiting, () => asking(doing, iamOnce.send(command)));
      const { AccessKeyId: id, SecretAccessKey: secret, CreateDate: made } = answer.AccessKey ?? {};
      if (id === undefined || secret === undefined || made === undefined) {
        throw new RotationError("Unreachable", `${doing}, the answer holds no dated pair`, { outcomeUnknown: true });
      }
      return { id: accessKeyId(id), secret: new Secret(secret), createdAt: instant(made.getTime()) };
    },
    async setStatus(user, id, status) {
      const Status = status === "active" ? "Active" : "Inactive";
      const command = new sdk.UpdateAccessKeyCommand({ UserName: user, AccessKeyId: id, Status });
      await asking(`making ${id} of ${user} ${status}`, iam.send(command));
    },
    async delete(user, id) {
      // A key that is not found is deleted already.
      const command = new sdk.DeleteAccessKeyCommand({ UserName: user, AccessKeyId: id });
      await finding(`deleting ${id} of ${user}`, iam.send(command));
    },
    async ownerOf(id) {
      const found = await finding(
        `asking whose key ${id} is`,
        iam.send(new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId: id })),
      );
      return found?.UserName === undefined ? null : userName(found.UserName);
    },
    async describe(user, id, text) {
      const doing = `describing ${id} of ${user}`;
      const tag = { UserName: user, Tags: [{ Key: id, Value: text ?? "" }] };
      // The SDK would take "50 tags" for throttling, repeat it, and slow down every other call of its client.
      await retryThrottled(waiting, async () => {
        if (text !== null) await asking(doing, iamOnce.send(new sdk.TagUserCommand(tag)));
        else await asking(doing, iamOnce.send(new sdk.UntagUserCommand({ UserName: user, TagKeys: [id] })));
      });
    },
  };
}

const STATUSES: Readonly<Record<string, AccessKey["status"]>> = { Active: "active", Inactive: "inactive" };

function parseKey({ AccessKeyId, CreateDate, Status }: sdk.AccessKeyMetadata, doing: string): AccessKey {
  if (AccessKeyId === undefined || CreateDate === undefined) {
    throw new RotationError("Unreachable", `${doing}, a key without an id or a date`);
  }
  const status = STATUSES[Status ?? ""] ?? "unrecognized";
  return { id: accessKeyId(AccessKeyId), status, createdAt: instant(CreateDate.getTime()) };
}
