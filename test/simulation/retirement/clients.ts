import { AccountClient } from "@aws-sdk/client-account";
import type { Clients } from "../../../src/cloud/clients.ts";
import { minutes } from "../../../src/rotation/time.ts";
import { ServiceError } from "../../world/call.ts";
import type { CloudAnswer } from "../../world/call.ts";
import { signerOf } from "../../world/caller.ts";
import type { Cloud } from "../../world/cloud.ts";
import { count } from "../coverage.ts";
import type { Coverage } from "../coverage.ts";
import type { Tape } from "./tape.ts";
import { isDateAbsent, refusalOf } from "./troubles.ts";
import type { Troubles } from "./troubles.ts";

/** How long each request takes. */
export const REQUEST_MS = 40;

/** A command of the SDK, as far as it is looked at: its class names the operation. */
interface Command {
  readonly input: Readonly<Record<string, unknown>>;
  readonly constructor: { readonly name: string };
}

export interface Sources {
  readonly cloud: Cloud;
  readonly tape: Tape;
  readonly troubles: Troubles;
  readonly coverage: Coverage;
}

/**
 * The SDK clients that the production evidence sources ask, without SDK and HTTP: the command's input goes straight to
 * the simulated service, and its refusals come back as the SDK throws them.
 */
export function evidenceClients(sources: Sources): { readonly clients: Clients; readonly beginRun: () => void } {
  const { cloud, tape, troubles, coverage } = sources;
  let page = 0;
  const ask = (service: string, region: string, { input, constructor }: Command): CloudAnswer => {
    const operation = constructor.name.replace(/Command$/, "");
    cloud.clock.advance(REQUEST_MS);
    const nowMs = cloud.clock.now();
    page += 1;
    const refusal = refusalOf(troubles, { operation, region, page }, nowMs);
    if (refusal !== null) {
      count(coverage, "refused", `${operation} ${refusal}`);
      throw refused(refusal);
    }
    const { AccessKeyId } = input;
    tape.settle(nowMs, typeof AccessKeyId === "string" ? AccessKeyId : null);
    const plain = Object.fromEntries(
      Object.entries(input).map(([name, value]) => [name, value instanceof Date ? value.getTime() : value]),
    );
    const call = { service, operation, region, input: plain, sourceAddress: "192.0.2.10", userAgent: "keyturn" };
    const answer = cloud.call({ ...call, signer: signerOf(cloud.role) });
    if (operation !== "GetAccessKeyLastUsed" || !isDateAbsent(troubles, nowMs)) return answer;
    return { ...answer, AccessKeyLastUsed: { ServiceName: "N/A", Region: "N/A" } };
  };
  const client = (service: string, region: string) => ({
    send: async (command: Command): Promise<CloudAnswer> => {
      await Promise.resolve();
      try {
        return ask(service, region, command);
      } catch (thrown) {
        throw thrown instanceof ServiceError ? asSdk(thrown.code, thrown.status) : thrown;
      }
    },
  });
  // The SDK's paginator insists on its own class.
  const account = Object.assign(Object.create(AccountClient.prototype) as object, client("account", "us-east-1"));
  const cloudtrailIn = (region: string) => client("cloudtrail", region);
  const clients = { iam: client("iam", "us-east-1"), account, cloudtrailIn } as unknown as Clients;
  return {
    clients,
    beginRun: () => {
      page = 0;
    },
  };
}

const asSdk = (name: string, status: number): Error =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });

function refused(refusal: "denied" | "throttled" | "failed" | "lost"): Error {
  switch (refusal) {
    case "denied":
      return asSdk("AccessDeniedException", 403);
    case "throttled":
      return asSdk("ThrottlingException", 400);
    case "failed":
      return asSdk("InternalServiceError", 500);
    case "lost":
      return Object.assign(new Error("no answer"), { name: "TimeoutError" });
  }
}

/** The time that a run has. */
export const RUN_MS = minutes(14);
