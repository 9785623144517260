import type { Clients } from "../../cloud/clients.ts";
import { custodyPrefix } from "../../cloud/custody.ts";
import { createEventHistory } from "../../cloud/event-history.ts";
import { createEnabledRegions } from "../../cloud/regions.ts";
import type { Clock, EvidenceSources, Identity } from "../../rotation/world.ts";
import { askAttribution } from "./attribution.ts";
import { askAuthorship } from "./authorship.ts";
import { askCloudTrail } from "./cloudtrail.ts";
import { createDeepen, type TrailOptions } from "./deepen.ts";
import { askLastUsed } from "./last-used.ts";
import { askReaders } from "./readers.ts";
import { askAttachment, askReads } from "./reads.ts";

interface EvidenceOptions {
  readonly clock: Clock;
  readonly identity: Identity;
  /** The deployed stage, as custody knows it: null for the default one. */
  readonly stage: string | null;
  /** A trail that is asked too, where Event history shows no use. */
  readonly trail?: TrailOptions | null;
  /** CloudTrail requests a second in each Region, of the two that all callers of the account share. */
  readonly lookupsPerSecond: number;
}

/** All evidence sources. A new one is a file of this folder and a line here. */
export function createEvidenceSources(clients: Clients, options: EvidenceOptions): EvidenceSources {
  const { clock, identity, stage } = options;
  const search = createEventHistory(clients, clock, options.lookupsPerSecond);
  const enabledRegions = createEnabledRegions(clients);
  const cloudtrail = { search, enabledRegions, clock, custodyPrefix: custodyPrefix(stage) };
  const deepen = createDeepen(options.trail ?? null, clients, clock);
  return {
    async answer(question, context) {
      if (question.source === "quarantine") {
        return { source: "quarantine", attachedAt: await askAttachment(cloudtrail, question, context) };
      }
      const { source, keyId } = question;
      switch (source) {
        case "last-used":
          return { source, keyId, use: await askLastUsed(clients, clock, { keyId, user: context.user }) };
        case "cloudtrail":
          return deepen(await askCloudTrail(cloudtrail, question, context), question.handOversApart);
        case "attribution":
          return { source, keyId, attribution: await askAttribution(cloudtrail, question, context) };
        case "readers":
          return { source, keyId, seen: await askReaders(cloudtrail, question, context) };
        case "reads":
          return { source, keyId, from: question.from, reads: await askReads(cloudtrail, question, context) };
        case "authorship": {
          const author = await askAuthorship({ search, identity, clock }, question);
          return { source, keyId, event: question.event, author };
        }
      }
    },
  };
}
