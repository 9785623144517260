import type { Operations } from "./caller.ts";

/** GetCallerIdentity needs no permission, and answers at every Region's endpoint (facts 3). */
export function stsOperations(account: string): Operations {
  return {
    GetCallerIdentity: ({ caller }) => ({
      UserId: caller.uniqueId,
      Account: account,
      Arn: caller.arn,
    }),
  };
}
