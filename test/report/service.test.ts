import { describe, expect, test } from "vitest";
import { type Telling, tellOfService } from "../../src/report/service.ts";
import type { Notice } from "../../src/rotation/notice.ts";
import { days, hours, plus } from "../../src/rotation/time.ts";
import type { Notifier, ServiceMemory } from "../../src/rotation/world.ts";
import { recordingLog, recordingNotifier } from "../world/direct/recorders.ts";
import type { RecordingNotifier } from "../world/direct/recorders.ts";
import { NOW, USER } from "./builders.ts";

const lasting = (code: Notice["code"], sinceHoursAgo: number, more: Partial<Notice> = {}): Notice => {
  const since = plus(NOW, -hours(sinceHoursAgo));
  return { code, severity: "warning", user: USER, at: NOW, text: "", advice: "", dedupeKey: code, since, ...more };
};

/** Sweeps of one service, each at so many hours. */
function aService(notifiers: readonly Notifier[]) {
  let memory: ServiceMemory | undefined;
  const log = recordingLog();
  return {
    log,
    sweep: async (atHours: number, more: Partial<Pick<Telling, "failed" | "open">> = {}) => {
      const telling = { now: plus(NOW, hours(atHours)), failed: [], open: [], ...more };
      const told = await tellOfService({ notifiers, log }, memory, telling);
      // As it is when it was written down and read back.
      memory = JSON.parse(JSON.stringify(told.memory)) as ServiceMemory;
      return told.lasting.map(({ code }) => code);
    },
  };
}
const codes = ({ notices }: RecordingNotifier) => notices.map(({ code, isOver }) => (isOver ? `${code} over` : code));

describe("a notifier that fails", () => {
  test("is told by the others, each day while it lasts, and not by itself", async () => {
    const [mail, slack] = [recordingNotifier("sns"), recordingNotifier("slack")];
    const { sweep } = aService([mail, slack]);
    for (let at = 0; at < 30; at += 1) await sweep(at, { failed: ["slack"] });
    expect(codes(mail)).toEqual(["NotifierFailing", "NotifierFailing"]);
    expect(mail.notices[0]).toMatchObject({ severity: "urgent", user: null, dedupeKey: "NotifierFailing:slack" });
    expect(slack.notices).toEqual([]);
  });

  test("is told to be over a day after it last failed", async () => {
    const mail = recordingNotifier("sns");
    const { sweep } = aService([mail, recordingNotifier("slack")]);
    expect(await sweep(0, { failed: ["slack"] })).toEqual(["NotifierFailing"]);
    for (let at = 1; at < 24; at += 1) expect(await sweep(at)).toEqual(["NotifierFailing"]);
    for (let at = 24; at <= 30; at += 1) expect(await sweep(at)).toEqual([]);
    expect(codes(mail)).toEqual(["NotifierFailing", "NotifierFailing over"]);
  });

  test("is not told to be over while it fails, although nothing was to be said meanwhile", async () => {
    const [mail, slack] = [recordingNotifier("sns"), recordingNotifier("slack")];
    const { sweep } = aService([mail, slack]);
    slack.failure = new Error("gone");
    await sweep(0, { failed: ["slack"] });
    for (let at = 1; at < 60; at += 1) expect(await sweep(at)).toEqual(["NotifierFailing"]);
    expect(new Set(codes(mail))).toEqual(new Set(["NotifierFailing"]));
    slack.failure = null;
    for (let at = 60; at < 90; at += 1) await sweep(at);
    expect(codes(mail).at(-1)).toBe("NotifierFailing over");
    expect(new Set(codes(slack))).toEqual(new Set(["NotifierFailing over"]));
  });

  test("is told later where no other could tell it", async () => {
    const [mail, slack] = [recordingNotifier("sns"), recordingNotifier("slack")];
    const { sweep } = aService([mail, slack]);
    await sweep(0, { failed: ["sns", "slack"] });
    mail.failure = new Error("not yet");
    await sweep(1, { failed: ["slack"] });
    mail.failure = null;
    await sweep(2, { failed: ["slack"] });
    await sweep(3, { failed: ["slack"] });
    expect(codes(mail)).toEqual(["NotifierFailing"]);
  });
});

