/** The empty rig is scanned from the page, then an owl; masks are made of it and laid over its images. */

import { statSync } from "node:fs";
import { join } from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LOOKS, at, launch, open, shoot, visit } from "./browser";
import { SELDOM, until } from "./rig";
import type { Rig } from "./rig";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const masksOf = (page: Page) => page.getByRole("region", { name: "Masks", exact: true });

async function choosePlan(page: Page): Promise<void> {
  await open(page, "Scan");
  const newScan = page.getByRole("button", { name: "New scan" });
  await page.getByRole("button", { name: /^(New scan|Start the scan)$/ }).first().waitFor();
  if (await newScan.count()) await newScan.click();
  await until("the plan is made out", () => page.getByRole("button", { name: "Start the scan" }).isEnabled());
}

const complete = (page: Page) => page.getByRole("region", { name: "Progress" }).getByText("complete", { exact: true }).waitFor();

async function putOwl(rig: Rig): Promise<void> {
  await rig.end("SIGTERM");
  await rig.run();
}

async function look(page: Page, scan: RegExp): Promise<void> {
  await open(page, "Scans");
  await page.getByRole("link", { name: scan }).first().click();
  await page.getByRole("img", { name: /^Sharpness: / }).waitFor();
}

/** How bright the middle and a corner of a picture are shown, from 0 to 255. */
async function brightness(page: Page, picture: string): Promise<{ middle: number; corner: number }> {
  const box = page.locator(".picture-box", { has: page.getByRole("img", { name: picture, exact: true }) }).first();
  const shot = await box.screenshot();
  return page.evaluate(async (png) => {
    const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no canvas");
    context.drawImage(bitmap, 0, 0);
    const mean = (x: number, y: number) => {
      const { data } = context.getImageData(x * bitmap.width - 3, y * bitmap.height - 3, 6, 6);
      return data.filter((_, at) => at % 4 !== 3).reduce((sum, value) => sum + value, 0) / ((data.length / 4) * 3);
    };
    // The picture is narrower than its box.
    return { middle: mean(0.5, 0.5), corner: mean(0.2, 0.1) };
  }, shot.toString("base64"));
}

