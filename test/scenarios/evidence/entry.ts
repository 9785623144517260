/** What a scenario on evidence runs: the production code as it is, or bundled with a known mistake patched into it. */
export { createCloudflare } from "../../../src/cloud/cloudflare.ts";
export { createDestination } from "../../../src/destinations/index.ts";
export { instant } from "../../../src/rotation/time.ts";
export { Secret } from "../../../src/rotation/secret.ts";
export { sweep } from "../../../src/sweep.ts";
export { wireWorld } from "../../world/wire/wire-world.ts";
