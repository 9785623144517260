import { RotationError } from "../rotation/errors.ts";

/** What the deployment says: every environment variable that Keyturn knows, read once. */
export interface Settings {
  readonly table: string;
  /** The SNS topic that notices go to, by its name: it is this account's, in this Region. */
  readonly topic: string;
  /** Which deployment this is; each has its own enrolment tag and its own custody. */
  readonly stage: string;
  /** The tag key that opts a user in: `keyturn`, or `keyturn-<stage>`. */
  readonly enrolmentTag: string;
  readonly region: string;
  readonly cloudflareBaseUrl: string;
  readonly githubBaseUrl: string;
  /** Where all of AWS is asked instead, as the SDK reads it for its own clients. Null in a deployment. */
  readonly awsEndpoint: string | null;
}

const DEFAULT_STAGE = "default";
const CLOUDFLARE_API = "https://api.cloudflare.com/client/v4";
const GITHUB_API = "https://api.github.com";

/** Reads the environment, the only place that does. Throws `Misconfigured` naming every variable that is missing or wrong. */
export function loadSettings(environment = process.env): Settings {
  const problems: string[] = [];
  const required = (...names: readonly string[]): string => {
    const value = names.map((name) => environment[name]?.trim()).find(Boolean);
    if (value === undefined) problems.push(`${names.join(" or ")} is not set`);
    return value ?? "";
  };
  const stage = environment["KEYTURN_STAGE"] || DEFAULT_STAGE;
  const settings: Settings = {
    table: required("KEYTURN_TABLE"),
    topic: required("KEYTURN_TOPIC"),
    region: required("AWS_REGION", "AWS_DEFAULT_REGION"),
    cloudflareBaseUrl: (environment["CLOUDFLARE_API_BASE_URL"] || CLOUDFLARE_API).replace(/\/+$/, ""),
    githubBaseUrl: (environment["GITHUB_API_URL"] || GITHUB_API).replace(/\/+$/, ""),
    awsEndpoint: environment["AWS_ENDPOINT_URL"] || null,
    stage,
    enrolmentTag: stage === DEFAULT_STAGE ? "keyturn" : `keyturn-${stage}`,
  };
  problems.push(...malformed(settings));
  if (problems.length > 0) throw new RotationError("Misconfigured", `reading the environment, ${problems.join("; ")}`);
  return Object.freeze(settings);
}

function malformed({ stage, topic, cloudflareBaseUrl, githubBaseUrl }: Settings): string[] {
  const found: string[] = [];
  // The tags keyturn-hold and keyturn-owner are an operator's: a stage of that name would take each for an enrolment.
  if (stage === "hold" || stage === "owner")
    found.push(`KEYTURN_STAGE is ${stage}, and keyturn-${stage} is a tag of an operator's`);
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(stage))
    found.push(`KEYTURN_STAGE is "${stage}", but may be lower-case letters, digits and hyphens`);
  if (topic !== "" && !/^[\w-]{1,256}$/.test(topic))
    found.push(`KEYTURN_TOPIC is "${topic}", which is not the name of an SNS topic`);
  // Tokens travel there: in the clear only as far as this machine's own loopback.
  for (const [name, url] of Object.entries({
    CLOUDFLARE_API_BASE_URL: cloudflareBaseUrl,
    GITHUB_API_URL: githubBaseUrl,
  })) {
    if (!/^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$))/.test(url))
      found.push(`${name} is "${url}", which is not an https address`);
  }
  return found;
}
