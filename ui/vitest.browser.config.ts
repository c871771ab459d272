import { defineConfig } from "vitest/config";

// These tests drive the built screens from outside; nothing of the window runs in here.
export default defineConfig({
  test: {
    environment: "node",
    include: ["**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // One browser at a time; in it, the visits that only look share it. What measures time has it for itself.
    fileParallelism: false,
    maxConcurrency: 4,
  },
});