describe("masks in the browser", () => {
  it("are made by a scan of the empty rig, and laid over the images", async () => {
    await at(browser, { angles: 4, size: [320, 240], timeScale: 50, emptied: true, hull: false }, async ({ page, rig }) => {
      await choosePlan(page);
      const empty = page.getByRole("region", { name: "The empty rig" });
      await empty.getByText("It was not scanned with this plan yet.").waitFor();
      await empty.getByRole("button", { name: "Scan the empty rig" }).click();
      const asked = page.getByRole("dialog", { name: "The table is empty: scan it" });
      await asked.getByText(/Take everything off the table/).waitFor();
      await page.keyboard.press("Tab");
      await asked.getByRole("button", { name: "The table is empty: scan it" }).press("Enter");
      await complete(page);
      const [reference] = (await rig.tell("dataset", "list")) as { id: string; scan: { reference?: boolean } | null }[];
      expect(reference?.scan?.reference).toBe(true);
      await look(page, new RegExp(`${reference?.id}.*empty rig`));
      await page.getByText(/This is a scan of the empty rig/).waitFor();
      expect(await masksOf(page).count()).toBe(0);

      await putOwl(rig);
      await choosePlan(page);
      await empty.getByText(/It was scanned on .*, and fits this plan\./).waitFor();
      await page.getByRole("button", { name: "Start the scan" }).click();
      await complete(page);
      const [owl] = (await rig.tell("dataset", "list")) as { id: string }[];
      await look(page, new RegExp(owl?.id ?? "no scan"));
      await masksOf(page).getByText("No image has one yet.").waitFor();
      await masksOf(page).getByRole("button", { name: "Make masks" }).click();
      await masksOf(page).getByText(/^8 of 8 images have one: the object covers .* of them\.$/).waitFor();
      const report = (await rig.tell("dataset", "masks", owl?.id ?? "")) as { masks: { kept: boolean }[] };
      expect(report.masks.map(({ kept }) => kept)).toEqual(Array(8).fill(true));

      const [plain, masked] = ["cam0, r01_a001, stored", "cam0, r01_a001, stored, with its mask"] as const;
      await page.getByRole("img", { name: plain, exact: true }).scrollIntoViewIfNeeded();
      const before = await brightness(page, plain);
      const laid = masksOf(page).getByRole("checkbox", { name: "Lay them over the images" });
      await laid.focus();
      await page.keyboard.press("Space");
      await page.getByRole("img", { name: masked, exact: true }).scrollIntoViewIfNeeded();
      await until("the masks are there", () =>
        page.locator("img.mask").evaluateAll((images) => {
          const seen = images.filter((image) => image.getBoundingClientRect().top < innerHeight);
          return seen.length > 0 && seen.every((image) => (image as HTMLImageElement).naturalWidth > 0);
        }),
      );
      // A picture that is higher than its box would be cropped, and its mask beside it.
      const boxes = await page.locator(".picture-box").evaluateAll((boxes) =>
        boxes.map((box) => [box, ...box.querySelectorAll("img")].map((part) => part.getBoundingClientRect()).map(({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" "))),
      );
      for (const [box, picture, mask] of boxes) expect([picture, mask]).toEqual([box, box]);
      await until("what is not the object is dimmed, and the object is not", async () => {
        const { middle, corner } = await brightness(page, masked);
        return Math.abs(middle - before.middle) < 8 && corner < before.corner * 0.5 + 8;
      }, SELDOM);
      await page.getByRole("button", { name: /cam0, r01_a001/ }).click();
      await page.getByRole("region", { name: "Point 1" }).getByRole("img", { name: "cam0, r01_a001, with its mask" }).waitFor();
      await laid.uncheck();
      await page.getByRole("region", { name: "Point 1" }).getByRole("img", { name: "cam0, r01_a001", exact: true }).waitFor();
      expect(await page.locator("img.mask").count()).toBe(0);

      const file = join(rig.folder, "scans", owl?.id ?? "", "masks/cam0/r01_a001.png");
      const made = statSync(file).mtimeMs;
      await masksOf(page).getByRole("button", { name: "Make them again" }).click();
      await until("it is made again", async () => statSync(file).mtimeMs > made);
      await masksOf(page).getByText(/^8 of 8 images have one/).waitFor();
    });
  });

  it("wait while a scan is under way, say so, and can be stopped; a scan from before its reference takes a later one", async () => {
    await at(browser, { angles: 6, cameras: 1, size: [320, 240], timeScale: 50, hull: false }, async ({ page, rig, token }) => {
      await choosePlan(page);
      await page.getByRole("button", { name: "Start the scan" }).click();
      await complete(page);
      const [owl] = (await rig.tell("dataset", "list")) as { id: string }[];
      await look(page, new RegExp(owl?.id ?? "no scan"));
      await masksOf(page).getByRole("button", { name: "Make masks" }).click();
      await masksOf(page).getByText(/The empty rig was not scanned before this scan was made/).waitFor();

      await rig.end("SIGTERM");
      await rig.reconfigure((config) => config.replace("time_scale = 50.0", "time_scale = 1.0"));
      await rig.run({ SCANNER_SIM_EMPTY: "1" });
      const ask = (path: string, body: object) =>
        fetch(`${rig.address}/api/v1${path}`, {
          method: "POST",
          headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
          body: JSON.stringify(body),
        });
      expect((await ask("/scans", { reference: true, id: "empty" })).status).toBe(201);
      expect((await ask(`/scans/${owl?.id}/masks`, { reference: "empty" })).status).toBe(202);
      const bar = masksOf(page).getByRole("progressbar", { name: "Masks made" });
      await bar.waitFor();
      await masksOf(page).getByText("it goes on when the rig is free").waitFor();
      await masksOf(page).getByRole("button", { name: "Stop making masks" }).click();
      await masksOf(page).getByText(/The making was stopped/).waitFor();
      await until("the empty rig is scanned", async () => {
        const answer = await fetch(`${rig.address}/api/v1/status`, { headers: { Authorization: `Bearer ${token}` } });
        return !((await answer.json()) as { scanning: boolean }).scanning;
      });
      await masksOf(page).getByRole("button", { name: "Make masks" }).click();
      await masksOf(page).getByRole("button", { name: /^Use the empty rig of / }).click();
      await masksOf(page).getByText(/^6 of 6 images have one/).waitFor();
    });
  });

  it("are shown in every look", async () => {
    await at(browser, { angles: 6, timeScale: 50, emptied: true, hull: false }, async ({ page, rig, token }) => {
      await choosePlan(page);
      await page.getByRole("button", { name: "Scan the empty rig" }).click();
      await page.getByRole("button", { name: "The table is empty: scan it" }).click();
      await complete(page);
      await putOwl(rig);
      await choosePlan(page);
      await page.getByRole("button", { name: "Start the scan" }).click();
      await complete(page);
      const [owl] = (await rig.tell("dataset", "list")) as { id: string }[];
      await rig.tell("dataset", "masks", owl?.id ?? "");
      for (const { name, ...as } of LOOKS) {
        const { page: inside, context, complaints } = await visit(browser, rig, token, as);
        await choosePlan(inside);
        await inside.getByText(/and fits this plan/).waitFor();
        await shoot(inside, name, "empty-rig");
        await inside.getByRole("button", { name: "Scan the empty rig" }).click();
        await shoot(inside, name, "empty-rig-asked");
        await inside.getByRole("button", { name: "Leave it" }).click();
        await look(inside, new RegExp(owl?.id ?? "no scan"));
        await masksOf(inside).getByRole("checkbox").check();
        await inside.getByRole("button", { name: /cam0, r01_a001/ }).click();
        await inside.getByRole("region", { name: "Point 1" }).waitFor();
        const pictures = inside.locator("main img");
        for (const picture of await pictures.all()) await picture.scrollIntoViewIfNeeded();
        await until("pictures are there", () =>
          pictures.evaluateAll((images) => images.every((image) => (image as HTMLImageElement).naturalWidth > 0)),
        );
        await inside.evaluate(() => scrollTo(0, 0));
        await shoot(inside, name, "masks");
        expect(complaints).toEqual([]);
        await context.close();
      }
    });
  });
});
