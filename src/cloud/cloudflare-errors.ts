import type { RotationErrorCode } from "../rotation/errors.ts";

type Meaning = readonly [code: RotationErrorCode, words: string];

const REFUSED: Meaning = [
  "Denied",
  "the API token is not allowed to. Give it the role Editor on this Worker (for Pages: Pages Write, for the Secrets Store: Secrets Store Write), or store a valid one in the apiToken secret",
];

/** The codes of Cloudflare's error envelope that its API is known to answer to our calls. */
const MEANINGS: readonly (readonly [codes: readonly number[], ...Meaning])[] = [
  [[1000], "NotFound", "the Secrets Store has no such secret any more"],
  [
    [7000, 7003],
    "Misconfigured",
    "the account id or a name in the path is not valid. Correct accountId in the profile",
  ],
  [[9106, 9109, 10000, 10001], ...REFUSED],
  [[10007, 10090], "NotFound", "the account has no Worker of that name, and none is created. Correct the name"],
  [[8000007], "NotFound", "the account has no Pages project of that name, and none is created. Correct the name"],
  [[8000009], "NotFound", "the Pages project has no such deployment any more"],
  [[10021, 10201], "Bug", "the request was not understood. Tell us"],
  [[10053], "Misconfigured", "the name is taken by another kind of binding. Remove that, and make it a secret"],
  [[10056], "Misconfigured", "the Worker has no secret of that name. Set it once with wrangler secret put"],
  [
    [10214, 10215],
    "Conflict",
    "the newest version of the Worker is not the live one, and would go live with the pair. Deploy it, or upload the live one again",
  ],
  [
    [10220],
    "Conflict",
    "the secrets have changed since that version, and it would bring an old pair back. Deploy a newer one",
  ],
  [[10222], "Misconfigured", "the Worker has no version yet. Deploy it once"],
  [[100160], "LimitReached", "too many secrets in one request. Set fewer values alongside the pair"],
];

/** An answer that is no success, with its envelope's codes. A challenge for browsers: the request reached nothing. */
type Refusal = { readonly status: number; readonly codes: readonly number[]; readonly isChallenge: boolean };

/** By code and status, never by message: Cloudflare's text is left out, since it may repeat what was sent. */
export function meaningOf({ status, codes, isChallenge }: Refusal): Meaning {
  if (isChallenge) return ["Unreachable", "Cloudflare answered with a challenge for browsers instead"];
  if (status === 429) return ["Throttled", "too many requests with this token. Cloudflare lifts it in minutes"];
  if (status >= 500) return ["Unreachable", `Cloudflare failed (HTTP ${String(status)})`];
  // Whatever code it bears: 1000 is an unknown token here, and an unknown secret elsewhere.
  if (status === 401) return REFUSED;
  const [known] = codes.flatMap((code) => MEANINGS.filter(([theirs]) => theirs.includes(code)));
  if (known !== undefined) return [known[1], known[2]];
  if (status === 401 || status === 403) return REFUSED;
  const said = `HTTP ${String(status)}, code ${codes.length === 0 ? "none" : codes.join(" ")}`;
  if (status < 300) return ["Unreachable", `the answer was no success (${said})`];
  return ["Misconfigured", `Cloudflare refused with an error that is not known (${said})`];
}
