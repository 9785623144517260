import type { Decision, Outcome, Step } from "../rotation/decision.ts";
import type { RotationError, RotationErrorCode } from "../rotation/errors.ts";
import type { AccessKey, AccessKeyId, UserName } from "../rotation/keys.ts";
import { type Notice, type NoticeCode, NOTICES, OWNER_TAG } from "../rotation/notice.ts";
import type { Observation } from "../rotation/observation.ts";
import type { Profile } from "../rotation/policy.ts";
import type { Unheard } from "../rotation/record.ts";
import type { Instant } from "../rotation/time.ts";
import { ahead } from "./ahead.ts";
import { commandOf } from "./command-line.ts";
import { deadlines, type Finding } from "./deadlines.ts";

/** One turn of the loop: what was decided, and what became of it (null when nothing was tried, as in a plan). */
export type Turn = { readonly decision: Decision; readonly outcome: Outcome | null };

/** What one user's reconcile produced. */
export interface Findings {
  readonly user: UserName;
  readonly now: Instant;
  readonly profile: Profile | null;
  /** The last observation; null when there was none. */
  readonly observation: Observation | null;
  readonly turns: readonly Turn[];
  /** Why it ended before its time; null when it did not. */
  readonly failure: RotationError | null;
  /** Why a key's description could not be carried to its replacement; null when it could, or there was none. */
  readonly undescribed: RotationError | null;
  /** Why custody could not be given its resource policy; null when it was, or has it. */
  readonly unguarded: RotationError | null;
}

/** Everything worth telling about one user, each thing once. What the registry does not know is not told. */
export function noticesOf(findings: Findings): Notice[] {
  const { user, now, observation, failure, undescribed, unguarded } = findings;
  const owner = observation?.iamUser?.tags[OWNER_TAG];
  const about = { user, at: now, ...(owner ? { owner } : {}) };
  const found = [
    ...findings.turns.flatMap((turn) => toldBy(turn, findings.observation)),
    ...leftExposed(findings),
    ...unheard(findings),
    ...(failure === null ? [] : [failed("ObservationFailed", failure)]),
    ...(undescribed === null ? [] : [failed("DescriptionNotCarried", undescribed)]),
    ...(unguarded === null ? [] : [failed("CustodyUnguarded", unguarded)]),
    ...overdue(findings),
    ...planned(findings),
  ];
  const notices = found.flatMap(
    ({ code, text, subject, isBug = false, isTimes = false, advisedBy = code }): Notice[] => {
      const entry = NOTICES[code];
      if (entry === undefined) return [];
      const { advice, typed } = NOTICES[advisedBy] ?? entry;
      const dedupeKey = subject === "" ? code : `${code}:${subject}`;
      const keyId = observation?.keys.find(({ id }) => subject.includes(id))?.id ?? null;
      const command = typed === null ? {} : { command: commandOf(typed, { user, keyId }) };
      const move = isTimes ? ({ move: "time" } as const) : {};
      return [
        { code, severity: isBug ? "urgent" : entry.severity, ...about, text, advice, dedupeKey, ...command, ...move },
      ];
    },
  );
  return [...new Map(notices.map((notice) => [notice.dedupeKey, notice])).values()];
}

function toldBy({ decision, outcome }: Turn, observation: Observation | null): Finding[] {
  const done = outcome?.kind === "done" ? toldByDone(outcome, decision) : null;
  // The message on a step that was done carries its reason too: one message is enough.
  if (done !== null) return [done];
  const subject = subjectOf(decision, observation);
  const text = [decision.because, ...(decision.details ?? [])].join("\n");
  const reason: Finding = { code: decision.reason, text, subject };
  if (outcome?.kind === "failed") {
    return [reason, failed("StepFailed", outcome.error, `${outcome.step.kind}:${targetOf(outcome.step)}`)];
  }
  if (outcome?.kind !== "blocked") return [reason];
  return [reason, { code: "DestinationBlocked", text: outcome.because, subject: outcome.destination }];
}

type Done = Extract<Outcome, { readonly kind: "done" }>;

const DONE = { deactivate: "KeyDeactivated", reactivate: "KeyReactivated", delete: "KeyDeleted" } as const;
const WHAT = {
  KeyDeactivated: "was deactivated",
  KeyReactivated: "was made active again",
  KeyDeleted: "was deleted",
} as const;

function toldByDone({ step, proof = [] }: Done, { reason, because }: Decision): Finding | null {
  if (step.kind === "deactivate" && reason === "KeyExposed") {
    const text = [`${step.keyId} was deactivated. ${because}`, ...proof].join("\n");
    return { code: "ExposedKeyCut", text, subject: step.keyId };
  }
  if (step.kind !== "deactivate" && step.kind !== "reactivate" && step.kind !== "delete") return null;
  const code = DONE[step.kind];
  return { ...didOf(code, step.keyId, [because, ...proof]), advisedBy: reason };
}

const didOf = (code: keyof typeof WHAT, keyId: AccessKeyId, lines: readonly string[]): Finding => {
  return { code, text: `${keyId} ${WHAT[code]}: ${lines.join("\n")}`, subject: keyId };
};

/**
 * What was done and told to nobody: the answer was lost, the run died, or no notifier took it. Written down before the
 * call, it is told once IAM shows that it was done.
 */
