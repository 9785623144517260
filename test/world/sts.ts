import type { Operations } from "./caller.ts";

/** GetCallerIdentity needs no permission, and answers at every Region's endpoint (IAM API). */
export function stsOperations(account: string): Operations {
  return {
    GetCallerIdentity: ({ caller }) => ({
      UserId: caller.uniqueId,
      Account: account,
      Arn: caller.arn,
    }),
  };
}
