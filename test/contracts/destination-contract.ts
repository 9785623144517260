import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import { accessKeyId, type Credential } from "../../src/rotation/keys.ts";
import { Secret } from "../../src/rotation/secret.ts";
import type { Destination } from "../../src/rotation/world.ts";

/** A destination with its simulated service, ready to be delivered to, and what may befall it. */
export interface DestinationUnderTest {
  readonly destination: Destination;
  /** What the consumer would read now. */
  readonly pair: () => { readonly id: string; readonly secret: string };
  /** What befalls the service. */
  readonly happenings: {
    readonly tokenIsRefused: () => void;
    readonly targetIsAbsent: () => void;
    readonly somebodyDeploys: () => void;
    readonly previousIsBroughtBack: () => void;
    /** The next write is carried out, and its answer never arrives. */
    readonly answerIsLost: () => void;
    /** The next write fails, and is not carried out. */
    readonly writeFails: () => void;
  };
  /** What `live` says of the pair before, brought back: `foreign` where a text that is written again is a new one. */
  readonly previousLooks?: "previous" | "foreign" | "failed";
  /** What must be mended before a delivery, each with a part of the words that tell an operator so. */
  readonly blocks: Readonly<Record<string, { readonly arrange: () => void; readonly words: RegExp }>>;
  /** What makes a pair live that a delivery only stores; left out where a delivery is live at once. */
  readonly becomesLive?: () => void;
  /** Whether the target exists now. */
  readonly exists: () => boolean;
  readonly close: () => Promise<void>;
}

const NEW: Credential = {
  id: accessKeyId("AKIANEWNEWNEWNEWNEW1"),
  secret: new Secret("new+secret/with=signs0123456789abcdefghi"),
};

/** What `Destination` promises, for any that is delivered to. */
export function destinationContract(name: string, setUp: () => Promise<DestinationUnderTest>): void {
  describe(`${name} as a destination`, () => {
    const run =
      (body: (world: DestinationUnderTest) => Promise<void>): (() => Promise<void>) =>
      async () => {
        const world = await setUp();
        try {
          await body(world);
        } finally {
          await world.close();
        }
      };
    delivers(run);
    refuses(run);
  });
  test.concurrent.for(["preflight", "live"] as const)(`${name}: %s changes nothing`, async (method) => {
    const world = await setUp();
    const before = world.pair();
    await (method === "live" ? world.destination.live(null) : world.destination.preflight());
    expect(world.pair()).toEqual(before);
    await world.close();
  });
}

type Run = (body: (world: DestinationUnderTest) => Promise<void>) => () => Promise<void>;

function delivers(run: Run): void {
  test(
    "shows what it was given, and says that it is ours",
    run(async ({ destination, pair, becomesLive }) => {
      const before = pair();
      const receipt = await destination.deliver(NEW, await anchorOf(destination));
      const isStored = becomesLive !== undefined;
      expect(receipt.awaits !== undefined).toBe(isStored);
      const given = { id: NEW.id, secret: NEW.secret.reveal() };
      expect([pair(), await destination.live(receipt)]).toEqual(isStored ? [before, "previous"] : [given, "ours"]);
      becomesLive?.();
      expect(pair()).toEqual({ id: NEW.id, secret: NEW.secret.reveal() });
      expect(await destination.live(receipt)).toBe("ours");
    }),
  );

  test(
    "takes the same pair twice",
    run(async ({ destination, pair, becomesLive }) => {
      const first = await destination.deliver(NEW, await anchorOf(destination));
      becomesLive?.();
      const second = await destination.deliver(NEW, await anchorOf(destination));
      becomesLive?.();
      expect(second.anchor).toBe(first.version);
      expect(pair().id).toBe(NEW.id);
      expect(await destination.live(second)).toBe("ours");
    }),
  );

  test(
    "says foreign when somebody deployed after us",
    run(async ({ destination, happenings, becomesLive }) => {
      const receipt = await destination.deliver(NEW, await anchorOf(destination));
      becomesLive?.();
      happenings.somebodyDeploys();
      expect(await destination.live(receipt)).toBe("foreign");
    }),
  );

  test(
    "says that it is not ours when what was live before us is live again",
    run(async ({ destination, happenings, pair, becomesLive, previousLooks = "previous" }) => {
      const receipt = await destination.deliver(NEW, await anchorOf(destination));
      becomesLive?.();
      happenings.previousIsBroughtBack();
      expect(pair().id).not.toBe(NEW.id);
      expect(await destination.live(receipt)).toBe(previousLooks);
    }),
  );

  test(
    "says unknown of a delivery without a receipt",
    run(async ({ destination }) => {
      expect(await destination.live(null)).toBe("unknown");
    }),
  );

  test(
    "goes on when an answer is lost, or throws an unknown outcome, and a repeated delivery settles it",
    run(async ({ destination, happenings, pair, becomesLive }) => {
      const anchor = await anchorOf(destination);
      happenings.answerIsLost();
      const first = destination.deliver(NEW, anchor);
      const unheard = { code: "Unreachable", outcomeUnknown: true };
      const error = await first.then(
        () => unheard,
        () => failureOf(first),
      );
      expect(error).toMatchObject(unheard);
      const receipt = await destination.deliver(NEW, await anchorOf(destination));
      becomesLive?.();
      expect(pair()).toEqual({ id: NEW.id, secret: NEW.secret.reveal() });
      expect(await destination.live(receipt)).toBe("ours");
    }),
  );
}

