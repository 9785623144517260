import type { CloudflareClient, LiveShare, WorkerName, WorkerVersion } from "../../cloud/cloudflare.ts";
import { RotationError } from "../../rotation/errors.ts";
import type { Secret } from "../../rotation/secret.ts";
import { judgeStanding, type Standing } from "./standing.ts";
import { type Tags, withoutCopies } from "./tags.ts";

export type CleanStanding = Extract<Standing, { readonly kind: "clean" }>;

/** The versions of one Worker, changed with care. */
export type Versions = ReturnType<typeof openVersions>;

/**
 * Cloudflare compares nothing before it deploys, and takes no condition. So each change reads right before it, and looks
 * behind itself; a lost answer is looked for, and its request not repeated. What somebody else did meanwhile stays.
 */
export function openVersions(cloudflare: CloudflareClient, worker: WorkerName, tags: Tags | null) {
  const conflict = (words: string): RotationError =>
    new RotationError("Conflict", `delivering to Worker ${worker.script}, ${words}`);

  async function standing(): Promise<Standing> {
    const live = await cloudflare.live(worker);
    return judgeStanding(live, withoutCopies(await cloudflare.versions(worker)), tags?.isOurs);
  }

  return {
    standing,
    conflict,
    deployments: () => cloudflare.deployments(worker),
    named: async (id: string) => (await cloudflare.versions(worker)).find((version) => version.id === id) ?? null,
    async clean(): Promise<CleanStanding> {
      const now = await standing();
      if (now.kind === "unclean") throw conflict(now.because);
      return now;
    },
    /** Makes a version of the newest one, with these secrets. It is the very next, or it is not used. */
    async stage(before: CleanStanding, tag: string, values: Readonly<Record<string, Secret>>): Promise<WorkerVersion> {
      const lost = await unheard(cloudflare.stage(worker, values, tag));
      const after = await standing();
      if (after.kind === "clean" && after.live.id === before.live.id && after.newest.tag === tag) return after.newest;
      throw lost ?? conflict("somebody uploaded or deployed a version meanwhile. Theirs stays as it is");
    },
    /** Goes from what is live to something else. A deployment of others that came in between is put back at once. */
    async deploy(from: readonly LiveShare[], to: readonly LiveShare[], isForced = false): Promise<void> {
      const [before] = await cloudflare.deployments(worker);
      if (isSame(before?.shares, to)) return;
      if (!isSame(before?.shares, from)) throw conflict("somebody deployed meanwhile. Theirs stays live");
      const lost = await unheard(cloudflare.deploy(worker, to, isForced));
      const [now, overtaken] = await cloudflare.deployments(worker);
      if (!isSame(now?.shares, to)) throw lost ?? conflict("somebody deployed meanwhile. Theirs stays live");
      if (overtaken === undefined || overtaken.id === before?.id) return;
      await cloudflare.deploy(worker, overtaken.shares, true);
      throw conflict("somebody deployed at the same moment. Theirs is live again");
    },
  };
}

export const wholly = ({ id }: WorkerVersion): readonly LiveShare[] => [{ versionId: id, percentage: 100 }];

export const isSame = (one: readonly LiveShare[] | undefined, other: readonly LiveShare[]): boolean =>
  one?.length === other.length &&
  other.every(({ versionId, percentage }) =>
    one.some((share) => share.versionId === versionId && share.percentage === percentage),
  );

/** What became of a write: null when it was heard; the error when it may have taken effect unheard. Others are thrown. */
async function unheard(write: Promise<void>): Promise<RotationError | null> {
  try {
    await write;
    return null;
  } catch (error) {
    if (error instanceof RotationError && error.outcomeUnknown) return error;
    throw error;
  }
}
