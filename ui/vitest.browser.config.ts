import { defineConfig } from "vitest/config";

// These tests drive the built screens from outside; nothing of the window runs in here.
export default defineConfig({
  test: { environment: "node", include: ["**/*.test.ts"], testTimeout: 120_000, hookTimeout: 60_000, fileParallelism: false },
});
