import { defineConfig } from "./src/config/define.ts";
import type { ProfileInput } from "./src/config/profile-input.ts";

/** An example of a Cloudflare account id: put your own here. */
const CLOUDFLARE_ACCOUNT_ID = "0123456789abcdef0123456789abcdef";

/**
 * Laptops fetch their pair from custody with the pair that they hold. A laptop may stay shut for four weeks, so
 * the old key stays that long, and the rotation begins early enough to end within 90 days all the same: as long as each
 * reader signs by its name, which is how it is seen to have the new pair (docs/laptops.md).
 */
const PULLED = {
  destinations: [{ kind: "secrets-manager" }],
  pulls: true,
  idleAtMost: "28d",
  rotateAfter: "47d",
} satisfies Partial<ProfileInput>;

/**
 * Who may be rotated, where each pair goes, and by which policy. Every other setting keeps its default. A destination's
 * kind is cloudflare-worker, cloudflare-pages, cloudflare-secrets-store, github-actions, secrets-manager or ssm-parameter; such as
 * `{ kind: "ssm-parameter", name: "/keyturn/my-user", region: "us-east-1" }`.
 */
export default defineConfig({
  profiles: {
    /** A SvelteKit app on Cloudflare that invokes Lambda functions. CloudTrail never shows its calls: they are data events. */
    matchmaking: {
      users: ["cloudflare-sveltekit-lambda-invoker"],
      destinations: [
        {
          kind: "cloudflare-worker",
          accountId: CLOUDFLARE_ACCOUNT_ID,
          worker: "matchmaking",
          secrets: {
            accessKeyId: "LAMBDA_AWS_ACCESS_KEY_ID",
            secretAccessKey: "LAMBDA_AWS_SECRET_ACCESS_KEY",
          },
          apiToken: "cloudflare/api-token",
        },
      ],
    },

    /**
     * A deploy user, on a laptop that pulls and in a CI that is given the pair as one secret. It may do anything, SES
     * included, so its owner must rule SMTP out in words; a role by OIDC would be better still (docs/github-actions.md).
     */
    "ai-math-tutor": {
      ...PULLED,
      destinations: [
        { kind: "secrets-manager" },
        {
          kind: "github-actions",
          repository: "example-org/ai-math-tutor",
          secret: "AWS_CREDENTIALS",
          apiToken: "github/actions-token",
        },
      ],
      users: ["ai-math-tutor-deploy"],
      consumers: 2,
      readers: ["laptop", "ci"],
      smtp: "none",
    },

    /** A Worker that administers a Cognito user pool. */
    "cognito-admin": {
      users: ["cloudflare-cognito-admin"],
      destinations: [
        {
          kind: "cloudflare-worker",
          accountId: CLOUDFLARE_ACCOUNT_ID,
          worker: "cognito-admin",
          secrets: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
          apiToken: "cloudflare/api-token",
        },
      ],
    },

    /** A local web application on several developers' laptops. */
    flowid: {
      ...PULLED,
      users: ["flowid-dev-user", "/developers/"],
      consumers: 4,
      readers: ["laptop-a", "laptop-b", "laptop-c", "laptop-d"],
    },

    /** A command line and an SDK user. Its console password is not Keyturn's, and is never touched. */
    "invoice-scanner": {
      ...PULLED,
      users: ["ai-invoice-scanner-user"],
      consumers: 2,
      readers: ["command-line", "nightly-job"],
    },
  },
});
