import { measure } from "./rotation.ts";
import { rowsFor } from "./rows.ts";

/** Which row is to be measured: the `index`-th of those for these calls. */
export interface Task {
  readonly index: number;
  readonly calls: readonly string[];
  readonly requestsMin: number;
}

/** One row after the other, as the parent asks for them. */
process.on("message", ({ index, calls, requestsMin }: Task) => {
  const row = rowsFor(calls)[index];
  if (row === undefined) throw new RangeError(`there is no row ${String(index)}`);
  void measure(row, requestsMin).then((measured) => process.send?.(measured));
});
