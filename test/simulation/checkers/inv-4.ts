import type { Checker } from "../checker.ts";
import { violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** No destination, and no version of custody, ever holds an id with another key's secret. */
export function inv4(stage: Stage): Checker {
  const invariant = "INV-4";
  const check = (user: string, where: string, pair: { readonly keyId: string; readonly secret: string }): void => {
    const key = stage.cloud.iam.keys.get(pair.keyId);
    if (key?.secret !== pair.secret)
      violate(stage, invariant, user, `${where} is given ${pair.keyId} with another secret`);
  };
  return {
    invariant,
    delivering: ({ subject, destination, pair }) => {
      check(subject.user, destination, pair);
    },
    before: ({ name, user, input }) => {
      if (name !== "secretsmanager.PutSecretValue") return;
      const value = JSON.parse(String(input["SecretString"])) as Readonly<Record<string, string>>;
      const { AccessKeyId: keyId, SecretAccessKey: secret } = value;
      if (keyId !== undefined && secret !== undefined) check(user, "custody", { keyId, secret });
    },
  };
}
