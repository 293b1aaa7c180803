/** The rig finds out how its axes swing, in the browser: begun, watched, given up; what was found. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LOOKS, at, launch, open, shoot, visit } from "./browser";
import type { Rig } from "./rig";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function look(page: Page): Promise<Locator> {
  await open(page, "System");
  await page.getByRole("link", { name: "Calibration" }).click();
  await page.getByRole("heading", { level: 1, name: "Calibration", exact: true }).waitFor();
  return page.getByRole("region", { name: "Swing", exact: true });
}

/** As the program writes it, with a drawing. */
function keep(rig: Rig): void {
  const swing = (frequency_hz: number, damping: number) => ({
    kind: "swing",
    frequency_hz,
    frequency_deviation_hz: 0.01,
    damping,
    damping_deviation: 0.001,
    noise_px: 0.02,
    most: { sine_px: 1.5, cosine_px: -0.2, points: [] },
  });
  const axes = [
    { axis: "turntable", at: "2026-11-30T08:00:00Z", places: [{ at: 0, camera: "cam0", found: swing(9, 0.05) }] },
    { axis: "lift", at: "2026-11-30T08:01:00Z", places: [{ at: 3, camera: "cam0", found: { kind: "nothing", noise_px: 0.02 } }] },
  ];
  mkdirSync(rig.folder, { recursive: true });
  writeFileSync(join(rig.folder, "tune.json"), JSON.stringify({ format: 1, axes }));
  const style = "<style>.c{fill:none;stroke:#cd2d4b;stroke-width:3}</style>";
  const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 250" width="900" height="250">${style}<path class="c" d="M0 125C150 0 300 250 450 125S750 0 900 125"/></svg>`;
  writeFileSync(join(rig.folder, "tune.svg"), drawn);
}

describe("the axes' swing in the browser", () => {
  it("is looked for, watched and given up", async () => {
    await at(browser, { cameras: 1, hull: false, timeScale: 1, size: [160, 120] }, async ({ page }) => {
      const swing = await look(page);
      await swing.getByRole("cell", { name: "not known" }).first().waitFor();
      await swing.getByRole("button", { name: "Tune the rig" }).click();
      await page.getByRole("button", { name: "It is there: tune" }).click();
      await swing.getByText(/^The turntable moves to and fro: [1-9]\d* of 54 moves$/).waitFor();
      await swing.getByRole("button", { name: "Stop tuning" }).click();
      await swing.getByText("It was given up: nothing has changed.").waitFor();
      await swing.getByRole("button", { name: "Tune the rig" }).waitFor();
    });
  });

  it("is shown with what it gains, violates no rule of axe's, and fits a phone", async () => {
    await at(browser, { hull: false }, async ({ page: first, rig, token }) => {
      // Not the live view, which would be drawn beside all of these.
      await open(first, "System");
      keep(rig);
      for (const { name, ...options } of LOOKS) {
        const { context, page } = await visit(browser, rig, token, options);
        const swing = await look(page);
        const turntable = swing.getByRole("row", { name: /^turntable/ });
        await turntable.waitFor();
        const cells = await turntable.getByRole("cell").allInnerTexts();
        expect(cells[0]?.replaceAll("\u202f", " ")).toBe("9.00 Hz, not in force");
        expect(cells[3]?.replaceAll("\u202f", " ")).toMatch(/^after \d\.\d\d s, else after \d\.\d\d s \(30\.0 deg\)$/);
        await swing.getByRole("row", { name: /^lift/ }).getByRole("cell", { name: "no swing is seen" }).waitFor();
        const drawn = swing.getByRole("img");
        await expect.poll(() => drawn.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(900);
        await shoot(page, name, "swing");
        await context.close();
      }
    });
  });
});
