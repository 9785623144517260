import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
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

    test("holds a user and ends the hold, twice as once, whatever the case the tag was written in", async () => {
      const { world, cloud } = setup;
      const one = userName("one");
      cloud.iam.createUser({ name: one, tags: { Team: "Blue", "Keyturn-Hold": "holidays" } });
      await world.directory.hold(one, "a freeze");
      await world.directory.hold(one, "a freeze");
      expect((await world.directory.read(one))?.tags).toEqual({ team: "Blue", "keyturn-hold": "a freeze" });
      await world.directory.hold(one, null);
      await world.directory.hold(one, null);
      expect((await world.directory.read(one))?.tags).toEqual({ team: "Blue" });
    });

    test("says LimitReached for the hold of a user with 50 tags", async () => {
      const { world, cloud } = setup;
      const tags = Object.fromEntries(Array.from({ length: 50 }, (_, number) => [`tag-${String(number)}`, "x"]));
      cloud.iam.createUser({ name: "full", tags });
      expect(await failureOf(world.directory.hold(userName("full"), "a freeze"))).toBe("LimitReached");
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

  describe("the keys of every user, by report", () => {
    const reported = async (name: string) => (await setup.world.directory.keyReport())?.get(userName(name));
    const inSeconds = (atMs: number): number => Math.floor(atMs / 1_000) * 1_000;

    test("are shown with their status and when it last changed, and the root is no user", async () => {
      const { world, cloud, clock } = setup;
      for (const name of ["none", "one", "two"]) cloud.iam.createUser({ name });
      const old = cloud.iam.createKey("two", { createdAtMs: clock.now() - days(80) });
      const made = await world.accessKeys.create(userName("one"));
      cloud.iam.createKey("two", { createdAtMs: clock.now() - days(10) });
      await world.accessKeys.setStatus(userName("two"), accessKeyId(old.id), "inactive");
      const changedAt = inSeconds(clock.now());
      expect(Object.fromEntries((await world.directory.keyReport()) ?? [])).toEqual({
        none: [],
        one: [{ isActive: true, changedAt: made.createdAt }],
        two: [
          { isActive: false, changedAt },
          { isActive: true, changedAt: changedAt - days(10) },
        ],
      });
    });

    test("are found under a name with commas", async () => {
      const { cloud } = setup;
      cloud.iam.createUser({ name: "mail,web=+@.-" });
      cloud.iam.createKey("mail,web=+@.-");
      expect(await reported("mail,web=+@.-")).toHaveLength(1);
    });

    test("are those of up to four hours ago: what came after the report is not seen until then", async () => {
      const { world, cloud, clock } = setup;
      cloud.iam.createUser({ name: "one" });
      const first = cloud.iam.createKey("one");
      expect(await reported("one")).toMatchObject([{ isActive: true }]);
      clock.advance(hours(1));
      await world.accessKeys.setStatus(userName("one"), accessKeyId(first.id), "inactive");
      await world.accessKeys.create(userName("one"));
      clock.advance(hours(3) - minutes(1));
      expect(await reported("one")).toMatchObject([{ isActive: true }]);
      clock.advance(minutes(2));
      expect(await reported("one")).toMatchObject([{ isActive: false }, { isActive: true }]);
    });

    test("are null while the report is not finished, and while there is none", async () => {
      const { world, cloud } = setup;
      cloud.iam.credentialReports.takesMs = minutes(5);
      expect(await world.directory.keyReport()).toBeNull();
      expect(cloud.counts.get("iam.GenerateCredentialReport")).toBe(10);
    });

    test.for([
      ["ReportNotPresent", 410],
      ["ReportExpired", 410],
      ["ReportInProgress", 404],
    ] as const)("are null when IAM says %s", async ([code, status]) => {
      const operation = "GetCredentialReport";
      setup.cloud.faults.add({ service: "iam", operation, kind: "error-before", code, status, times: "forever" });
      expect(await setup.world.directory.keyReport()).toBeNull();
    });

    test.for(["GenerateCredentialReport", "GetCredentialReport"])("throw when %s is refused", async (operation) => {
      const refusal = { kind: "error-before", code: "AccessDenied", status: 403, times: "forever" } as const;
      setup.cloud.faults.add({ service: "iam", operation, ...refusal });
      expect(await failureOf(setup.world.directory.keyReport())).toBe("Denied");
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
