import { join } from "node:path";
import { createOwnCustody, type OwnCustody } from "../../cloud/own-custody.ts";
import { RotationError } from "../../rotation/errors.ts";
import type { Credential } from "../../rotation/keys.ts";
import type { Terminal, Typed } from "../command.ts";
import { changeWhole, readWhole } from "./whole-file.ts";

/** What all three commands take. */
export const OPTIONS = {
  user: { type: "string" },
  reader: { type: "string" },
  region: { type: "string" },
  secret: { type: "string" },
} as const;

/** Whose pair it is, and how this machine reads it. */
export interface Reading {
  readonly user: string;
  /** By what name this machine signs; null for none. */
  readonly reader: string | null;
  readonly region: string | null;
  readonly secretId: string;
  /** Where this machine keeps what it knows. */
  readonly folder: string;
}

/** The pair to go on with. `isNew`: it is to be stored. `because`: why no more could be learnt; null where nothing was in the way. */
export interface Renewal {
  readonly pair: Credential;
  readonly isNew: boolean;
  readonly because: string | null;
}

/** Reads what was typed; null where it does not say whose pair is meant. */
export function readingOf({ values }: Typed, { env, home }: Terminal): Reading | null {
  const text = (name: string): string | null => (typeof values[name] === "string" ? values[name] : null);
  const user = text("user");
  if (user === null || !/^[\w+=,.@-]{1,64}$/.test(user)) return null;
  const reader = text("reader");
  if (reader !== null && !/^[\w.-]{1,42}$/.test(reader)) return null;
  // The second is that of the AWS CLI, which the SDK does not read.
  const region = text("region") ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? null;
  const secretId = text("secret") ?? `keyturn/${user}`;
  return { user, reader, region, secretId, folder: join(home, ".keyturn") };
}

/**
 * Asks custody for the current pair with the one that is held. Whatever is in the way, the held one is kept; it throws
 * where that one is dead, or is another user's. With the old key nothing is signed but that one read, which is known for
 * what it is: any other call would be a use of it. Whose it is is therefore asked once, when it is first met.
 */
export async function renew(reading: Reading, held: Credential): Promise<Renewal> {
  const custody = createOwnCustody(reading);
  const keep = (because: string | null): Renewal => ({ pair: held, isNew: false, because });
  const stranger = await meet(custody, reading, held);
  if (stranger !== null) return keep(stranger);
  const found = await custody.read(held);
  if (found.kind === "dead") throw dead(reading, held);
  if (found.kind === "untold") return keep(found.because);
  if (found.value === null) return keep(`${reading.secretId} holds no pair yet`);
  if (found.value.id === held.id) return keep(null);
  const untried = await meet(custody, reading, found.value).catch((thrown: unknown) => {
    // A fresh key may not be known everywhere yet.
    if (thrown instanceof DeadPair) return `AWS does not know ${thrown.keyId} everywhere yet`;
    throw thrown;
  });
  return untried === null ? { pair: found.value, isNew: true, because: null } : keep(untried);
}

/** To be called when the new pair is stored: custody is read once more, by name, so that CloudTrail shows who has it. */
export async function showStored(reading: Reading, stored: Credential): Promise<void> {
  await createOwnCustody(reading).read(stored);
}

class DeadPair extends RotationError {
  readonly keyId: string;
  constructor(keyId: string, message: string) {
    super("Denied", message);
    this.keyId = keyId;
  }
}

/** Makes sure that a pair is the user's, and writes that down. Why that cannot be told, or null; throws where it is not. */
async function meet(custody: OwnCustody, reading: Reading, pair: Credential): Promise<string | null> {
  const known = join(reading.folder, "keys", pair.id);
  const owner = await readWhole(known).catch(() => null);
  const told = owner === null ? await custody.holderOf(pair) : { kind: "told" as const, value: owner };
  if (told.kind === "dead") throw dead(reading, pair);
  if (told.kind === "untold") return told.because;
  if (!/:user\/(?:.*\/)?([^/]+)$/.exec(told.value)?.[1]?.match(new RegExp(`^${escaped(reading.user)}$`, "i"))) {
    const said = `${pair.id} belongs to ${told.value}, and not to the user ${reading.user}`;
    throw new RotationError("Misconfigured", `looking whose pair it is, ${said}: nothing was changed`);
  }
  // Not to have written it down costs a call, and nothing else.
  if (owner === null) await changeWhole(known, () => told.value).catch(() => undefined);
  return null;
}

const escaped = (text: string): string => text.replaceAll(/[.+*?^$()[\]{}|\\]/g, String.raw`\$&`);

function dead({ user, secretId }: Reading, { id }: Credential): DeadPair {
  const said = `AWS does not take ${id} any more: it was rotated away while this machine was shut`;
  const next = `Ask whoever runs Keyturn for the current pair (it is in the secret ${secretId}), and set it with "aws configure"`;
  return new DeadPair(id, `fetching the pair of ${user}, ${said}. ${next}.`);
}
