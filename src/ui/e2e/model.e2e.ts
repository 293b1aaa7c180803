/** The model of a scan in 3D: made behind the scan, looked at, turned by keys and by hand. */

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LOOKS, at, launch, open, pixels, shoot, visit } from "./browser";
import { SELDOM, until } from "./rig";
import type { Rig } from "./rig";

let browser: Browser;
beforeAll(async () => {
  browser = await launch(["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]);
});
afterAll(() => browser.close());

const modelOf = (page: Page) => page.getByRole("region", { name: "Model", exact: true });
const canvasOf = (page: Page) => modelOf(page).getByRole("img", { name: /^The object, / });

const RECIPE = { angles: 12, cameras: 2, size: [640, 480], timeScale: 50, emptied: true } as const;

const ask = (rig: Rig, token: string, path: string, body: object) =>
  fetch(`${rig.address}/api/v1${path}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

/** Scans the empty rig, then the owl; its id. */
async function scanned(rig: Rig, token: string): Promise<string> {
  const scan = async (body: object) => {
    const begun = await ask(rig, token, "/scans", body);
    expect(begun.status).toBe(201);
    await until("the scan has ended", async () => {
      const { scanning } = (await rig.tell("status")) as { scanning: boolean };
      return !scanning;
    }, SELDOM);
  };
  await scan({ reference: true });
  await rig.end("SIGTERM");
  await rig.run();
  await scan({});
  const [owl] = (await rig.tell("dataset", "list")) as { id: string }[];
  return owl?.id ?? "no scan";
}

async function look(page: Page, scan: string): Promise<Locator> {
  // That of all images: it is made behind the scan.
  await open(page, "Scans");
  await page.getByRole("link", { name: new RegExp(scan) }).first().click();
  await page.getByRole("img", { name: /^Sharpness: / }).waitFor();
  const canvas = canvasOf(page);
  await canvas.waitFor();
  await until("all images are in it", async () => (await modelOf(page).getByText(/So far:|have no mask/).count()) === 0);
  await canvas.scrollIntoViewIfNeeded();
  await until("the model is there", async () => (await canvas.getAttribute("aria-busy")) === "false");
  return canvas;
}

/** How many of the pixels are clearly another colour. */
function differing(before: readonly number[], after: readonly number[]): number {
  let count = 0;
  for (let at = 0; at < before.length; at += 3) {
    const apart = [0, 1, 2].map((channel) => Math.abs((before[at + channel] ?? 0) - (after[at + channel] ?? 0)));
    if (Math.max(...apart) > 24) count += 1;
  }
  return count;
}

/** How many are not the colour of the corner. */
function drawn(picture: readonly number[]): number {
  const corner = Array.from({ length: picture.length }, (_, at) => picture[at % 3] ?? 0);
  return differing(corner, picture);
}

async function changes(page: Page, canvas: Locator, what: string, act: () => Promise<unknown>): Promise<void> {
  const before = await pixels(page, canvas);
  await act();
  await until(what, async () => differing(before, await pixels(page, canvas)) > 250, SELDOM);
}

describe("the model in the browser", () => {
  it("is there after the scan, and shows coverage, photographs and cameras from every side", async () => {
    await at(browser, RECIPE, async ({ page, rig, token }) => {
      const id = await scanned(rig, token);
      const canvas = await look(page, id);
      await modelOf(page).getByText(/of the surface is well covered: \d/).first().waitFor();
      // The object fills a good part of the picture.
      await until("something is drawn", async () => drawn(await pixels(page, canvas)) > 80, SELDOM);
      const press = (key: string) => async () => {
        await canvas.focus();
        await page.keyboard.press(key);
      };
      await changes(page, canvas, "it is turned by a key", press("ArrowRight"));
      await changes(page, canvas, "it comes nearer by a key", press("+"));
      await changes(page, canvas, "it is put back", press("0"));
      await changes(page, canvas, "it is turned by hand", async () => {
        const box = await canvas.boundingBox();
        if (!box) throw new Error("it is not shown");
        await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
        await page.mouse.down();
        await page.mouse.move(box.x + box.width / 2 + 120, box.y + box.height / 2 + 20, { steps: 5 });
        await page.mouse.up();
      });
      await changes(page, canvas, "it has the photographs' colours", async () => {
        await page.getByRole("radio", { name: "Coverage" }).focus();
        await page.keyboard.press("ArrowDown");
        expect(await page.getByRole("radio", { name: "Photographs" }).isChecked()).toBe(true);
      });
      const before = await pixels(page, canvas);
      await page.getByRole("checkbox", { name: "Cameras" }).uncheck();
      await until("the cameras are gone", async () => differing(before, await pixels(page, canvas)) > 8, SELDOM);
      await changes(page, canvas, "it is nearer", () => page.getByRole("button", { name: "Nearer" }).click());

      const download = page.waitForEvent("download");
      await modelOf(page).getByRole("link", { name: /^GLB/ }).click();
      expect((await download).suggestedFilename()).toBe(`${id}.glb`);

      // Twelve angles at one height leave something to be seen.
      await modelOf(page).getByRole("button", { name: "Look for points that show more" }).click();
      await modelOf(page).getByRole("button", { name: /^Take \d+ more points? now$/ }).click();
      await modelOf(page).getByText(/points? were added, and are being visited\./).waitFor();
      await until("the scan goes on with them, and is complete", async () => {
        const all = (await rig.tell("dataset", "list")) as { id: string; scan: { state: string; shots: { planned: number } } | null }[];
        const scan = all.find((one) => one.id === id)?.scan;
        return scan?.state === "complete" && scan.shots.planned > 24;
      }, SELDOM);
    });
  });

  it("is made when masks are, and is said to be missing before", async () => {
    await at(browser, { ...RECIPE, angles: 6, cameras: 1, size: [320, 240] }, async ({ page, rig, token }) => {
      await rig.reconfigure((config) => config.replace("hull = true", "hull = false"));
      await rig.end("SIGTERM");
      await rig.run({ SCANNER_SIM_EMPTY: "1" });
      const id = await scanned(rig, token);
      await open(page, "Scans");
      await page.getByRole("link", { name: new RegExp(id) }).first().click();
      await modelOf(page).getByText(/There is none\./).waitFor();
      await rig.reconfigure((config) => config.replace("hull = false", "hull = true"));
      await rig.end("SIGTERM");
      await rig.run();
      expect((await ask(rig, token, `/scans/${id}/masks`, {})).status).toBe(202);
      await canvasOf(page).waitFor();
    });
  });

  it("is shown in every look", async () => {
    await at(browser, RECIPE, async ({ page, rig, token }) => {
      // Not the live view, which would be drawn beside all of these.
      await open(page, "System");
      const id = await scanned(rig, token);
      for (const { name, ...as } of LOOKS) {
        const { page: inside, context, complaints } = await visit(browser, rig, token, as);
        const canvas = await look(inside, id);
        for (const colours of ["Photographs", "Coverage"]) {
          await inside.getByRole("radio", { name: colours }).check();
          await until("something is drawn", async () => drawn(await pixels(inside, canvas)) > 80, SELDOM);
          await inside.evaluate(() => scrollTo(0, 0));
          await shoot(inside, name, `model-${colours.toLowerCase()}`);
        }
        expect(complaints).toEqual([]);
        await context.close();
      }
    });
  });
});
