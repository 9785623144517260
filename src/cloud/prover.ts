import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { RotationError } from "../rotation/errors.ts";
import type { Prover } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { foreignName, translateError } from "./translate-error.ts";

/** STS's ways to say that it does not know a signature. A fresh key meets the first until IAM has spread it. */
const REFUSAL =
  /^(InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|AuthFailure|IncompleteSignature|MissingAuthenticationToken)$/;

/** Tries pairs at STS: GetCallerIdentity needs no permission, so only authentication can fail. */
export function createProver(clients: Clients): Prover {
  return {
    async callerArn(credential, region) {
      const doing = `proving ${credential.id} in ${region}`;
      const sts = clients.stsAs(credential, region);
      try {
        const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
        if (Arn !== undefined) return { kind: "answered", arn: Arn };
      } catch (thrown) {
        const name = foreignName(thrown);
        if (REFUSAL.test(name)) return { kind: "refused", because: name };
        throw translateError(thrown, doing);
      } finally {
        sts.destroy();
      }
      throw new RotationError("Unreachable", `${doing}, the answer names nobody`);
    },
  };
}
