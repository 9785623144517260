import type { Checker } from "../checker.ts";
import type { Stage } from "../stage.ts";
import { churn } from "./churn.ts";
import { drift } from "./drift.ts";
import { givenBack } from "./given-back.ts";
import { inItsWindow } from "./in-its-window.ts";
import { inv1 } from "./inv-1.ts";
import { inv10 } from "./inv-10.ts";
import { inv11 } from "./inv-11.ts";
import { inv12 } from "./inv-12.ts";
import { inv2 } from "./inv-2.ts";
import { inv3 } from "./inv-3.ts";
import { inv4 } from "./inv-4.ts";
import { inv5 } from "./inv-5.ts";
import { inv6 } from "./inv-6.ts";
import { inv7 } from "./inv-7.ts";
import { inv8 } from "./inv-8.ts";
import { inv9 } from "./inv-9.ts";
import { leaked } from "./leaked.ts";
import { oneCreation } from "./one-creation.ts";
import { paused } from "./paused.ts";
import { price } from "./price.ts";
import { promotedLast } from "./promoted-last.ts";
import { smtp } from "./smtp.ts";

const ALL = [
  inv1,
  inv2,
  inv3,
  inv4,
  inv5,
  inv6,
  inv7,
  inv8,
  inv9,
  inv10,
  inv11,
  inv12,
  churn,
  drift,
  inItsWindow,
  givenBack,
  leaked,
  oneCreation,
  paused,
  price,
  promotedLast,
  smtp,
];

/** One watcher for each thing that must always hold. */
export const checkersOf = (stage: Stage): readonly Checker[] => ALL.map((make) => make(stage));
