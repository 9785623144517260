import { parseArgs } from "node:util";
import { CASES, measure, overtakings } from "./deliveries/cases.ts";

const USAGE = `Hands a pair over to a Worker in real workerd, in each way, while callers call it without a pause.

  npm run deliveries                     10,000 calls a row and more
  npm run deliveries -- --requests 500   fewer
`;

const { values } = parseArgs({
  options: { requests: { type: "string", default: "10000" }, help: { type: "boolean", default: false } },
});
if (values.help) console.log(USAGE);
else await print(Number(values.requests));

/** One row a way, as Markdown. */
async function print(requestsMin: number): Promise<void> {
  console.log("| hand-over | calls | a second | failed | live afterwards | how it ended |\n|---|--:|--:|--:|---|---|");
  for (const one of [...CASES, ...(await overtakings())]) {
    const { what, requests, perSecond, failed, codes, live, ended } = await measure(one, requestsMin);
    const met = failed === 0 ? "0" : `${String(failed)} ${codes.join(", ")}`;
    console.log(`| ${[what, requests, perSecond, met, live, ended].join(" | ")} |`);
  }
}
