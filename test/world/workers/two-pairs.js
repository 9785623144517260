import { AwsClient } from "aws4fetch";
import { answerHealth } from "../../../docs/snippets/worker-health.js";
import { signedCall } from "./signed-call.js";

/** A Worker that holds the pairs of two users, and has a health route for each: `/second` is the other's. */
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const prefix = pathname.startsWith("/second") ? "" : "LAMBDA_";
    const accessKeyId = env[`${prefix}AWS_ACCESS_KEY_ID`];
    const secretAccessKey = env[`${prefix}AWS_SECRET_ACCESS_KEY`];
    if (pathname.endsWith("/keyturn-health")) {
      const { KEYTURN_HEALTH_TOKEN: token, CF_VERSION_METADATA: version } = env;
      return answerHealth(request, { token, version, accessKeyId, secretAccessKey, endpoint: `${env.AWS_ENDPOINT}/` });
    }
    const region = env.AWS_REGION ?? "us-east-1";
    const aws = new AwsClient({ accessKeyId, secretAccessKey, region, service: "lambda", retries: 0 });
    return signedCall(aws, `${env.AWS_ENDPOINT}/2015-03-31/functions/any/invocations`, { method: "POST", body: "{}" });
  },
};
