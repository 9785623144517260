import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import type { AccessKeyMetadata } from "@aws-sdk/client-iam";
import { RotationError } from "../rotation/errors.ts";
import { accessKeyId } from "../rotation/keys.ts";
import type { AccessKey } from "../rotation/keys.ts";
import { Secret } from "../rotation/secret.ts";
import { instant } from "../rotation/time.ts";
import type { AccessKeys } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { markerOf, readPages } from "./pages.ts";
import { asking, translateError } from "./translate-error.ts";

/** IAM's access keys. */
export function createAccessKeys({ iam, iamOnce }: Clients): AccessKeys {
  return {
    async list(user) {
      const doing = `listing the keys of ${user}`;
      const keys = await readPages(doing, async (Marker) => {
        const answer = await iam.send(new ListAccessKeysCommand({ UserName: user, Marker }));
        return { items: answer.AccessKeyMetadata, next: markerOf(answer) };
      });
      return keys.map((key) => parseKey(key, doing));
    },

    async create(user) {
      const doing = `creating a key of ${user}`;
      const answer = await asking(doing, iamOnce.send(new CreateAccessKeyCommand({ UserName: user })));
      const { AccessKeyId: id, SecretAccessKey: secret } = answer.AccessKey ?? {};
      if (id === undefined || secret === undefined) {
        const said = `${doing}, the answer holds no pair`;
        throw new RotationError("Unreachable", said, { outcomeUnknown: true });
      }
      return { id: accessKeyId(id), secret: new Secret(secret) };
    },

    async setStatus(user, id, status) {
      const command = new UpdateAccessKeyCommand({
        UserName: user,
        AccessKeyId: id,
        Status: status === "active" ? "Active" : "Inactive",
      });
      await asking(`making ${id} of ${user} ${status}`, iam.send(command));
    },

    async delete(user, id) {
      try {
        await iam.send(new DeleteAccessKeyCommand({ UserName: user, AccessKeyId: id }));
      } catch (thrown) {
        const error = translateError(thrown, `deleting ${id} of ${user}`);
        if (error.code !== "NotFound") throw error;
      }
    },
  };
}

function parseKey(key: AccessKeyMetadata, doing: string): AccessKey {
  if (key.AccessKeyId === undefined || key.CreateDate === undefined) {
    throw new RotationError("Unreachable", `${doing}, a key without an id or a date`);
  }
  return {
    id: accessKeyId(key.AccessKeyId),
    status: parseStatus(key.Status),
    createdAt: instant(key.CreateDate.getTime()),
  };
}

function parseStatus(status: string | undefined): AccessKey["status"] {
  if (status === "Active") return "active";
  return status === "Inactive" ? "inactive" : "unrecognized";
}