describe("whether anybody listens", () => {
  const aTopic = () => {
    const topic = { asked: 0, because: null as string | null, isDown: false };
    const check = async (): Promise<string | null> => {
      topic.asked += 1;
      await Promise.resolve();
      if (topic.isDown) throw new Error("no answer");
      return topic.because;
    };
    return { topic, notifier: { ...recordingNotifier("sns"), check } };
  };

  test("is asked at the first sweep, and then once a week", async () => {
    const { topic, notifier } = aTopic();
    const { sweep } = aService([notifier]);
    for (let at = 0; at <= 24 * 7; at += 1) await sweep(at);
    expect(topic.asked).toBe(2);
  });

  test("is told in the log and by the others when nobody does, then asked each hour until somebody does", async () => {
    const { topic, notifier } = aTopic();
    const slack = recordingNotifier("slack");
    const { sweep, log } = aService([notifier, slack]);
    topic.because = "nobody has subscribed to keyturn";
    expect(await sweep(0)).toEqual(["NobodyListens"]);
    expect(log.events).toMatchObject([{ level: "error", message: "nobody listens", fields: { notifier: "sns" } }]);
    await sweep(1);
    expect([topic.asked, codes(slack)]).toEqual([2, ["NobodyListens"]]);
    topic.because = null;
    for (let at = 2; at <= 30; at += 1) await sweep(at);
    expect(codes(slack)).toEqual(["NobodyListens", "NobodyListens over"]);
  });

  test("that cannot be asked is in the log, and is not told as if nobody did", async () => {
    const { topic, notifier } = aTopic();
    const { sweep, log } = aService([notifier]);
    topic.isDown = true;
    expect(await sweep(0)).toEqual([]);
    expect(log.events).toMatchObject([{ level: "warn", message: "a notifier could not be checked" }]);
  });
});

describe("the daily digest", () => {
  test("is not sent while nothing has been open for a day", async () => {
    const mail = recordingNotifier();
    const { sweep } = aService([mail]);
    for (let at = 0; at < 72; at += 1) await sweep(at, { open: [lasting("UseUnknown", 23 - at)] });
    expect(codes(mail)).toEqual([]);
  });

  test("is one notice a day with all that has been, the most urgent first, and whose it is", async () => {
    const mail = recordingNotifier();
    const { sweep } = aService([mail]);
    const open = [
      lasting("UseUnknown", 24, { owner: "team-a" }),
      lasting("Stranger", 10),
      lasting("KeyOverdue", 30, { severity: "urgent" }),
    ];
    for (let at = 0; at <= 48; at += 1) await sweep(at, { open });
    expect(codes(mail)).toEqual(["StillOpen", "StillOpen"]);
    expect(mail.notices[0]?.text.split("\n")).toEqual([
      "Open for a day or longer: 3",
      "flowid-dev-user: KeyOverdue, since 2026-05-30",
      "flowid-dev-user (team-a): UseUnknown, since 2026-05-31",
      "flowid-dev-user: Stranger, since 2026-05-31",
    ]);
  });

  test("is cut after fifty lines, and says how many more there are", async () => {
    const mail = recordingNotifier();
    const { sweep } = aService([mail]);
    const open = Array.from({ length: 53 }, () => lasting("Stranger", 48));
    await sweep(0, { open });
    await sweep(24, { open });
    const lines = mail.notices[0]?.text.split("\n") ?? [];
    expect([lines.length, lines.at(-1)]).toEqual([52, "and 3 more"]);
  });

  test("that no notifier took is sent by the next sweep", async () => {
    const mail = recordingNotifier();
    const { sweep } = aService([mail]);
    const open = [lasting("Stranger", days(3) / hours(1))];
    await sweep(0, { open });
    mail.failure = new Error("not now");
    await sweep(24, { open });
    mail.failure = null;
    await sweep(25, { open });
    expect(codes(mail)).toEqual(["StillOpen"]);
  });
});
