import { worldContract } from "../contracts/world-contract.ts";
import { SimulatedClock } from "../world/clock.ts";
import { createCloud } from "../world/cloud.ts";
import { wireWorld } from "../world/wire/wire-world.ts";
import { startWire } from "../world/wire/wire.ts";

worldContract("the World of the real adapters, over HTTP", async () => {
  const clock = new SimulatedClock(Date.UTC(2026, 10, 21, 9, 30, 15, 250));
  const cloud = createCloud({ clock });
  const wire = await startWire(cloud, { clock });
  const world = wireWorld(cloud, wire);
  return {
    world,
    cloud,
    clock,
    async close() {
      world.close();
      await wire.close();
    },
  };
});
