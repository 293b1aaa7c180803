/** What axe finds wrong with a page for people who do not see it, or not well, or press keys. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Nothing of what is shown violates a rule. */
export async function check(page: Page, where: string): Promise<void> {
  // Not as a script of the page, whose policy allows none but its own.
  await page.evaluate(`${SOURCE}; undefined`);
  const found = await page.evaluate(async () => {
    const { passes, violations } = await (window as unknown as { axe: typeof axe }).axe.run(document);
    if (passes.length < 15) throw new Error(`axe looked at ${passes.length} rules only`);
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target, failureSummary }) => `${target.join(" ")} (${failureSummary})`).join("; ")}`);
  });
  expect(found, where).toEqual([]);
}
