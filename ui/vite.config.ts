import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [svelte()],
  // Tauri is told this address when it reloads while we work; another port would show an empty window.
  server: { port: 5173, strictPort: true },
  build: {
    // The oldest WebKit among the systems we run on decides: macOS 13 and Debian 12 both speak this.
    target: "safari16",
    // Everything is one local file: there is nothing to preload.
    modulePreload: false,
    // The page's policy allows data: for pictures only; fonts and the rest must stay files.
    assetsInlineLimit: 0,
  },
});
