import { AwsClient } from "aws4fetch";
import { signedCall } from "./signed-call.js";

/** Administers a user pool: each request is a management call, which CloudTrail does show. */
export default {
  async fetch(_request, env) {
    const aws = new AwsClient({
      accessKeyId: env.AWS_ACCESS_KEY_ID,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
      region: env.AWS_REGION ?? "us-east-1",
      service: "cognito-idp",
      retries: 0,
    });
    return signedCall(aws, `${env.AWS_ENDPOINT}/`, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AWSCognitoIdentityProviderService.AdminGetUser",
      },
      body: JSON.stringify({ UserPoolId: env.USER_POOL_ID ?? "us-east-1_pool", Username: "ada" }),
    });
  },
};
