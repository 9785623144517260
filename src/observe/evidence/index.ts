import type { Clients } from "../../cloud/clients.ts";
import { custodyPrefix } from "../../cloud/custody.ts";
import { createEventHistory } from "../../cloud/event-history.ts";
import { createRegions } from "../../cloud/regions.ts";
import type { Clock, EvidenceSources, Identity } from "../../rotation/world.ts";
import { askAuthorship } from "./authorship.ts";
import { askCloudTrail } from "./cloudtrail.ts";
import { askLastUsed } from "./last-used.ts";

interface EvidenceOptions {
  readonly clock: Clock;
  readonly identity: Identity;
  /** The deployed stage, as custody knows it: null for the default one. */
  readonly stage: string | null;
  /** CloudTrail requests a second in each Region; without it what the account's share allows. */
  readonly lookupsPerSecond?: number;
}

/** All evidence sources. A new one is a file of this folder and a line here. */
export function createEvidenceSources(
  clients: Clients,
  { clock, identity, stage, ...pace }: EvidenceOptions,
): EvidenceSources {
  const history = createEventHistory(clients, { clock, ...pace });
  const regions = createRegions(clients);
  const cloudtrail = { history, regions, clock, custodyPrefix: custodyPrefix(stage) };
  return {
    async answer(question, context) {
      switch (question.source) {
        case "last-used": {
          const { keyId } = question;
          const use = await askLastUsed({ clients, clock }, keyId, context.user);
          return { source: "last-used", keyId, use };
        }
        case "cloudtrail":
          return askCloudTrail(cloudtrail, question, context);
        case "authorship": {
          const { keyId, event } = question;
          const author = await askAuthorship({ history, identity, clock }, question);
          return { source: "authorship", keyId, event, author };
        }
      }
    },
  };
}
