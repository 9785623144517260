import type { Checker } from "../checker.ts";
import type { Stage } from "../stage.ts";

export function checkersOf(_stage: Stage): readonly Checker[] {
  return [];
}
