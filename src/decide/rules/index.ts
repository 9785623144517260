/*
 * The order is the policy: the first rule that rules wins, and a rule may rely on all those above it.
 *
 *   The life of a key                                          A creation that fails
 *
 *   old  Active ─────┬──────────────┬─────────── Inactive ── deleted     intent ── CreateAccessKey ── (answer lost)
 *                    │  quiet + 4 h │ 13            soak │ 14                            │
 *   new    12 created · 7 proved · 8 delivered · 9 promoted ──────▶          a key in no custody version: 5
 *                                                                            ours and unused for 4 h 15 min → deleted,
 *   custody: CURRENT=old  PENDING=new      CURRENT=new PREVIOUS=old           else held and named; then 12 again
 */
import type { Rule } from "../../rotation/decision.ts";
import { cannotSee } from "./cannot-see.ts";
import { create } from "./create.ts";
import { deleteOld } from "./delete.ts";
import { deliverAgain } from "./deliver-again.ts";
import { deliver } from "./deliver.ts";
import { drift } from "./drift.ts";
import { exposed } from "./exposed.ts";
import { makeRoom } from "./make-room.ts";
import { neededAfterAll } from "./needed-after-all.ts";
import { notOursToTouch } from "./not-ours-to-touch.ts";
import { orphan } from "./orphan.ts";
import { promote } from "./promote.ts";
import { prove } from "./prove.ts";
import { retire } from "./retire.ts";
import { smtp } from "./smtp.ts";
import { stranger } from "./stranger.ts";

export const RULES: readonly Rule[] = [
  neededAfterAll, // first, because giving a key back helps even where we cannot see, or are told to hold
  cannotSee, // before everything that would decide on what was not read
  notOursToTouch, // from here on the user is enrolled, and its current key is there
  exposed, // before all that could hold it: nothing may, but an operator and who is not enrolled
  smtp, // before anything that would begin or end a rotation
  orphan, // before stranger: a key that we made is not somebody else's
  stranger, // from here on every key is accounted for
  prove, // before anything that hands the pair on
  deliver, // relies on prove
  promote, // relies on deliver: nothing is behind the pending key
  deliverAgain, // relies on promote: there is no pending key
  makeRoom, // only while custody is empty; later rules make the room in every other case
  create, // needs a free slot, so it never competes with the two that follow
  retire, // relies on deliver-again: the current key is everywhere
  deleteOld, // after all that could still need the key, because it is the only step that cannot be undone
  drift, // only where nothing else is to be done: it tells, and changes nothing
];