function refuses(run: Run): void {
  test(
    "says Denied of a refused token, and shows no secret",
    run(async ({ destination, happenings, pair }) => {
      const anchor = await anchorOf(destination);
      const before = pair();
      happenings.tokenIsRefused();
      for (const attempt of attempts(destination, anchor)) {
        expect(await failureOf(attempt())).toMatchObject({ code: "Denied" });
      }
      expect(pair()).toEqual(before);
    }),
  );

  test(
    "says NotFound of an absent target, and never creates it",
    run(async ({ destination, happenings, exists }) => {
      happenings.targetIsAbsent();
      for (const attempt of attempts(destination, null)) {
        expect(await failureOf(attempt())).toMatchObject({ code: "NotFound" });
      }
      expect(exists()).toBe(false);
    }),
  );

  test(
    "says Conflict when the target changed since the pre-flight",
    run(async ({ destination, happenings, pair }) => {
      const anchor = await anchorOf(destination);
      happenings.somebodyDeploys();
      const before = pair();
      expect(await failureOf(destination.deliver(NEW, anchor))).toMatchObject({ code: "Conflict" });
      expect(pair()).toEqual(before);
    }),
  );

  test(
    "keeps the old pair when the service fails",
    run(async ({ destination, happenings, pair }) => {
      const anchor = await anchorOf(destination);
      const before = pair();
      happenings.writeFails();
      expect(await failureOf(destination.deliver(NEW, anchor))).toMatchObject({
        code: "Unreachable",
        outcomeUnknown: true,
      });
      expect(pair()).toEqual(before);
    }),
  );

  test(
    "is blocked, in words, by what an operator must mend, and sets nothing then",
    run(async (first) => {
      for (const [what, { words }] of Object.entries(first.blocks)) {
        await run(async ({ destination, blocks, pair }) => {
          blocks[what]?.arrange();
          const before = pair();
          const { kind, ...rest } = await destination.preflight();
          expect({ what, kind }).toEqual({ what, kind: "blocked" });
          expect(rest).toEqual({ because: expect.stringMatching(words) });
          expect(pair()).toEqual(before);
        })();
      }
    }),
  );
}

const attempts = (destination: Destination, anchor: string | null): (() => Promise<unknown>)[] => [
  () => destination.preflight(),
  () => destination.deliver(NEW, anchor),
  () => destination.live({ version: null, anchor }),
];

async function anchorOf(destination: Destination): Promise<string | null> {
  const preflight = await destination.preflight();
  if (preflight.kind === "ready") return preflight.anchor;
  throw new Error(`the destination under test is blocked: ${preflight.because}`);
}

/** What was thrown: a RotationError that shows no secret, however it is printed. */
async function failureOf(attempt: Promise<unknown>): Promise<RotationError> {
  const thrown = await attempt.then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(RotationError);
  const printed = inspect(thrown, { depth: 10, showHidden: true }) + JSON.stringify(thrown);
  expect(printed).not.toContain(NEW.secret.reveal());
  expect(printed).not.toContain("cf-token");
  if (!(thrown instanceof RotationError)) throw new Error("not a RotationError");
  return thrown;
}
