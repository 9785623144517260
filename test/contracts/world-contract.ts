import { describe } from "vitest";
import { custodyContract } from "./custody-contract.ts";
import { directoryContract } from "./directory-contract.ts";
import { evidenceContract } from "./evidence-contract.ts";
import { exposureContract } from "./exposure-contract.ts";
import { journalContract } from "./journal-contract.ts";
import { keysContract } from "./keys-contract.ts";
import { signersContract } from "./signers-contract.ts";
import type { MakeSetup } from "./setup.ts";

/**
 * Says every sentence of the contracts in `world.ts` of a World over a simulated cloud: in process, or through the real
 * adapters over HTTP. It looks at the cloud's state and turns its switches, and knows nothing else of how the World is made.
 */
export function worldContract(name: string, makeSetup: MakeSetup): void {
  describe(`${name}, by contract`, () => {
    keysContract(makeSetup);
    directoryContract(makeSetup);
    custodyContract(makeSetup);
    evidenceContract(makeSetup);
    signersContract(makeSetup);
    journalContract(makeSetup);
    exposureContract(makeSetup);
  });
}
