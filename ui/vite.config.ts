/** How the pages are built: hashed files into the Python package, compressed beside the originals, no source maps. */
import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

import { notices } from "./scripts/notices.mjs";
import { precompress } from "./scripts/precompress.mjs";

const SERVER = process.env.PENSTOCK_URL ?? "http://127.0.0.1:3000";
const PROXIED = ["/graphql", "/live", "/logs", "/server_info", "/healthz", "/readyz"];

export default defineConfig({
  base: "./",
  plugins: [react(), notices(), precompress()],
  build: {
    outDir: fileURLToPath(new URL("../src/penstock/web/static", import.meta.url)),
    emptyOutDir: true,
    assetsDir: "assets-static",
    assetsInlineLimit: 0,
    manifest: true,
    sourcemap: false,
    target: "es2023",
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // Few files rather than many small ones: what most pages share is one chunk beside the entry's.
        codeSplitting: { groups: [{ name: "kit", test: /\/src\/(kit|services|links)/, minShareCount: 2 }] },
      },
    },
  },
  worker: { format: "es" },
  server: { proxy: Object.fromEntries(PROXIED.map((path) => [path, { target: SERVER }])) },
});
