import { AwsClient } from "aws4fetch";

/**
 * Keyturn's health route, for a Worker that signs calls to AWS. The contract is docs/health-route.md. It tells which
 * version answers and what AWS says to the pair that this version holds; it needs nothing but the pair itself.
 *
 * @param {Request} request
 * @param {object} worker
 * @param {string | undefined} worker.token The bearer token, a secret of the Worker. Without one nobody is let in.
 * @param {{ id: string } | undefined} worker.version The binding version_metadata.
 * @param {string | undefined} worker.accessKeyId
 * @param {string | undefined} worker.secretAccessKey
 * @param {string} [worker.region]
 * @param {string} [worker.endpoint] Another place than AWS, for tests.
 * @param {string | null} [worker.lastSignedAt] When the Worker last signed a call of its own with this key (ISO 8601), if it knows.
 * @returns {Promise<Response>}
 */
export async function answerHealth(request, { token, version, lastSignedAt = null, ...pair }) {
  if (!(await bears(request, token))) return new Response(null, { status: 401 });
  const keyId = String(pair.accessKeyId).slice(-4);
  const health = { v: 1, versionId: version?.id ?? null, keyId, aws: await askAws(pair), lastSignedAt };
  return Response.json(health, { headers: { "cache-control": "no-store" } });
}

/**
 * GetCallerIdentity needs no permission, and cannot be denied: what it answers tells of the pair alone. The client is
 * made anew for each request: one kept in the module would go on with the pair that it was made with.
 */
async function askAws({ accessKeyId, secretAccessKey, region = "us-east-1", endpoint }) {
  try {
    const aws = new AwsClient({ accessKeyId, secretAccessKey, region, service: "sts", retries: 0 });
    const answer = await aws.fetch(endpoint ?? `https://sts.${region}.amazonaws.com/`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "Action=GetCallerIdentity&Version=2011-06-15",
      signal: AbortSignal.timeout(2_000),
    });
    const code = answer.ok ? null : (/<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1] ?? null);
    // Who is denied was known: AWS looks at the permission after the signature.
    return { authenticated: answer.ok || code === "AccessDenied", status: answer.status, code };
  } catch (error) {
    return { authenticated: false, status: 0, code: error.name };
  }
}

/** Digests have one length, and are compared to the end: the time taken tells nothing of the token. */
async function bears(request, token) {
  if (!token) return false;
  const [given, right] = await Promise.all([request.headers.get("authorization") ?? "", `Bearer ${token}`].map(digest));
  return given.reduce((differs, byte, index) => differs | (byte ^ right[index]), 0) === 0;
}

async function digest(text) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
