// Builds the screens with the stand-in shell, serves them under the policy of the real window, and runs vitest on the
// given folder in a headless Chromium. Without a Chromium it says so and ends well: not every machine has one.
// Usage: node scripts/with-demo.mjs tests/browser

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const [folder] = process.argv.slice(2);
const chromium = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => path && existsSync(path),
);
if (!chromium) {
  console.log(`No Chromium on this machine: ${folder} was skipped. Set CHROMIUM to its path to run it.`);
  process.exit(0);
}

const run = (...args) => {
  const { status } = spawnSync("npx", args, {
    stdio: "inherit",
    env: { ...process.env, CHROMIUM: chromium },
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
};
run("vite", "build", "--mode", "demo", "--logLevel", "warn");
run("vitest", "run", "--config", "vitest.browser.config.ts", "--dir", folder);
