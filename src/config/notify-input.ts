import * as z from "zod/mini";

const SECRET = "the name of the secret that holds the webhook's address";
/** Source: Secrets Manager API, CreateSecret (Name). */
const SecretName = z.string(SECRET).check(z.regex(/^[\w/+=.@-]{1,512}$/, SECRET));
const BUS = "the name of an event bus of this account and Region";
/** Source: EventBridge API, CreateEventBus (Name); "default" is there without one. */
const BusName = z.string(BUS).check(z.regex(/^[\w./-]{1,256}$/, BUS));

/** One way of telling people or programs. */
const Way = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("sns") }),
  z.strictObject({ kind: z.literal("slack"), webhook: SecretName }),
  z.strictObject({ kind: z.literal("eventbridge"), bus: BusName }),
]);

const ONCE = "one way or more, each kind once";
/** Two of one kind could not be told apart where one of them fails. */
export const NotifyInput = z
  .array(Way, ONCE)
  .check(z.refine((ways) => ways.length > 0 && new Set(ways.map(({ kind }) => kind)).size === ways.length, ONCE));

const PACE = "a number above 0, and at most 2: CloudTrail takes no more for the whole account";
/** Source: CloudTrail API, LookupEvents: two requests a second, for each account and Region. */
export const CloudtrailPace = z.number(PACE).check(z.gt(0, PACE), z.lte(2, PACE));
