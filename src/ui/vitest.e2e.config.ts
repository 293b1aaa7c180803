import { defineConfig } from "vitest/config";

/** Tests in a browser, against the daemon: one after the other, since each has the machine's time to itself; in one process, which loads playwright once. */
export default defineConfig({
  test: {
    include: ["e2e/**/*.e2e.ts"],
    fileParallelism: false,
    isolate: false,
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
});
