import { createPrivateKey, sign } from "node:crypto";
import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import { Secret } from "../rotation/secret.ts";
import type { Instant } from "../rotation/time.ts";
import { readJson } from "./read-json.ts";

/** What the apiToken secret holds of a GitHub App: its id, its installation, and a private key in PEM. */
export type GitHubApp = { readonly appId: string; readonly installationId: string; readonly privateKey: Secret };

const Id = z.pipe(
  z.union([z.string().check(z.regex(/^[\w.]+$/)), z.int()]),
  z.transform((id) => String(id)),
);
const App = z.object({ appId: Id, installationId: Id, privateKey: z.string() });

/** GitHub allows ten minutes, and advises a minute back for clocks that differ. Source: GitHub, JWTs for GitHub Apps. */
const JWT_BEGINS_S = -60;
const JWT_ENDS_S = 540;

/** A token as an operator stored it: a token itself, or JSON that describes an app. */
export function readStored(stored: Secret): Secret | GitHubApp {
  const text = stored.reveal();
  const doing = "reading GitHub's token";
  if (text.startsWith("{")) {
    const app = readJson(App, text);
    if (app !== null) return { ...app, privateKey: new Secret(app.privateKey) };
    throw new RotationError("Misconfigured", `${doing}, it is JSON without appId, installationId and privateKey`);
  }
  if (/^[\x21-\x7e]+$/.test(text)) return stored;
  throw new RotationError("Misconfigured", `${doing}, it holds white space, or what no token has`);
}

/** What an app signs its own requests with: a JSON Web Token, good for nine minutes. */
export function appToken({ appId, privateKey }: GitHubApp, now: Instant): Secret {
  const nowS = Math.floor(now / 1_000);
  const claims = { iat: nowS + JWT_BEGINS_S, exp: nowS + JWT_ENDS_S, iss: appId };
  const body = [{ alg: "RS256", typ: "JWT" }, claims].map((part) => encoded(JSON.stringify(part))).join(".");
  return new Secret(`${body}.${encoded(signed(body, privateKey))}`);
}

const encoded = (part: string | Buffer): string => Buffer.from(part).toString("base64url");

/** What is thrown for a key that cannot be read may quote it, and goes no further. */
function signed(body: string, privateKey: Secret): Buffer {
  try {
    return sign("RSA-SHA256", Buffer.from(body), createPrivateKey(privateKey.reveal()));
  } catch {
    throw new RotationError("Misconfigured", "signing as a GitHub App, privateKey is no RSA key in PEM");
  }
}
