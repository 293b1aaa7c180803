/** Calibrations in the browser: shown, compared, taken back; what cannot be read; and what axe finds in the view. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LOOKS, at, launch, open, shoot, visit } from "./browser";
import type { Rig } from "./rig";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** As the program writes it, with the camera this far along y. */
function keep(rig: Rig, number: number, y: number, warnings: readonly string[] = []): void {
  const camera = {
    name: "cam0",
    mount: { distance: "300 mm", height: "60 mm", azimuth: "0 deg", look_at_height: "35 mm" },
    extrinsics: { centre: [300, y, 60], rotation: [[0, 1, 0], [0, 0, -1], [-1, 0, 0]], look_at_distance: 300, lift: [0, 0, 1], turntable: 1 },
    deviations: { centre_mm: [0.03, 0.04, 0], turn_deg: [0.005, 0, 0] },
    lenses: [
      {
        intrinsics: { width: 640, height: 480, fx: 505.6, fy: 505.6, cx: 320, cy: 240 },
        deviations: [0.1, 0.1, 0.1, 0.1, 0, 0, 0, 0],
        measured: ["fx", "fy", "cx", "cy"],
      },
    ],
    rms_px: 0.2,
    used: 1000,
  };
  const rigFound = { turntable: 1.0005, turntable_deviation: 0.0001, backlash_deg: 0.2, backlash_deviation_deg: 0.01, lift: null, lift_deviation: null };
  const found = { format: 1, made: "2026-11-30T08:00:00Z", scan: `board-${number}`, software: "scanner", cameras: [camera], rig: rigFound };
  const whole = { ...found, targets: {}, rms_px: 0.21, used: 1000, dropped: 3, warnings };
  write(rig, number, JSON.stringify(whole));
}

function write(rig: Rig, number: number, text: string): void {
  const folder = join(rig.folder, "calibration");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${String(number).padStart(6, "0")}.json`), text);
}

async function look(page: Page): Promise<void> {
  await open(page, "System");
  await page.getByRole("link", { name: "Calibration" }).click();
  await page.getByRole("heading", { level: 1, name: "Calibration", exact: true }).waitFor();
}

describe("calibrations in the browser", () => {
  it("are shown, compared with the one before, and taken back", async () => {
    await at(browser, { hull: false }, async ({ page, rig }) => {
      await look(page);
      await page.getByText(/has not been calibrated yet/).waitFor();
      await page.getByRole("region", { name: "What to print" }).getByText("scanner board", { exact: true }).waitFor();

      keep(rig, 1, 0);
      keep(rig, 2, 3, ["few corners at the edges"]);
      await page.reload();
      const now = page.getByRole("region", { name: "What counts now" });
      await now.getByText(/^Calibration 2 of .* 1000 corners fit to 0\.21.px \(rms\); 3 left out\.$/).waitFor();
      await now.getByText("few corners at the edges").waitFor();
      await now.getByText("cam0 has moved by 3.0 mm (x +0.0, y +3.0, z +0.0)").waitFor();
      const cells = await now.getByRole("region", { name: "cam0" }).getByRole("cell").allInnerTexts();
      expect(cells.slice(0, 4).map((text) => text.replaceAll("\u202f", " "))).toEqual(["505.6 px", "0.1 px", "300.0, 3.0, 60.0 mm", "0.05 mm"]);

      await page.getByRole("button", { name: "Take back calibration 2" }).click();
      await page.getByRole("button", { name: "Take it back" }).click();
      await now.getByText(/^Calibration 1 of /).waitFor();
      await page.getByRole("button", { name: "Take back calibration 1" }).waitFor();

      write(rig, 2, "{}");
      await page.reload();
      await page.getByText(/000002\.json is no calibration/).first().waitFor();
      await page.getByRole("button", { name: "Take back calibration 2" }).waitFor();
    });
  });

  it("are made by the board on the turntable, and watched", async () => {
    await at(browser, { cameras: 1, hull: false, timeScale: 200, options: "marks = true" }, async ({ page, rig }) => {
      await rig.end("SIGTERM");
      await rig.run({ SCANNER_SIM_BOARD: "1" });
      await look(page);
      await page.getByRole("button", { name: "Calibrate the rig" }).click();
      await page.getByRole("button", { name: "The board is there: calibrate" }).click();
      const calibrate = page.getByRole("region", { name: "Calibrate", exact: true });
      await calibrate.getByText("The board is being").waitFor();
      await calibrate.getByText("The rig has measured itself: calibration 1 counts for scans from now on.").waitFor();
      const now = page.getByRole("region", { name: "What counts now" });
      await now.getByText(/^Calibration 1 of /).waitFor();
      // As it was simulated: 4.74 mm at 9.375 µm a pixel.
      const [focal] = await now.getByRole("region", { name: "cam0" }).getByRole("cell").allInnerTexts();
      expect(Math.abs(Number.parseFloat(focal ?? "") - 505.6)).toBeLessThan(10);
    });
  });

  it("violate no rule of axe's, and fit a phone", async () => {
    await at(browser, { hull: false }, async ({ page: first, rig, token }) => {
      // Not the live view, which would be drawn beside all of these.
      await open(first, "System");
      keep(rig, 1, 0);
      keep(rig, 2, 3, ["few corners at the edges"]);
      for (const { name, ...options } of LOOKS) {
        const { context, page } = await visit(browser, rig, token, options);
        await look(page);
        await page.getByRole("region", { name: "What counts now" }).getByText(/^Calibration 2 of /).waitFor();
        await shoot(page, name, "calibration");
        await page.getByRole("button", { name: "Calibrate the rig" }).click();
        await page.getByRole("dialog", { name: "The board is there: calibrate" }).waitFor();
        await shoot(page, name, "calibration-asks");
        await context.close();
      }
    });
  });
});
