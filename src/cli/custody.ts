import type { Operator } from "../cloud/operator.ts";
import { formatMarker, formatPair } from "../cloud/custody-content.ts";
import { ownerOf, ownerTags, tokenOf } from "../cloud/custody.ts";
import type { Credential, IamUser } from "../rotation/keys.ts";
import { Refused } from "./function.ts";

/** The pair that the user's consumers hold. */
export type Deposit = Credential;

interface Keeping {
  readonly name: string;
  readonly account: string;
  readonly iamUser: IamUser;
  readonly pair: Deposit | null;
  /** Hears what was done. */
  readonly step: (said: string) => void;
}

/**
 * Sees that a user has its secret: with a marker first, because a secret's first version is current at once, and the pair
 * that is deposited second. A pair that is there already is never replaced. Every step that was done is found done.
 */
export async function keepCustody(operator: Operator, { name, account, iamUser, pair, step }: Keeping): Promise<void> {
  if (pair !== null) await mustBeOf(operator, iamUser, pair);
  const secret = operator.secret(name, `making the secret ${name}`);
  const owner = { account, userId: iamUser.id };
  const marker = { token: tokenOf(`marker of ${iamUser.id}`), text: formatMarker() };
  const isNew =
    (await secret.find()) === null && (await secret.create(marker, { tags: ownerTags(owner), replicaRegions: [] }));
  const found = await secret.find();
  const known = found === null ? null : ownerOf(found);
  if (known?.userId !== owner.userId || known.account !== account) {
    throw new Refused(
      `The secret ${name} was made for ${known?.userId ?? "nobody that it names"}, and the user is ${iamUser.id}. Delete it, if its pair is of no use.`,
    );
  }
  step(isNew ? `the secret ${name} is made; it holds a marker, and no pair` : `the secret ${name} was there`);
  if (pair !== null) step(await deposit(operator.secret(name, `depositing ${pair.id}`), pair));
}

/** Only a pair that works, and is the user's own, may be what its consumers read. */
async function mustBeOf({ prover, region }: Operator, iamUser: IamUser, pair: Deposit): Promise<void> {
  const answer = await prover.callerArn(pair, region);
  if (answer.kind === "answered" && answer.arn === iamUser.arn) return;
  const whose = answer.kind === "answered" ? `it is ${answer.arn}` : `AWS says ${answer.because}`;
  throw new Refused(`${pair.id} is not deposited, for it is no working key of ${iamUser.name}: ${whose}.`);
}

/** AWSCURRENT moves from the marker alone, by compare and swap: a sweep that is under way is not undone. */
async function deposit(secret: ReturnType<Operator["secret"]>, pair: Deposit): Promise<string> {
  const { AWSCURRENT: from, AWSPENDING: pending } = await secret.labels();
  const held = (await secret.pair(from))?.id ?? null;
  if (held === pair.id) return `${pair.id} was current already`;
  if (held !== null)
    throw new Refused(`The secret holds ${held} already; a pair is deposited only where there is none.`);
  if (pending !== undefined)
    throw new Refused("A rotation is under way, and brings its own pair: there is nothing to deposit.");
  const token = tokenOf(pair.id);
  await secret.put("KEYTURN_DEPOSIT", { token, text: formatPair(pair) });
  await secret.move("AWSCURRENT", { from, to: token });
  return `${pair.id} works, and is current`;
}
