import { beforeAll, describe, expect, test } from "vitest";
import { build } from "../../scripts/build.ts";
import { idOf, pointsOf, spread } from "../../scripts/crash-matrix/points.ts";
import type { Place, Point } from "../../scripts/crash-matrix/points.ts";
import { play, playClean } from "../../scripts/crash-matrix/rotation.ts";
import type { Outcome } from "../../scripts/crash-matrix/rotation.ts";
import { mistakePlugin } from "../../scripts/mistakes/index.ts";
import type { CrashMistakeName } from "../../scripts/mistakes/index.ts";

const POINTS = 12;

const buildWith = async (mistake: CrashMistakeName): Promise<string> =>
  (await build({ output: `dist/keyturn-${mistake}.cjs`, plugins: [mistakePlugin(mistake)] })).file;

/** The points at which the key is made, or that make it known to custody. */
const aroundCreation = (places: readonly Place[]): Point[] => {
  const create = places.filter(({ request }) => request === "iam.CreateAccessKey");
  return pointsOf(create, ["killed-done", "lost"]);
};

describe("the packaged bundle, killed or failed at one request of a rotation and run again", () => {
  let file: string;
  let places: Place[];
  let played: Promise<Outcome>[];

  beforeAll(async () => {
    ({ file } = await build());
    const cleans = await Promise.all([playClean(file, "matchmaking"), playClean(file, "invoice-scanner")]);
    expect(cleans.flatMap(({ wrong }) => wrong)).toEqual([]);
    places = cleans.flatMap((clean) => clean.places);
    // All at once: two of them wait for a real time-out.
    played = spread(places, POINTS).map((point) => play(file, point));
  });

  test.for(Array.from({ length: POINTS }, (_, index) => index))(
    "comes to the same end, no consumer having failed: point %i of twelve, spread over the whole matrix",
    async (index) => {
      const { point, wrong, story } = (await played[index]) as Outcome;
      expect([idOf(point), ...wrong], story.join("\n")).toEqual([idOf(point)]);
    },
  );

  test("removes the key whose secret was lost with the answer, and makes another", async () => {
    const outcomes = await Promise.all(aroundCreation(places).map((point) => play(file, point)));
    expect(outcomes.map(({ made, wrong }) => ({ made, wrong }))).toEqual(outcomes.map(() => ({ made: 2, wrong: [] })));
  });

  test("does not come to that end when nothing knows a lost key for ours", async () => {
    const mistaken = await buildWith("no-orphan");
    const [point] = aroundCreation(places);
    const { wrong } = await play(mistaken, point as Point);
    expect(wrong.join("\n")).toMatch(/IAM lists \w+ Active, \w+ Active/);
  });

  test("is seen to fail its consumers when the old key is deleted first", async () => {
    const { wrong } = await play(await buildWith("delete-first"), spread(places, POINTS)[0] as Point);
    expect(wrong.join("\n")).toMatch(/signed with \w+: InvalidClientTokenId/);
  });
});
