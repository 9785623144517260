import { secondsDate } from "./caller.ts";
import type { Operations } from "./caller.ts";
import { optionalNumber } from "./input.ts";

/** GetCallerIdentity needs no permission, and answers at every Region's endpoint (IAM API). */
export function stsOperations(account: string): Operations {
  return {
    GetCallerIdentity: ({ caller }) => ({
      UserId: caller.uniqueId,
      Account: account,
      Arn: caller.arn,
    }),
    // What is signed with the session's own pair is not modelled: it shows under another key's id.
    GetSessionToken: ({ input, nowMs }) => ({
      Credentials: {
        AccessKeyId: "ASIAOFASESSION000000",
        Expiration: secondsDate(nowMs + (optionalNumber(input, "DurationSeconds") ?? 12 * 3_600) * 1_000),
      },
    }),
  };
}
