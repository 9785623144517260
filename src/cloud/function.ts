import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { FunctionConfiguration } from "@aws-sdk/client-lambda";
import { RotationError } from "../rotation/errors.ts";
import { minutes, seconds } from "../rotation/time.ts";
import { asking } from "./translate-error.ts";

/** A sweep may take the function's whole time-out of 15 minutes. */
const ANSWERS_WITHIN_MS = minutes(15) + seconds(30);

/** What came back: an answer, or what the function threw. */
type Invoked =
  | { readonly kind: "answered"; readonly answer: unknown }
  | { readonly kind: "threw"; readonly message: string };

/** A deployed function, as somebody who may invoke it reaches it. */
export interface DeployedFunction {
  /** Sends one event, once: a lost answer is for people to judge. Throws `RotationError` where the function was not reached. */
  invoke(event: unknown): Promise<Invoked>;
  /** What Lambda says of it. `NotFound` where there is none, `Denied` where one may not ask. */
  configuration(): Promise<FunctionConfiguration>;
  close(): void;
}

/** The Region by the SDK's own variables and files. Throws `Misconfigured` where they name none. */
export async function configuredRegion(client = new LambdaClient({})): Promise<string> {
  try {
    return await client.config.region();
  } catch {
    throw new RotationError("Misconfigured", "finding the Region, none is configured: set AWS_REGION or AWS_PROFILE");
  }
}

/** Lambda answers JSON; anything else is of somebody in between. */
function parsed(doing: string, payload: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(payload) || "null");
  } catch {
    throw new RotationError("Unreachable", `${doing}, the answer is no JSON, and so not Lambda's`, {
      outcomeUnknown: true,
    });
  }
}

/** Credentials, Region and endpoint by the SDK's own chain and variables. */
export function reachFunction(FunctionName: string): DeployedFunction {
  const requestHandler = {
    connectionTimeout: seconds(5),
    requestTimeout: ANSWERS_WITHIN_MS,
    throwOnRequestTimeout: true,
  };
  const lambda = new LambdaClient({ maxAttempts: 1, requestHandler });
  return {
    async invoke(event) {
      await configuredRegion(lambda);
      const Payload = new TextEncoder().encode(JSON.stringify(event));
      const doing = `invoking ${FunctionName}`;
      const answer = await asking(doing, lambda.send(new InvokeCommand({ FunctionName, Payload })));
      const said = parsed(doing, answer.Payload);
      if (answer.FunctionError === undefined) return { kind: "answered", answer: said };
      const { errorMessage } = (said ?? {}) as { readonly errorMessage?: string };
      return { kind: "threw", message: errorMessage ?? answer.FunctionError };
    },
    configuration: () =>
      asking(
        `reading the configuration of ${FunctionName}`,
        lambda.send(new GetFunctionConfigurationCommand({ FunctionName })),
      ),
    close: () => lambda.destroy(),
  };
}
