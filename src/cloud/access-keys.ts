import * as sdk from "@aws-sdk/client-iam";
import { RotationError } from "../rotation/errors.ts";
import { accessKeyId, type AccessKey } from "../rotation/keys.ts";
import { Secret } from "../rotation/secret.ts";
import { instant } from "../rotation/time.ts";
import type { AccessKeys } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { readPages } from "./pages.ts";
import { asking, finding } from "./translate-error.ts";

/** IAM's access keys. */
export function createAccessKeys({ iam, iamOnce }: Clients): AccessKeys {
  return {
    async list(user) {
      const doing = `listing the keys of ${user}`;
      const pages = await readPages(doing, sdk.paginateListAccessKeys({ client: iam }, { UserName: user }));
      return pages.flatMap(({ AccessKeyMetadata = [] }) => AccessKeyMetadata).map((key) => parseKey(key, doing));
    },
    async create(user) {
      const doing = `creating a key of ${user}`;
      const answer = await asking(doing, iamOnce.send(new sdk.CreateAccessKeyCommand({ UserName: user })));
      const { AccessKeyId: id, SecretAccessKey: secret } = answer.AccessKey ?? {};
      if (id === undefined || secret === undefined) {
        throw new RotationError("Unreachable", `${doing}, the answer holds no pair`, { outcomeUnknown: true });
      }
      return { id: accessKeyId(id), secret: new Secret(secret) };
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
