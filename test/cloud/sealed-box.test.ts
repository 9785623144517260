import sodium from "libsodium-wrappers";
import { expect, test } from "vitest";
import { seal } from "../../src/cloud/sealed-box.ts";
import { Secret } from "../../src/rotation/secret.ts";

const open = (sealed: string, { publicKey, privateKey }: { publicKey: Uint8Array; privateKey: Uint8Array }): string =>
  sodium.to_string(
    sodium.crypto_box_seal_open(sodium.from_base64(sealed, sodium.base64_variants.ORIGINAL), publicKey, privateKey),
  );

test.for([0, 1, 15, 16, 17, 40, 64, 65, 1_000])("libsodium opens a box of %i bytes", async (length) => {
  await sodium.ready;
  const pair = sodium.crypto_box_keypair();
  const text = "wJalr/+=".repeat(Math.ceil(length / 8)).slice(0, length);
  expect(open(seal(new Secret(text), pair.publicKey), pair)).toBe(text);
});

test("libsodium opens fifty boxes for fifty keys, and none for another's", async () => {
  await sodium.ready;
  const pairs = Array.from({ length: 50 }, () => sodium.crypto_box_keypair());
  const boxes = pairs.map(({ publicKey }, index) => seal(new Secret(`pair ${String(index)}, ä€`), publicKey));
  expect(pairs.map((pair, index) => open(boxes[index] ?? "", pair))).toEqual(
    pairs.map((_, index) => `pair ${String(index)}, ä€`),
  );
  expect(() => open(boxes[0] ?? "", sodium.crypto_box_keypair())).toThrow(/incorrect key pair/);
});

test("no two boxes of one text are alike", async () => {
  await sodium.ready;
  const { publicKey } = sodium.crypto_box_keypair();
  const boxes = Array.from({ length: 20 }, () => seal(new Secret("the same"), publicKey));
  expect(new Set(boxes).size).toBe(20);
});

test("refuses a key of which every shared secret would be known", () => {
  expect(() => seal(new Secret("x"), new Uint8Array(32))).toThrow(/diffie|derivation|failed/i);
});
