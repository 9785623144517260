import type { Point } from "./points.ts";
import { play } from "./rotation.ts";

/** One of the processes that a matrix is shared among. Each message is a point, and is answered by its outcome. */
const [file = ""] = process.argv.slice(2);

// An interruption from the terminal comes to all processes: the first one sees to it.
process.on("SIGINT", () => {});

process.on("message", (point: Point) => {
  play(file, point).then(
    (outcome) => process.send?.(outcome),
    // What is no outcome ends the whole matrix.
    (thrown: unknown) => {
      console.error(thrown);
      process.exit(1);
    },
  );
});
