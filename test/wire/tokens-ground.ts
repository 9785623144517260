import { createTokenIssuer } from "../../src/cloud/cloudflare-tokens.ts";
import type { CloudflareOptions } from "../../src/cloud/cloudflare.ts";
import { readPlainSecret } from "../../src/cloud/plain-secret.ts";
import { openTokenSecret } from "../../src/cloud/token-secret.ts";
import { days, hours, seconds } from "../../src/rotation/time.ts";
import { createTokenKeeper } from "../../src/tokens/keeper.ts";
import { SimulatedClock } from "../world/clock.ts";
import { type Cloud, createCloud } from "../world/cloud.ts";
import { ApiTokens, type OwnedToken } from "../world/cloudflare-tokens.ts";
import { Cloudflare } from "../world/cloudflare.ts";
import {
  recordingLog,
  type RecordingLog,
  recordingNotifier,
  type RecordingNotifier,
} from "../world/direct/recorders.ts";
import { startCloudflareApi } from "../world/wire/cloudflare-handler.ts";
import { wireWorld } from "../world/wire/wire-world.ts";
import { startWire } from "../world/wire/wire.ts";

export const CLOUDFLARE_ACCOUNT = "0123456789abcdef0123456789abcdef";
export const SECRET = "cloudflare/api-token";
const ISSUER = "cloudflare/issuer-token";
const START_MS = Date.UTC(2027, 2, 14, 9, 30);

/** Called before and after each call of a run; what it throws ends the run there. */
export type Trap = (when: "before" | "after", call: string) => void;

/** A token that is due, and one that may issue others, in two accounts that are reached over HTTP. */
export interface TokensGround {
  readonly cloud: Cloud;
  readonly clock: SimulatedClock;
  readonly cloudflare: Cloudflare;
  readonly tokens: ApiTokens;
  readonly baseUrl: string;
  readonly first: OwnedToken;
  readonly issuer: OwnedToken;
  readonly notifier: RecordingNotifier;
  readonly log: RecordingLog;
  /** One run, an hour after the last or as is said. */
  run(trap?: Trap, afterMs?: number): Promise<void>;
  /** The text that AWSCURRENT shows. */
  current(): string;
  /** All tokens but the issuer, oldest first. */
  owned(): readonly OwnedToken[];
  close(): Promise<void>;
}

export async function startTokensGround(ageMs = days(75)): Promise<TokensGround> {
  const clock = new SimulatedClock(START_MS);
  const cloud = createCloud({ clock });
  const [wire, cloudflare] = [await startWire(cloud, { clock }), new Cloudflare(clock)];
  const tokens = new ApiTokens(cloudflare, clock);
  cloudflare.apiTokens = tokens;
  const account = CLOUDFLARE_ACCOUNT;
  const first = tokens.seed({ account, name: "deliveries", scripts: ["api", "web"], issuedMs: START_MS - ageMs });
  const issuer = tokens.seedIssuer(account);
  const api = await startCloudflareApi(cloudflare);
  for (const [Name, token] of [
    [SECRET, first],
    [ISSUER, issuer],
  ] as const) {
    const input = { Name, SecretString: token.value };
    cloud.callAs(cloud.role, { service: "secretsmanager", operation: "CreateSecret", input });
  }
  const [notifier, log] = [recordingNotifier(), recordingLog()];
  let runs = 0;
  return {
    cloud,
    clock,
    cloudflare,
    tokens,
    baseUrl: api.baseUrl,
    first,
    issuer,
    notifier,
    log,
    async run(trap = () => undefined, afterMs = hours(1)) {
      if (runs > 0) clock.advance(afterMs);
      runs += 1;
      const world = wireWorld(cloud, wire, { notifiers: [notifier], log });
      await world.identity.read();
      const waiting = { ...world.clock, sleep: (ms: number) => Promise.resolve(clock.advance(ms)) };
      const options: CloudflareOptions = {
        baseUrl: api.baseUrl,
        readToken: () => readPlainSecret(world.clients, ISSUER),
        timeoutMs: seconds(2),
        clock: waiting,
        random: world.random,
      };
      const keeper = createTokenKeeper({ ...world, clock: waiting, journal: trapped(world.journal, "journal", trap) }, [
        {
          secret: SECRET,
          rotateAfterMs: days(75),
          issuer: trapped(createTokenIssuer(options, account), "issuer", trap),
          versions: trapped(openTokenSecret(world.clients, SECRET), "versions", trap),
        },
      ]);
      await keeper.run();
      world.close();
    },
    current: () => cloud.secretsManager.textOf(SECRET, "AWSCURRENT") ?? "",
    owned: () => tokens.of(account).filter(({ id }) => id !== issuer.id),
    async close() {
      await api.close();
      await wire.close();
    },
  };
}

/** The same, with a trap around each of its calls. */
function trapped<Part extends object>(part: Part, name: string, trap: Trap): Part {
  return new Proxy(part, {
    get(target, member, receiver) {
      const value: unknown = Reflect.get(target, member, receiver);
      if (typeof value !== "function" || member === "tokenOf") return value;
      return async (...args: unknown[]): Promise<unknown> => {
        const call = `${name}.${String(member)}`;
        trap("before", call);
        const answer: unknown = await Reflect.apply(value, target, args);
        trap("after", call);
        return answer;
      };
    },
  });
}
