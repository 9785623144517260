import { AwsClient } from "aws4fetch";
import { SimulatedClock } from "../world/clock.ts";
import { createCloud } from "../world/cloud.ts";
import type { Cloud } from "../world/cloud.ts";
import { wireWorld } from "../world/wire/wire-world.ts";
import type { WireWorld } from "../world/wire/wire-world.ts";
import { startWire } from "../world/wire/wire.ts";
import type { Wire } from "../world/wire/wire.ts";

/** A simulated cloud with its wire, and one run's World over it. */
export interface WireSetup {
  readonly cloud: Cloud;
  readonly clock: SimulatedClock;
  readonly wire: Wire;
  readonly world: WireWorld;
  close(): Promise<void>;
}

export async function setUpWire(): Promise<WireSetup> {
  const clock = new SimulatedClock(Date.UTC(2027, 2, 14, 9, 30));
  const cloud = createCloud({ clock });
  const wire = await startWire(cloud, { clock });
  const world = wireWorld(cloud, wire);
  return {
    cloud,
    clock,
    wire,
    world,
    async close() {
      world.close();
      await wire.close();
    },
  };
}

/** A signer that is not ours nor the SDK's: the one that Workers use. It asks once. */
export const foreignClient = (
  pair: { readonly keyId: string; readonly secret: string },
  service: string,
  region = "us-east-1",
): AwsClient =>
  new AwsClient({
    accessKeyId: pair.keyId,
    secretAccessKey: pair.secret,
    service,
    region,
    retries: 0,
  });
