import { AwsClient } from "aws4fetch";
import { answerHealth } from "../../../docs/snippets/worker-health.js";
import { signedCall } from "./signed-call.js";

/** A web application's server code: each request invokes a Lambda function, which CloudTrail does not show. */
export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === "/keyturn-health") {
      return answerHealth(request, {
        token: env.KEYTURN_HEALTH_TOKEN,
        version: env.CF_VERSION_METADATA,
        accessKeyId: env.LAMBDA_AWS_ACCESS_KEY_ID,
        secretAccessKey: env.LAMBDA_AWS_SECRET_ACCESS_KEY,
        endpoint: `${env.AWS_ENDPOINT}/`,
      });
    }
    // Made anew for each request: a client kept in the module would go on with the pair that it was made with.
    const aws = new AwsClient({
      accessKeyId: env.LAMBDA_AWS_ACCESS_KEY_ID,
      secretAccessKey: env.LAMBDA_AWS_SECRET_ACCESS_KEY,
      region: env.AWS_REGION ?? "us-east-1",
      service: "lambda",
      retries: 0,
    });
    const path = "/2015-03-31/functions/gpt-openai-matchmaking-x/invocations";
    return signedCall(aws, env.AWS_ENDPOINT + path, { method: "POST", body: "{}" });
  },
};
