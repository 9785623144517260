// src/routes/keyturn-health/+server.ts, beside worker-health.js as src/lib/server/worker-health.js.
import { answerHealth } from "$lib/server/worker-health.js";
import type { RequestHandler } from "./$types";

/** `platform.env` is what the version that answers holds. `$env/static/private` is what the build held, and `$env/dynamic/private` what the isolate began with. */
export const GET: RequestHandler = ({ request, platform }) => {
  const env = platform?.env;
  return answerHealth(request, {
    token: env?.KEYTURN_HEALTH_TOKEN,
    version: env?.CF_VERSION_METADATA,
    accessKeyId: env?.LAMBDA_AWS_ACCESS_KEY_ID,
    secretAccessKey: env?.LAMBDA_AWS_SECRET_ACCESS_KEY,
  });
};

export const prerender = false;
