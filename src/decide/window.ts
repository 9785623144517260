import type { Ruling, Situation } from "../rotation/decision.ts";
import { opensAt, spellIn } from "../rotation/window.ts";
import { hold } from "./rulings.ts";

/** The hold until the profile's window opens; null while it is open, and where there is none. */
export function windowClosed({ profile, now }: Situation, what: string): Ruling | null {
  const { window = null } = profile?.policy ?? {};
  const until = window === null ? null : opensAt(window, now);
  if (window === null || until === null) return null;
  return hold("WindowClosed", `${what} waits for the window ${window.text}, until ${spellIn(window, until)}`, until);
}
