import { svelte } from "@sveltejs/vite-plugin-svelte";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Puts the stand-in shell in the place of the one file that calls Tauri. */
const fakeShell: Plugin = {
  name: "fake-shell",
  enforce: "pre",
  async resolveId(source, importer) {
    if (!/\/ipc$/.test(source) || importer === undefined) {
      return null;
    }
    const resolved = await this.resolve(source, importer, { skipSelf: true });
    return resolved?.id === here("src/lib/ipc.ts") ? here("src/lib/ipc.fake.ts") : null;
  },
};

export default defineConfig(({ mode }) => {
  // `vite --mode demo` shows the screens in a browser; tests run the window's code against the same stand-in.
  const demo = mode === "demo" || mode === "test";
  return {
    plugins: [svelte(), ...(demo ? [fakeShell] : [])],
    // Tauri is told this address when it reloads while we work; another port would show an empty window.
    server: { port: 5173, strictPort: true },
    // Without it, tests would get Svelte's server side.
    ...(mode === "test" ? { resolve: { conditions: ["browser"] } } : {}),
    build: {
      outDir: demo ? "dist-demo" : "dist",
      // The oldest WebKit among the systems we run on decides: macOS 13 and Debian 12 both speak this.
      target: "safari16",
      // Everything is one local file: there is nothing to preload.
      modulePreload: false,
      // The page's policy allows data: for pictures only; fonts and the rest must stay files.
      assetsInlineLimit: 0,
      reportCompressedSize: true,
    },
    test: {
      environment: "jsdom",
      include: ["tests/**/*.test.ts"],
      exclude: ["tests/browser/**", "tests/screenshots/**"],
      setupFiles: ["tests/setup.ts"],
      testTimeout: 60_000,
    },
  };
});
