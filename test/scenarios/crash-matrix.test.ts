import { beforeAll, describe, expect, test } from "vitest";
import { build } from "../../scripts/build.ts";
import { idOf, spread } from "../../scripts/crash-matrix/points.ts";
import type { Place, Point } from "../../scripts/crash-matrix/points.ts";
import { play, playClean } from "../../scripts/crash-matrix/rotation.ts";
import type { Outcome } from "../../scripts/crash-matrix/rotation.ts";
import { mistakePlugin } from "../../scripts/mistakes/index.ts";
import type { CrashMistakeName } from "../../scripts/mistakes/index.ts";

const POINTS = 12;
/** A month of sweeps: a rotation that gets over the fault has long ended. */
const MISTAKEN_SWEEPS = 20;

async function playMistaken(mistake: CrashMistakeName, point: Point): Promise<Outcome> {
  const { file } = await build({ output: `dist/keyturn-${mistake}.cjs`, plugins: [mistakePlugin(mistake)] });
  return play(file, point, MISTAKEN_SWEEPS);
}

/** The key is made, and whoever asked for it never hears of it. */
function lostKey(places: readonly Place[]): Point {
  const place = places.find(({ request }) => request === "iam.CreateAccessKey") as Place;
  return { system: place.system, sweep: place.sweep, nth: place.nth, fault: "killed-done" };
}

describe("the packaged bundle, killed or failed at one request of a rotation and run again", () => {
  let clean: Awaited<ReturnType<typeof playClean>>[];
  let points: Promise<Outcome>[];
  let orphaned: Promise<Outcome>;
  let unrecognised: Promise<Outcome>;
  let mistaken: Promise<Outcome>;

  beforeAll(async () => {
    const { file } = await build();
    clean = await Promise.all([playClean(file, "matchmaking"), playClean(file, "invoice-scanner")]);
    const places = clean.flatMap((rotation) => rotation.places);
    const spreadOut = spread(places, POINTS);
    // All at once: some wait for a real time-out.
    points = spreadOut.map((point) => play(file, point));
    orphaned = play(file, lostKey(places));
    unrecognised = playMistaken("no-orphan", lostKey(places));
    mistaken = playMistaken("delete-first", spreadOut[0] as Point);
  });

  test("ends a rotation well when nothing goes wrong", () => {
    expect(clean.flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  test.for(Array.from({ length: POINTS }, (_, index) => index))(
    "comes to the same end, no consumer having failed: point %i of twelve, spread over the matrix",
    async (index) => {
      const { point, struck, wrong } = (await points[index]) as Outcome;
      expect([`${idOf(point)} ${struck ?? "nothing"}`, ...wrong]).toHaveLength(1);
    },
  );

  test("removes the key whose secret was lost with its answer, and makes another", async () => {
    const { made, wrong } = await orphaned;
    expect({ made, wrong }).toEqual({ made: 2, wrong: [] });
  });

  test("is seen not to come to that end when a lost key is taken for a stranger's", async () => {
    expect((await unrecognised).wrong.join("\n")).toMatch(/IAM lists \w+ Active, \w+ Active/);
  });

  test("is seen to fail its consumers when the old key is deleted first", async () => {
    expect((await mistaken).wrong.join("\n")).toMatch(/signed with \w+: InvalidClientTokenId/);
  });
});
