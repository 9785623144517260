import { reachFunction } from "../../cloud/function.ts";
import { openOperator, type Operator } from "../../cloud/operator.ts";
import { RotationError } from "../../rotation/errors.ts";
import type { CliCommand, Terminal, Typed } from "../command.ts";
import { bad, type Check, type Examined, ok, outChecks } from "../checks.ts";
import { functionName, NotReached, Refused, withFunction } from "../function.ts";
import { isAsked, outJson, text, words } from "../typed.ts";
import { diagnoseProfile } from "../profile/diagnose.ts";

const TIMEOUT_S = 900;

export const DOCTOR: CliCommand = {
  name: "doctor",
  usage: "[--profile <name>]",
  summary: "Checks the installation, or with --profile a pair in ~/.aws/credentials, and says the way out.",
  help: `Asks the function what it can see: users, custody, CloudTrail in every Region, each destination. The rest with
your own rights: configuration, role, table, topic, schedule. What you may not read is "could not tell".

With --profile it says why a pair does not work: InvalidClientTokenId or InvalidAccessKeyId, SignatureDoesNotMatch,
AccessDenied, a missing file, an invisible character. It never prints a secret.

  keyturn doctor
  keyturn doctor --profile default`,
  options: { profile: { type: "string" } },
  async run(typed, terminal) {
    words(typed, []);
    const profile = text(typed, "profile");
    const checks =
      profile === undefined ? await installation(typed, terminal) : await diagnoseProfile(profile, terminal);
    if (isAsked(typed, "json")) outJson(terminal, { checks });
    else outChecks(terminal, checks);
    if (checks.some(({ check, verdict }) => check === "function answers" && verdict !== "ok")) return 3;
    return checks.some(({ verdict }) => verdict === "not ok") ? 1 : 0;
  },
};

async function installation(typed: Typed, terminal: Terminal): Promise<readonly Check[]> {
  const name = functionName(typed, terminal);
  const [seen, own] = await Promise.all([functionChecks(typed, terminal), ownChecks(name, terminal)]);
  return [...seen, ...own];
}

/** What the function itself says. */
async function functionChecks(typed: Typed, terminal: Terminal): Promise<readonly Check[]> {
  try {
    const told = (await withFunction(typed, terminal, (ask) => ask({ command: "doctor" }))) as Examined;
    return [
      ok("function answers", `it serves the tag ${told.enrolmentTag} in account ${told.account}`),
      ...told.checks,
    ];
  } catch (thrown) {
    if (!(thrown instanceof NotReached || thrown instanceof Refused)) throw thrown;
    const [said = "", ...wayOut] = thrown.message.split("\n");
    const check = thrown instanceof NotReached ? "function answers" : "function obeys";
    return [bad(check, said, wayOut.join(" ") || "Mend what it says, or deploy it again.")];
  }
}

/** What the operator may read of the deployment. */
async function ownChecks(name: string, terminal: Terminal): Promise<readonly Check[]> {
  const deployed = reachFunction(name);
  let operator: Operator | null = null;
  try {
    operator = await openOperator(terminal.env["AWS_ENDPOINT_URL"]);
    const configuration = await deployed.configuration();
    const environment = configuration.Environment?.Variables ?? {};
    const { KEYTURN_TABLE: table = "", KEYTURN_TOPIC: topic = "" } = environment;
    const timeout = configuration.Timeout ?? 0;
    const state = configuration.State ?? "unknown";
    const isRight = timeout >= TIMEOUT_S && table !== "" && topic !== "";
    const said = `${state}, ${configuration.Runtime ?? "?"}, time-out ${String(timeout)} s`;
    return [
      isRight
        ? ok("configuration", said)
        : bad(
            "configuration",
            `${said}; table ${table || "-"}, topic ${topic || "-"}`,
            "Deploy again: `npx sls deploy`.",
          ),
      ...(await Promise.all(deploymentChecks(operator, { name, table, topic, role: configuration.Role ?? "" }))),
    ];
  } catch (thrown) {
    return [failed("configuration", thrown)];
  } finally {
    operator?.close();
    deployed.close();
  }
}

interface Deployment {
  readonly name: string;
  readonly table: string;
  readonly topic: string;
  readonly role: string;
}

function deploymentChecks(operator: Operator, { name, table, topic, role }: Deployment): readonly Promise<Check>[] {
  return [
    checking("role", async () => {
      await operator.role(role.split("/").at(-1) ?? "");
      return ok("role", `${role.split("/").at(-1) ?? ""} is there`);
    }),
    checking("table", async () =>
      (await operator.hasBackups(table))
        ? ok("table", `${table} can be brought back to any second`)
        : bad("table", `${table} has no point-in-time recovery`, "Deploy again: `npx sls deploy` turns it on."),
    ),
    checking("topic", async () => {
      const { account } = await operator.identity.read();
      const heard = await operator.subscriptions(`arn:aws:sns:${operator.region}:${account}:${topic}`);
      if (heard.length > 0) return ok("topic", `confirmed subscriptions: ${heard.join(", ")}`);
      return bad(
        "topic",
        "nobody has confirmed a subscription: notices are heard by no one",
        "Subscribe, and confirm the mail: docs/deployment.md.",
      );
    }),
    checking("schedule", async () => {
      const state = await operator.scheduleState(`${name}-sweep`);
      if (state === "ENABLED") return ok("schedule", `${name}-sweep is enabled`);
      return bad("schedule", `${name}-sweep is ${state}`, "Enable it in EventBridge Scheduler, or deploy again.");
    }),
  ];
}

async function checking(check: string, ask: () => Promise<Check>): Promise<Check> {
  try {
    return await ask();
  } catch (thrown) {
    return failed(check, thrown);
  }
}

/** What is not there is not ok; what may not be read, or did not answer, could not be told. */
function failed(check: string, thrown: unknown): Check {
  if (!(thrown instanceof RotationError)) throw thrown;
  const said = thrown.message;
  if (thrown.code === "NotFound") return bad(check, said, "Deploy again, or name the function with --function.");
  const known: Partial<Record<typeof thrown.code, string>> = {
    Denied: "You may not read it. Ask somebody who may, if it matters.",
    Misconfigured: "See that a Region and credentials are configured: AWS_REGION, AWS_PROFILE.",
  };
  const wayOut = known[thrown.code] ?? "Ask again in a few minutes.";
  return { check, verdict: "could not tell", said, wayOut };
}
