import { createHash } from "node:crypto";
import { SimulatedClock } from "../test/world/clock.ts";
import { createCloud } from "../test/world/cloud.ts";
import type { Cloud } from "../test/world/cloud.ts";
import { startWire } from "../test/world/wire/wire.ts";
import { START_MS } from "./bench/messages.ts";
import type { Order, Place, Rate, Told } from "./bench/messages.ts";

/** The most users that IAM lists on a page. */
const PAGE_SIZE = 1_000;

/** The simulated cloud of a benchmark, in a process of its own: its work shall not be in the client's time. */
async function main(latencyMs: number): Promise<void> {
  const clock = new SimulatedClock(START_MS);
  const cloud = createCloud({ clock, lags: { propagationMs: 0 } });
  cloud.iam.pageSize = PAGE_SIZE;
  // The report is at hand, as in three hourly sweeps of four. Where it has to be made, a sweep waits two seconds more.
  cloud.iam.credentialReports.takesMs = 0;
  const wire = await startWire(cloud, { clock, latencyMs });
  const byService: Record<string, number> = {};
  cloud.onCall(({ service }) => {
    byService[service] = (byService[service] ?? 0) + 1;
  });
  clock.run();

  function obey(order: Order): void {
    switch (order.do) {
      case "seed":
        return seed(cloud, order);
      case "advance":
        clock.stop();
        clock.advance(order.ms);
        return clock.run();
      case "limit-iam":
        return limitIam(cloud, order);
      case "measure":
        for (const service of Object.keys(byService)) delete byService[service];
        wire.inFlightMax = 0;
        return undefined;
      case "tell":
        return undefined;
    }
  }

  const send = (message: Place | Told): void => {
    process.send?.(message);
  };
  process.on("message", (order: Order) => {
    obey(order);
    const { inFlightMax } = wire;
    send({ keys: cloud.iam.keys.size, regions: cloud.regions.length, byService, inFlightMax });
  });
  process.once("disconnect", () => process.exit());
  send({ url: wire.url, tableName: wire.tableName, role: cloud.role });
}

function seed(cloud: Cloud, { users, keyAgeMs, isInCustody }: Extract<Order, { readonly do: "seed" }>): void {
  for (let index = 0; index < users; index += 1) {
    const name = `user-${String(index)}`;
    const user = cloud.iam.createUser({ name, path: "/bench/", tags: { keyturn: "bench" } });
    const { id, secret } = cloud.iam.createKey(name, { createdAtMs: cloud.clock.now() - keyAgeMs });
    if (!isInCustody) continue;
    const input = {
      Name: `keyturn/${name}`,
      ClientRequestToken: createHash("sha256").update(id).digest("hex"),
      SecretString: JSON.stringify({ Version: 1, AccessKeyId: id, SecretAccessKey: secret }),
      Tags: [
        { Key: "keyturn:account", Value: cloud.account },
        { Key: "keyturn:user-id", Value: user.id },
      ],
    };
    cloud.callAs(cloud.role, { service: "secretsmanager", operation: "CreateSecret", input });
  }
}

function limitIam(cloud: Cloud, { perSecond, burst }: Rate): void {
  let tokens = burst;
  let filledAtMs = cloud.clock.now();
  cloud.faults.add({
    service: "iam",
    operation: null,
    kind: "throttle",
    times: "forever",
    when: () => {
      const nowMs = cloud.clock.now();
      tokens = Math.min(burst, tokens + ((nowMs - filledAtMs) / 1_000) * perSecond);
      filledAtMs = nowMs;
      if (tokens < 1) return true;
      tokens -= 1;
      return false;
    },
  });
}

await main(Number(process.argv[2]));
