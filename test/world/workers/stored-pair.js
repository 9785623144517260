import { AwsClient } from "aws4fetch";
import { signedCall } from "./signed-call.js";

/** A Worker that reads its pair from the Secrets Store at each request: one JSON text, or (torn now and then) two texts. */
export default {
  async fetch(_request, env) {
    const pair = env.PAIR === undefined ? await twoTexts(env) : JSON.parse(await env.PAIR.get());
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = pair;
    const aws = new AwsClient({ accessKeyId, secretAccessKey, region: "us-east-1", service: "lambda", retries: 0 });
    return signedCall(aws, `${env.AWS_ENDPOINT}/2015-03-31/functions/any/invocations`, { method: "POST", body: "{}" });
  },
};

const twoTexts = async (env) => ({ AccessKeyId: await env.ID.get(), SecretAccessKey: await env.SECRET.get() });
