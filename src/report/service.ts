import { asRotationError } from "../rotation/errors.ts";
import { type Notice, type NoticeCode, NOTICES } from "../rotation/notice.ts";
import { days, hours, type Instant } from "../rotation/time.ts";
import type { ServiceMemory, World } from "../rotation/world.ts";
import { codeOf, remember } from "./remember.ts";
import { report } from "./report.ts";

const CHECK_EVERY_MS = days(7);
const DIGEST_EVERY_MS = hours(24);
/** What is younger was told by itself a moment ago. */
const OPEN_SINCE_MS = hours(24);
const LINES_MAX = 50;

type Ways = Pick<World, "notifiers" | "log">;

/** What one whole sweep knows of telling. */
export interface Telling {
  readonly now: Instant;
  /** The notifiers that failed in it. */
  readonly failed: readonly string[];
  /** What lasts, of all users that it looked at. */
  readonly open: readonly Notice[];
}

/** Tells of the service itself: a notifier that fails, a topic that nobody hears, and once a day what is still open. Never throws. */
export async function tellOfService(
  world: Ways,
  known: ServiceMemory | undefined,
  { now, failed, open }: Telling,
): Promise<{ readonly memory: ServiceMemory; readonly lasting: readonly Pick<Notice, "code">[] }> {
  const { notices = {}, checkedAt = null, digestAt = now } = known ?? {};
  // While nobody hears it is asked at each sweep, so that the end of it is seen.
  const isSilent = Object.keys(notices).some((key) => key.startsWith("NobodyListens"));
  const isChecked = isSilent || checkedAt === null || now - checkedAt >= CHECK_EVERY_MS;
  const silent = isChecked ? await unheard(world, now) : [];
  const seen = [...failed.map((name) => aFailing(name, now)), ...silent];
  const first = remember(notices, seen, { now, isWhole: true });
  // A notifier that nothing was given to has not been tried: whether it works is seen by telling it that.
  const again = (await Promise.all(first.toSay.map((notice) => stillFailing(world, notice)))).flat();
  const told = again.length === 0 ? first : remember(notices, [...seen, ...again], { now, isWhole: true });
  const old = open.filter(({ since }) => since !== undefined && now - since >= OPEN_SINCE_MS);
  const isDigest = old.length > 0 && now - digestAt >= DIGEST_EVERY_MS;
  const digest = isDigest ? [aNotice("StillOpen", now, { text: linesOf(old), about: "" })] : [];
  // Whoever failed just now would fail again.
  const mute = [...failed, ...again.map(({ dedupeKey }) => failingName(dedupeKey))];
  const notifiers = world.notifiers.filter(({ name }) => !mute.includes(name));
  const toSay = notifiers.length === 0 ? [] : [...told.toSay, ...digest];
  const isUnsaid = toSay.length === 0 || (await report({ ...world, notifiers }, toSay)).length === notifiers.length;
  const memory = {
    notices: isUnsaid && told.toSay.length > 0 ? notices : told.records,
    checkedAt: isChecked || checkedAt === null ? now : checkedAt,
    digestAt: isDigest && !isUnsaid ? now : digestAt,
  };
  return { memory, lasting: Object.keys(told.records).map((key) => ({ code: codeOf(key) })) };
}

function aFailing(name: string, now: Instant): Notice {
  const said = 'What it was to say is in the log, under "a notifier failed", with the reason.';
  return aNotice("NotifierFailing", now, { text: `The notifier ${name} failed in this sweep. ${said}`, about: name });
}

const failingName = (dedupeKey: string): string => dedupeKey.slice("NotifierFailing:".length);

/** The failure again, where the notifier that is said to work does not take that very notice; nothing for any other. */
async function stillFailing({ notifiers, log }: Ways, over: Notice): Promise<Notice[]> {
  if (over.code !== "NotifierFailing" || over.isOver !== true) return [];
  const own = notifiers.filter(({ name }) => name === failingName(over.dedupeKey));
  return (await report({ notifiers: own, log }, [over])).map((name) => aFailing(name, over.at));
}

/** Asks each notifier that can tell whether somebody hears it. What could not be asked is in the log alone. */
async function unheard({ notifiers, log }: Ways, now: Instant): Promise<Notice[]> {
  const asked = notifiers.map(async ({ name, check }): Promise<Notice[]> => {
    try {
      const because = (await check?.()) ?? null;
      if (because === null) return [];
      log.event("error", "nobody listens", { notifier: name, because });
      return [aNotice("NobodyListens", now, { text: because, about: name })];
    } catch (thrown) {
      const error = asRotationError(thrown, `asking whether anybody hears ${name}`);
      log.event("warn", "a notifier could not be checked", { notifier: name, error });
      return [];
    }
  });
  return (await Promise.all(asked)).flat();
}

/** One line for each thing that lasts, the most urgent and the oldest first. */
function linesOf(open: readonly Notice[]): string {
  const rank = ({ severity, at, since = at }: Notice): string =>
    `${severity === "urgent" ? "0" : "1"} ${String(since)}`;
  const sorted = open.toSorted((one, other) => rank(one).localeCompare(rank(other)));
  const lines = sorted.map(({ user, code, at, since = at, owner }) => {
    const whose = owner === undefined ? "" : ` (${owner})`;
    return `${user ?? "keyturn"}${whose}: ${code}, since ${new Date(since).toISOString().slice(0, 10)}`;
  });
  const more = lines.length > LINES_MAX ? [`and ${String(lines.length - LINES_MAX)} more`] : [];
  return [`Open for a day or longer: ${String(open.length)}`, ...lines.slice(0, LINES_MAX), ...more].join("\n");
}

function aNotice(
  code: NoticeCode,
  at: Instant,
  { text, about }: { readonly text: string; readonly about: string },
): Notice {
  const { severity = "warning", advice = "" } = NOTICES[code] ?? {};
  return { code, severity, user: null, at, text, advice, dedupeKey: about === "" ? code : `${code}:${about}` };
}
