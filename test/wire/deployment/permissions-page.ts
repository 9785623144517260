import { DEPLOYED, type Grants, type Right } from "./policy.ts";
import type { Needed } from "./rotation-calls.ts";

const ABOVE = `# What the function may do, and which command needs it

Written by \`npm run permissions\`, which rotates keys from end to end and says every command, over the wire, while the simulated AWS refuses the role
whatever \`serverless.yml\` does not give it. \`test/wire/deployment/permissions.test.ts\` compares this page with the same run: nothing that a call needed is
missing, and nothing is given that no call needed. \`<region>\` and \`<account>\` are the stack's own; another stage has its own name for \`keyturn\`.

*Sweep* is the hourly one. A line with ○ is one that \`keyturn.config.ts\`, as it is in the repository, never needs: it can go with its feature, which the
comment in \`serverless.yml\` names. What \`GetCallerIdentity\` tells needs no permission.

| statement | action | on | needed by |
| --- | --- | --- | --- |
`;

const BELOW = `
## Refused whatever else is granted

Three statements refuse explicitly, so that no policy added to the role gives it: every tag but descriptions (\`AKIA*\`) and \`keyturn-hold\`
(\`NeverWriteAnotherTag\`); everything of IAM but keys, those tags and reading, other roles included (\`NeverGrow\`); and every change to the function, its
schedule, rules, alarms, log, topic, queue and table, or the end of a secret (\`NeverTouchItself\`). \`refused-calls.test.ts\` tries them.

## What is not there until you want it

| feature | permissions | where it is told |
| --- | --- | --- |
| \`trail\` | queries of Logs Insights or Athena | [deployment.md](deployment.md#deeper-evidence) |
| \`notify\` with \`slack\` | the webhook's secret, under \`ReadTokensOfDestinations\` | [events.md](events.md#slack) |
| \`notify\` with \`eventbridge\` | \`events:PutEvents\` on the bus | [events.md](events.md#an-event-bus) |
| a Worker's \`health\` | the secret that its \`token\` names, under \`ReadTokensOfDestinations\` | [health-route.md](health-route.md) |
| a KMS key of your own | \`kms:Decrypt\`, \`kms:GenerateDataKey\` (custody), \`kms:Encrypt\` (a parameter) on it | [deployment.md](deployment.md#what-the-function-may-do) |
`;

/** The commands in the order of the page: the sweep first, then what asks, then what acts. */
const ORDER = ["sweep", "plan", "explain", "status", "history", "report", "doctor", "resume", "pause"];

/** The page that shows what the role is given, on what, and which commands were seen to need it. */
export function permissionsPage(grants: Grants, needed: readonly Needed[]): string {
  const byRight = new Map<Right, Needed[]>();
  for (const need of needed) {
    for (const right of grants.rightsTo(need.asked)) byRight.set(right, [...(byRight.get(right) ?? []), need]);
  }
  const all = inOrder(needed.map(({ command }) => command));
  const rows = grants.rights.map((right, index) => {
    const isFirst = grants.rights[index - 1]?.statement !== right.statement;
    return `| ${isFirst ? right.statement : ""} ${rowOf(right, byRight.get(right) ?? [], all)}\n`;
  });
  return ABOVE + rows.join("") + BELOW;
}

/** Whether nothing that the repository's own configuration does needs it: a feature does that it leaves out. */
export const isOptional = (needs: readonly Needed[]): boolean =>
  needs.length > 0 && !needs.some(({ isDeployed }) => isDeployed);

function rowOf({ action, resource, condition }: Right, needs: readonly Needed[], all: readonly string[]): string {
  const mark = isOptional(needs) ? " ○" : "";
  const on = resource
    .replace(DEPLOYED.account, "<account>")
    .replace(DEPLOYED.region, "<region>")
    .replace(/^arn:aws:/, "");
  const where = condition === "" ? `\`${on}\`` : `\`${on}\` ${condition}`;
  return `| \`${action}\`${mark} | ${where} | ${commandsOf(needs, all)} |`;
}

function commandsOf(needs: readonly Needed[], all: readonly string[]): string {
  if (needs.length === 0) return "Lambda itself";
  const commands = inOrder(needs.map(({ command }) => command));
  const others = all.filter((command) => !commands.includes(command));
  if (others.length === 0) return "every command";
  return others.length < 6 ? `every command but ${others.join(", ")}` : commands.join(", ");
}

function inOrder(commands: readonly string[]): readonly string[] {
  const ranked = [...new Set(commands)].toSorted((one, other) => one.localeCompare(other));
  return ranked.toSorted((one, other) => rank(one) - rank(other));
}

const rank = (command: string): number => (ORDER.includes(command) ? ORDER.indexOf(command) : ORDER.length);
