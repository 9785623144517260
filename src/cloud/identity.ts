import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { RotationError } from "../rotation/errors.ts";
import type { Identity } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { asking } from "./translate-error.ts";

/** Who we are, asked of STS once a run. A failed question is asked again. */
export function createIdentity({ sts }: Clients): Identity {
  let known: Awaited<ReturnType<Identity["read"]>> | null = null;
  return {
    async read() {
      if (known !== null) return known;
      const doing = "asking who we are";
      const { Account, Arn } = await asking(doing, sts.send(new GetCallerIdentityCommand({})));
      if (Account === undefined || Arn === undefined) {
        throw new RotationError("Unreachable", `${doing}, the answer names no account`);
      }
      known = { account: Account, principalArn: principalOf(Arn) };
      return known;
    },
  };
}

/**
 * The principal behind an ARN, in one spelling: the role behind a session, and a role or user without its path, which
 * GetCallerIdentity leaves out of `assumed-role/<role>/<session>`. Names are unique in an account whatever their path.
 */
export function principalOf(arn: string): string {
  const [prefix = "", partition = "", , , account = "", resource = ""] = arn.split(":");
  const [kind = "", ...names] = resource.split("/");
  if (kind === "assumed-role") return `${prefix}:${partition}:iam::${account}:role/${names[0] ?? ""}`;
  if (kind !== "role" && kind !== "user") return arn;
  return `${prefix}:${partition}:iam::${account}:${kind}/${names.at(-1) ?? ""}`;
}
