/**
 * Sends one signed request, and tells what came of it. The last four characters of the key id show which pair signed.
 * @param {import("aws4fetch").AwsClient} aws
 * @param {string} url
 * @param {RequestInit} init
 */
export async function signedCall(aws, url, init) {
  const keyId = aws.accessKeyId.slice(-4);
  try {
    const response = await aws.fetch(url, init);
    const body = await response.text();
    const code = response.ok ? null : errorCode(response, body);
    return Response.json({ ok: response.ok, status: response.status, code, keyId });
  } catch (error) {
    return Response.json({ ok: false, status: 0, code: error.name, keyId });
  }
}

/** AWS names the error in a header (REST) or in the body (awsJson), with a namespace before it or a URL behind it. */
function errorCode(response, body) {
  const named = response.headers.get("x-amzn-errortype") ?? /"__type":"([^"]+)"/.exec(body)?.[1];
  return (named ?? "Unknown").split(":")[0].split("#").at(-1);
}
