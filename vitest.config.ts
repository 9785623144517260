import { defineConfig } from "vitest/config";

/**
 * unit: pure, or in process and quick. rotations: whole rotations in process, month after month, by hand and from seeds. wire: the real adapters
 * over HTTP. scenarios: whole rotations over the wire, workerd included.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          // Quick ones all, and on a machine that has other things to do they are not.
          testTimeout: 20_000,
          include: ["test/**/*.test.ts"],
          exclude: ["test/rotations/**", "test/simulation/**", "test/wire/**", "test/scenarios/**"],
        },
      },
      { test: { name: "rotations", include: ["test/{rotations,simulation}/**/*.test.ts"], testTimeout: 60_000 } },
      { test: { name: "wire", include: ["test/wire/**/*.test.ts"], testTimeout: 60_000 } },
      {
        test: {
          name: "scenarios",
          include: ["test/scenarios/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
