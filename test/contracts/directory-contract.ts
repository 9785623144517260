import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { userName } from "../../src/rotation/keys.ts";
import { failureOf } from "./setup.ts";
import type { MakeSetup, WorldSetup } from "./setup.ts";

const POLICY = "arn:aws:iam::123456789012:policy/mail";

const allowing = (Action: string | readonly string[]): Readonly<Record<string, unknown>> => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, Resource: "*" }],
});

/** What `Directory` promises. */
export function directoryContract(makeSetup: MakeSetup): void {
  let setup: WorldSetup;
  beforeEach(async () => {
    setup = await makeSetup();
  });
  afterEach(async () => setup.close());

  const smtpOf = async (name: string): Promise<string | undefined> => {
    const users = await setup.world.directory.tagged();
    return users.find((user) => user.name === name)?.smtp;
  };

  describe("directory", () => {
    test("finds each tagged user among 250, over all pages", async () => {
      const { world, cloud } = setup;
      for (let number = 0; number < 250; number += 1) {
        const tags: Record<string, string> = number % 5 === 0 ? { keyturn: "profile" } : {};
        cloud.iam.createUser({ name: `user-${String(number)}`, tags });
      }
      cloud.iam.pageSize = 60;
      const users = await world.directory.tagged();
      expect(users).toHaveLength(50);
      expect(new Set(users.map(({ name }) => name)).size).toBe(50);
      expect(cloud.counts.get("iam.GetAccountAuthorizationDetails")).toBeGreaterThan(4);
    });

    test("takes enrolment of any stage, holds and any case of the key, and nobody else", async () => {
      const { world, cloud } = setup;
      cloud.iam.createUser({ name: "upper", tags: { KeyTurn: "One" } });
      cloud.iam.createUser({ name: "staged", tags: { "keyturn-dev": "two" } });
      cloud.iam.createUser({ name: "held", tags: { "Keyturn-Hold": "holidays" } });
      cloud.iam.createUser({ name: "other", tags: { team: "keyturn", keyturner: "no" } });
      const users = await world.directory.tagged();
      expect(Object.fromEntries(users.map(({ name, tags }) => [name, tags]))).toEqual({
        upper: { keyturn: "One" },
        staged: { "keyturn-dev": "two" },
        held: { "keyturn-hold": "holidays" },
      });
    });

    test("throws rather than return a part when a page fails", async () => {
      const { world, cloud } = setup;
      for (const name of ["a", "b", "c"]) cloud.iam.createUser({ name, tags: { keyturn: "p" } });
      cloud.iam.pageSize = 1;
      cloud.faults.add({
        service: "iam",
        operation: "GetAccountAuthorizationDetails",
        kind: "error-before",
        code: "AccessDenied",
        status: 403,
        times: "forever",
        when: ({ input }) => input["Marker"] !== undefined,
      });
      expect(await failureOf(world.directory.tagged())).toBe("Denied");
    });

    test("reads one user fresh, with its id, path and tags", async () => {
      const { world, cloud } = setup;
      const user = cloud.iam.createUser({ name: "one", path: "/rotated/", tags: { Team: "Blue" } });
      expect(await world.directory.read(userName("one"))).toEqual({
        name: "one",
        id: user.id,
        arn: user.arn,
        path: "/rotated/",
        tags: { team: "Blue" },
        smtp: "unknown",
      });
    });

    test("says null only when IAM says that there is no such user", async () => {
      const { world, cloud } = setup;
      expect(await world.directory.read(userName("nobody"))).toBeNull();
      cloud.faults.add({
        service: "iam",
        operation: "GetUser",
        kind: "error-before",
        code: "AccessDenied",
        status: 403,
        times: "forever",
      });
      expect(await failureOf(world.directory.read(userName("nobody")))).toBe("Denied");
    });
  });

  describe("the right to send mail by SMTP", () => {
    const enrol = (name: string, seed: Parameters<typeof setup.cloud.iam.createUser>[0]): void => {
      setup.cloud.iam.createUser({ ...seed, name, tags: { keyturn: "p" } });
    };

    test.for([
      ["none", allowing("lambda:InvokeFunction")],
      ["none", allowing(["ses:SendEmail", "s3:*"])],
      ["allowed", allowing("ses:SendRawEmail")],
      ["allowed", allowing("SES:Send*")],
      ["allowed", allowing("*")],
      ["allowed", { Statement: { Effect: "Allow", NotAction: ["iam:*", "s3:*"], Resource: "*" } }],
      ["none", { Statement: { Effect: "Allow", NotAction: "ses:*", Resource: "*" } }],
      ["none", { Statement: [{ Effect: "Deny", Action: "ses:*", Resource: "*" }] }],
    ] as const)("is %s with the inline policy %j", async ([right, policy]) => {
      enrol("mailer", { name: "mailer", inline: { it: policy } });
      expect(await smtpOf("mailer")).toBe(right);
    });

    test("is read from attached policies and from those of groups", async () => {
      const { iam } = setup.cloud;
      iam.policies.set(POLICY, allowing("ses:SendRawEmail"));
      iam.groups.set("posters", {
        name: "posters",
        inline: { post: allowing("ses:*") },
        attached: [],
      });
      iam.groups.set("attached", { name: "attached", inline: {}, attached: [POLICY] });
      enrol("by-policy", { name: "", attached: [POLICY] });
      enrol("by-group", { name: "", groups: ["posters"] });
      enrol("by-group-policy", { name: "", groups: ["attached"] });
      iam.pageSize = 2;
      expect(await smtpOf("by-policy")).toBe("allowed");
      expect(await smtpOf("by-group")).toBe("allowed");
      expect(await smtpOf("by-group-policy")).toBe("allowed");
    });

    test("is unknown when a policy has no document to read", async () => {
      enrol("unread", { name: "", attached: [POLICY] });
      expect(await smtpOf("unread")).toBe("unknown");
    });
  });
}
