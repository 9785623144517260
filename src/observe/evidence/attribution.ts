import { isCloudflareAddress } from "../../cloud/cloudflare-addresses.ts";
import type { TrailEvent } from "../../cloud/event-history.ts";
import { asRotationError } from "../../rotation/errors.ts";
import type { Attribution, DerivedSession, Question, Signer } from "../../rotation/observation.ts";
import type { EvidenceContext } from "../../rotation/world.ts";
import { addressOf, agentOf, type CloudTrailSources, PAGE_SIZE_MAX, startOfWindow } from "./cloudtrail.ts";
import { lastEnding, sessionOf } from "./sessions.ts";

const SIGNERS_MAX = 5;

/** What a call looks like, and so where to look; the first that fits. User agents as the AWS SDKs and CLI spell them. */
const LOOKS: readonly (readonly [RegExp, string])[] = [
  [/AWSPREVIOUS/, "a reader of AWSPREVIOUS, which should read AWSCURRENT alone"],
  [/cloudflare/i, "Cloudflare's address: an older Worker version, or a preview, may still hold the old key"],
  [/exec-env\/AWS_Lambda/i, "a Lambda function, which may have the pair in its environment"],
  [/exec-env\/(AWS_ECS|EC2)/i, "a container or an instance of EC2, which may have the pair in its environment"],
  [/aws-cli|terraform|pulumi/i, "a laptop or a CI job, which may have the pair in a profile or a variable"],
  [/\.amazonaws\.com/, "an AWS service that calls for somebody who was given the pair"],
];

/** Who signed with a key since its replacement was delivered, by the newest page of each Region. Never throws. */
export async function askAttribution(
  { enabledRegions, ...sources }: CloudTrailSources,
  { keyId, from }: Extract<Question, { readonly source: "attribution" }>,
  { unaskedRegions }: EvidenceContext,
): Promise<Attribution> {
  const at = sources.clock.now();
  const asked = { from, at };
  try {
    const regions = (await enabledRegions()).filter((region) => !Object.hasOwn(unaskedRegions, region));
    const window = { keyId, from: startOfWindow(from, at) };
    const pages = await Promise.all(regions.map((region) => readPage(sources, region, window)));
    const signers = pages.flatMap((page) => page.signers).toSorted((one, other) => other.last - one.last);
    const because = pages.find((page) => page.because !== null)?.because ?? null;
    const sessions = lastEnding(pages.flatMap((page) => page.sessions));
    return { ...asked, signers: signers.slice(0, SIGNERS_MAX), sessions, isCut: pages.some((it) => it.isCut), because };
  } catch (thrown) {
    const because = asRotationError(thrown, "asking CloudTrail").message;
    return { ...asked, signers: [], sessions: [], isCut: false, because };
  }
}

type Page = Pick<Attribution, "signers" | "sessions" | "isCut" | "because">;

async function readPage(
  { search }: Pick<CloudTrailSources, "search">,
  region: string,
  { keyId: value, from }: { readonly keyId: string; readonly from: Attribution["from"] },
): Promise<Page> {
  const signers = new Map<string, Signer>();
  const sessions: DerivedSession[] = [];
  const page = (more: Pick<Page, "isCut" | "because">): Page => ({ signers: [...signers.values()], sessions, ...more });
  let read = 0;
  try {
    for await (const event of search({ region, by: "AccessKeyId", value, from, pageSize: PAGE_SIZE_MAX })) {
      const signer = signerOf(event, region);
      const key = JSON.stringify([signer.service, signer.action, signer.address, signer.agent]);
      const { last, count } = signers.get(key) ?? { ...signer, count: 0 };
      signers.set(key, { ...signer, last, count: count + 1 });
      sessions.push(...[sessionOf(event)].filter((session) => session !== null));
      read += 1;
      if (read === PAGE_SIZE_MAX) return page({ isCut: true, because: null });
    }
    return page({ isCut: false, because: null });
  } catch (thrown) {
    return page({ isCut: true, because: asRotationError(thrown, `asking CloudTrail in ${region}`).message });
  }
}

function signerOf(event: TrailEvent, region: string): Signer {
  const { service, name, at } = event;
  const place = isCloudflareAddress(event.sourceAddress ?? "") ? "cloudflare" : event.sourceAddress;
  const look = [place, event.userAgent, event.requestParameters["versionStage"]].join(" ");
  const hint = LOOKS.find(([pattern]) => pattern.test(look))?.[1] ?? null;
  const call = { service, action: name, region, address: addressOf(event), agent: agentOf(event) };
  return { ...call, first: at, last: at, count: 1, hint };
}
