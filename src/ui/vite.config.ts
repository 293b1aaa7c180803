import { defineConfig } from "vitest/config";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** Beside each file what the daemon sends in its place to a browser that takes it: it compresses nothing itself. */
function packed(): Plugin {
  let folder = "";
  return {
    name: "packed",
    apply: "build",
    configResolved: (config) => void (folder = join(config.root, config.build.outDir)),
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (!/\.(html|js|css|svg|webmanifest)$/.test(name)) continue;
        const path = join(folder, name);
        const plain = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
        const quality = { [constants.BROTLI_PARAM_QUALITY]: 11 };
        writeFileSync(`${path}.br`, brotliCompressSync(plain, { params: quality }));
      }
    },
  };
}

/** The licences of the viewer, of what it is made of, and of three.js, which go with every copy of them. */
function licences(): Plugin {
  const from = (name: string) => readFileSync(join(import.meta.dirname, "node_modules/swagger-ui-dist", name), "utf8");
  const three = () => readFileSync(join(import.meta.dirname, "node_modules/three/LICENSE"), "utf8");
  return {
    name: "licences",
    apply: "build",
    generateBundle() {
      const source = ["NOTICE", "LICENSE", "swagger-ui-es-bundle.js.LICENSE.txt"].map(from).join("\n\n");
      this.emitFile({ type: "asset", fileName: "docs-licences.txt", source });
      this.emitFile({ type: "asset", fileName: "model-licence.txt", source: three() });
    },
  };
}

export default defineConfig({
  // Files are asked for beside the page: a proxy may have put a path before it.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../../target/ui",
    emptyOutDir: true,
    target: ["chrome107", "firefox115", "safari15.4"],
    modulePreload: { polyfill: false },
    // Nothing inline: the page's policy allows none.
    assetsInlineLimit: 0,
    // What matters is weighed by .ci/ui.
    chunkSizeWarningLimit: 2000,
    // The page, and the viewer of the API's document, which nothing of the page loads.
    rolldownOptions: { input: ["index.html", "docs.html"] },
  },
  plugins: [licences(), packed()],
  test: { include: ["src/**/*.test.ts"] },
});
