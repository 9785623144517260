import { createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { blake2b } from "@noble/hashes/blake2.js";
import type { Secret } from "../rotation/secret.ts";

/** Salsa20's constant for keys of 32 bytes, as words. Source: Bernstein, "Extending the Salsa20 nonce". */
const SIGMA = words(Buffer.from("expand 32-byte k"));
const NONCE_BYTES = 24;

/**
 * What only the holder of the private key can open: libsodium's crypto_box_seal, in base64. A key pair of its own is made
 * for each box, so that no two are alike. Throws for what is no X25519 public key. Source: libsodium, Sealed boxes.
 */
export function seal(text: Secret, publicKey: Uint8Array): string {
  const ours = generateKeyPairSync("x25519");
  const { x = "" } = ours.publicKey.export({ format: "jwk" });
  const ourKey = Buffer.from(x, "base64url");
  const theirs = { kty: "OKP", crv: "X25519", x: Buffer.from(publicKey).toString("base64url") };
  const shared = diffieHellman({
    privateKey: ours.privateKey,
    publicKey: createPublicKey({ key: theirs, format: "jwk" }),
  });
  const key = new Uint32Array(8);
  hsalsa(SIGMA, words(shared), new Uint32Array(4), key);
  const nonce = blake2b(Buffer.concat([ourKey, publicKey]), { dkLen: NONCE_BYTES });
  const box = xsalsa20poly1305(new Uint8Array(key.buffer), nonce).encrypt(Buffer.from(text.reveal()));
  return Buffer.concat([ourKey, box]).toString("base64");
}

/** Bytes as the little-endian words that Salsa20 works with, on a machine that is little-endian, as Lambda's are. */
function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