function unheard({ observation, turns }: Findings): Finding[] {
  const { keys = [], record } = observation ?? {};
  const isDone = ({ code, keyId }: Unheard): boolean => {
    const key = keys.find(({ id }) => id === keyId);
    return code === "KeyDeleted" ? key === undefined : key?.status === "inactive";
  };
  const isTold = ({ code, keyId }: Pick<Unheard, "code" | "keyId">): boolean =>
    turns.some(({ outcome }) => {
      const step = outcome?.kind === "done" ? outcome.step : null;
      return (
        (step?.kind === "deactivate" || step?.kind === "delete") && DONE[step.kind] === code && step.keyId === keyId
      );
    });
  const untold = (record?.unheard ?? []).filter((telling) => isDone(telling) && !isTold(telling));
  const isCut = ({ id, status }: AccessKey): boolean =>
    status === "inactive" &&
    (record?.keys[id]?.deactivation ?? null) !== null &&
    observation?.notes.exposures.some(({ keyId }) => keyId === id) === true &&
    !isTold({ code: "KeyDeactivated", keyId: id });
  return [
    ...untold.map(({ code, keyId, lines }) => didOf(code, keyId, lines)),
    ...keys
      .filter(isCut)
      .map(({ id }): Finding => ({ code: "ExposedKeyCut", text: cutText(observation, id), subject: id })),
  ];
}

/** A key that was cut on the way to its replacement: who has not fetched that yet is behind, and its sessions go on. */
function cutText(observation: Observation | null, id: AccessKeyId): string {
  const sessions = observation?.record.keys[id]?.attribution?.sessions ?? [];
  const ends = sessions.map(
    ({ event, endsAt }) => `A session by ${event} goes on until ${new Date(endsAt).toISOString()}`,
  );
  const behind = "who has not read its pair in custody since is behind";
  return [`${id} is exposed, and was deactivated; ${behind}`, ...ends].join("\n");
}

/** What `revoke` overrides; in any other case that rule 3 holds, the key is for people to turn. */
const REVOKED_ALL_THE_SAME: readonly NoticeCode[] = ["HeldByOperator", "CurrentKeyGone", "CurrentKeyDisabled"];

/** Whoever keeps rule 4 from a leaked key must hear of it all the same: a hold that was told last week says nothing of a leak. */
function leftExposed({ turns, observation }: Findings): Finding[] {
  const last = turns.at(-1)?.decision;
  if (last?.rule !== "not-ours-to-touch" || observation === null) return [];
  const open = exposedKeys(observation).filter(({ status }) => status === "active");
  if (open.length === 0) return [];
  const code = REVOKED_ALL_THE_SAME.includes(last.reason) ? "KeyExposed" : "ExposedElsewhere";
  const ids = open.map(({ id }) => id).toSorted();
  const text = `${ids.join(" and ")} is exposed, and stays Active. In the way: ${last.because}`;
  return [{ code, text, subject: ids.join(",") }];
}

const exposedKeys = ({ keys, notes }: Observation): readonly AccessKey[] =>
  keys.filter(({ id }) => notes.exposures.some(({ keyId }) => keyId === id));

/** The next sweep tries again; nobody else can do more. */
const TIMES: readonly RotationErrorCode[] = ["Throttled", "Unreachable", "Conflict"];

function failed(code: NoticeCode, error: RotationError, about = ""): Finding {
  const subject = about === "" ? error.code : `${about}:${error.code}`;
  const isTimes = TIMES.includes(error.code);
  return { code, text: `${error.code}: ${error.message}`, subject, isBug: error.code === "Bug", isTimes };
}

/**
 * The keys and destinations that the sentence names. The sentence itself does not serve: its numbers change with every
 * sweep. Nor does the code alone: a second destination in the way would go untold for a week.
 */
function subjectOf(decision: Decision, observation: Observation | null): string {
  // One message for all that is done about a leaked key.
  if (decision.reason === "KeyExposed") {
    const exposed = observation === null ? [] : exposedKeys(observation);
    return exposed
      .map(({ id }) => id)
      .toSorted()
      .join(",");
  }
  const names = new Set<string>([
    ...(observation?.keys ?? []).map((key) => key.id),
    ...(observation?.destinations ?? []).map((destination) => destination.name),
  ]);
  const named = [...names].filter((name) => decision.because.includes(name));
  const blind = decision.reason === "BlindSpot" ? (observation?.blindSpots ?? []).map((spot) => spot.about) : [];
  return [...new Set([...named, ...blind])].toSorted().join(",");
}

function targetOf(step: Step): string {
  if (step.kind === "deliver") return `${step.destination}:${step.keyId}`;
  return "keyId" in step ? step.keyId : "";
}

function planned({ turns, failure, observation, profile, now }: Findings): Finding[] {
  if (observation === null || profile === null || failure !== null || observation.standing.barred !== null) return [];
  return ahead(observation, profile.policy, now, turns.at(-1)?.decision);
}

/** The deadlines that passed, with what is in the way: the last thing that was decided, or why nothing could be. */
function overdue({ turns, failure, observation, profile, now }: Findings): Finding[] {
  if (observation === null || profile === null) return [];
  const inTheWay = failure?.message ?? turns.at(-1)?.decision.because ?? "nothing was decided yet";
  const isUnknown = failure === null && turns.at(-1)?.decision.reason === "UseUnknown";
  return deadlines({ observation, policy: profile.policy, now, inTheWay, isUnknown });
}
