import * as z from "zod/mini";
import { type AccessKeyId, accessKeyId } from "../rotation/keys.ts";

/**
 * What AWS Health says when a key was found in public: one entity a key. Sources: AWS Health User Guide, EventBridge schema;
 * aws-health-tools, AWS_RISK_CREDENTIALS_EXPOSED.
 */
const LeakEvent = z.object({
  source: z.literal("aws.health"),
  "detail-type": z.literal("AWS Health Event"),
  detail: z.object({
    eventTypeCode: z.literal("AWS_RISK_CREDENTIALS_EXPOSED"),
    affectedEntities: z.array(z.object({ entityValue: z.string() })).check(z.minLength(1)),
  }),
});

/** The keys that an event of AWS Health names as exposed; null for any other event. */
export function keysLeakedBy(event: unknown): readonly AccessKeyId[] | null {
  const read = LeakEvent.safeParse(event);
  if (!read.success) return null;
  return [...new Set(read.data.detail.affectedEntities.map(({ entityValue }) => accessKeyId(entityValue)))];
}
