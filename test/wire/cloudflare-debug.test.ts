import { spawn } from "node:child_process";
import { resolve } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { ACCOUNT, ID, SECRET, simulateWorker, TOKEN, WORKER } from "../destinations/worker-under-test.ts";
import { startCloudflareApi } from "../world/wire/cloudflare-handler.ts";

const PROGRAM = `
  import { createCloudflare } from "${resolve("src/cloud/cloudflare.ts")}";
  import { Secret } from "${resolve("src/rotation/secret.ts")}";
  const clock = { sleep: () => Promise.resolve() };
  const cloudflare = createCloudflare({
    baseUrl: process.env.BASE,
    readToken: () => Promise.resolve(new Secret(process.env.TOKEN)),
    timeoutMs: 2000,
    clock,
    random: { fraction: () => 0.5 },
  });
  const values = { ${ID}: new Secret("AKIASENTSENTSENTSENT"), ${SECRET}: new Secret(process.env.VALUE) };
  await cloudflare.putSecrets({ accountId: "${ACCOUNT}", script: "${WORKER}" }, values);
  await cloudflare.putSecrets({ accountId: "${ACCOUNT}", script: "absent" }, values).catch((error) => console.error(error));
`;

test("no body and no token is printed, whatever the environment asks to be printed", async () => {
  const cloudflare = simulateWorker();
  const api = await startCloudflareApi(cloudflare);
  const child = spawn(resolve("node_modules/.bin/node"), ["--input-type=module", "-e", PROGRAM], {
    env: {
      PATH: process.env["PATH"],
      BASE: api.baseUrl,
      TOKEN,
      VALUE: "sent+secret/value",
      NODE_DEBUG: "*",
      DEBUG: "*",
      CLOUDFLARE_LOG: "debug",
    },
  });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  const [out, errors, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  await api.close();
  expect(status).toBe(0);
  expect(cloudflare.live(ACCOUNT, WORKER)[0]?.secrets[SECRET]).toBe("sent+secret/value");
  const printed = out + errors;
  // The environment was heard: the runtime printed what it does, and the second write's failure.
  expect(printed).toMatch(/NET \d+|UNDICI|FETCH/i);
  expect(printed).toContain("setting");
  for (const secret of ["sent+secret/value", TOKEN]) expect(printed).not.toContain(secret);
});
