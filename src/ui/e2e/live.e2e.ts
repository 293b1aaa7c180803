/** The live view in the browser: through photographs, slow ones, refusals and a daemon that goes away. */

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { at, launch } from "./browser";
import { Rig, until } from "./rig";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** A number that changes with each picture that is drawn. */
async function fingerprint(page: Page): Promise<number> {
  return page.locator("canvas.frame").evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) sum = (sum * 31 + (data[at] ?? 0)) >>> 0;
    return sum;
  });
}

const size = (page: Page) => page.locator("canvas.frame").evaluate((canvas) => (canvas as HTMLCanvasElement).width);

/** Means of the picture's colours, 0 to 255, and how far its green is from that, on average. */
function looks(page: Page): Promise<{ red: number; green: number; contrast: number }> {
  return page.locator("canvas.frame").evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    const mean = (value: (at: number) => number) => {
      let sum = 0;
      for (let at = 0; at < data.length; at += 4) sum += value(at);
      return sum / (data.length / 4);
    };
    const green = mean((at) => data[at + 1] ?? 0);
    return { red: mean((at) => data[at] ?? 0), green, contrast: mean((at) => Math.abs((data[at + 1] ?? 0) - green)) };
  });
}

/** Draws a region between two places, in parts of the picture. */
async function draw(page: Page, from: [number, number], to: [number, number]): Promise<void> {
  await page.getByRole("button", { name: "Draw" }).click();
  const box = await page.locator(".moved").boundingBox();
  if (!box) throw new Error("no picture");
  await page.mouse.move(box.x + box.width * from[0], box.y + box.height * from[1]);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to[0], box.y + box.height * to[1], { steps: 4 });
  await page.mouse.up();
}

/** Hears all that a part of the page says from now on: what is said for a second is not missed. */
async function saying(part: Locator): Promise<() => Promise<string[]>> {
  const heard = await part.evaluateHandle((element) => {
    const texts: string[] = [];
    const look = () => texts.push(element.textContent ?? "");
    new MutationObserver(look).observe(element, { subtree: true, childList: true, characterData: true });
    return texts;
  });
  return () => heard.jsonValue();
}

/** Waits until pictures come, and come again. */
async function alive(page: Page): Promise<void> {
  await until("there is a picture", async () => (await size(page)) > 16 && (await page.locator(".screen-notice").count()) === 0);
  const frames = page.getByText(/^\d+ frames$/);
  const before = await count(frames.first().textContent());
  await until("pictures come", async () => {
    const now = await count(frames.first().textContent());
    // The count starts afresh after a pause.
    return now !== before && now > 0;
  });
}

async function count(text: Promise<string | null>): Promise<number> {
  return Number.parseInt((await text) ?? "0", 10);
}

const photographs = (page: Page) => page.getByRole("region", { name: "Photographs" });

describe("the live view", () => {
  it("goes on through three photographs in quick succession, each of which is kept once", async () => {
    await at(browser, {}, async ({ page }) => {
      await alive(page);
      for (let number = 1; number <= 3; number += 1) {
        const button = photographs(page).getByRole("button", { name: "Capture", exact: true });
        await button.click();
        await page.getByText(`${number} so far.`).waitFor();
      }
      await alive(page);
      await until("three pictures are in the history", async () => (await page.getByRole("link", { name: /Photograph \d of cam0/ }).count()) === 3);
    });
  });

  it("comes back by itself after a slow photograph, and the button cannot be pressed twice meanwhile", async () => {
    // A camera that cannot stream beside stills is shown by stills: each of them is slow, the photograph as well.
    const options = 'live_beside_stills = false\nfaults = [{ kind = "slow", times = 40 }]';
    await at(browser, { cameras: 1, options }, async ({ page }) => {
      await alive(page);
      const region = photographs(page);
      const button = region.getByRole("button", { name: "Capture", exact: true });
      await button.dblclick();
      const busy = region.getByRole("button", { name: "Capturing…" });
      await busy.waitFor();
      expect(await busy.isDisabled()).toBe(true);
      expect(await region.getByRole("button", { name: "Preview" }).isDisabled()).toBe(true);
      await page.getByText(/Paused for a photograph/).waitFor();
      await page.getByText("1 so far.").waitFor();
      await alive(page);
      await until("one picture is in the history", async () => (await page.getByRole("link", { name: /Photograph \d of cam0/ }).count()) === 1);
    });
  });

  it("a second tab that photographs meanwhile is told, waits, and tries once more", async () => {
    // A slow photograph takes 3 s, in slow motion 15 s. Known to have fallen silent, the camera would be restarted at once.
    const recovery = 'stalled_after_frames = 0\ncapture_timeout = "120 s"';
    const options = 'faults = [{ kind = "slow" }]';
    await at(browser, { cameras: 1, timeScale: 0.2, options, recovery }, async ({ page, context, rig }) => {
      await alive(page);
      const other = await context.newPage();
      await other.goto(rig.address);
      await alive(other);
      const told = await saying(photographs(other));
      await photographs(page).getByRole("button", { name: "Capture", exact: true }).click();
      await photographs(page).getByRole("button", { name: "Capturing…" }).waitFor();
      await photographs(other).getByRole("button", { name: "Test capture" }).click();
      await until("the other tab is told", async () => (await told()).some((text) => /The camera is taken; trying again in/.test(text)));
      await page.getByText("1 so far.").waitFor();
      await until("the button can be pressed again", () => photographs(other).getByRole("button", { name: "Test capture" }).isEnabled());
      // Once more, and no further: it came through, or the camera was still taken and that is said.
      const said = await photographs(other).locator(".note").textContent();
      expect(said).toMatch(/Nothing was kept\.$|in use|at work|taken/);
      expect(said).not.toMatch(/trying again/);
    });
  });

  it("finds its way back when the daemon was away", async () => {
    await at(browser, { cameras: 1 }, async ({ page, rig }) => {
      await alive(page);
      await rig.end("SIGKILL");
      await page.getByText(/No connection; attempt 1 of 5/).waitFor();
      await rig.run();
      await alive(page);
    });
  });

  it("shows what is set: a lens position, peaking, a region that is measured", async () => {
    await at(browser, { cameras: 1 }, async ({ page }) => {
      await alive(page);
      const focus = page.getByRole("region", { name: "Focus" });
      await focus.getByRole("slider", { name: /Lens position/ }).fill("400");
      await focus.getByText(/6\.00\s*dpt/).waitFor();
      // What is set away from the object is blurred in the simulated camera as well: back to what is sharp.
      await focus.getByRole("button", { name: "back to automatic" }).click();
      await page.getByRole("region", { name: "Lights" }).getByRole("button", { name: "On" }).click();
      await focus.getByLabel("peaking").check();
      await until("edges are marked", () =>
        page.locator("canvas.overlay").evaluate((element) => {
          const canvas = element as HTMLCanvasElement;
          const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
          return data.some((value, at) => at % 4 === 3 && value > 0);
        }),
      );
      await draw(page, [0.3, 0.3], [0.6, 0.7]);
      const region = page.getByRole("button", { name: /^Region 1: arrow keys/ });
      await region.waitFor();
      await focus.getByText("Sharpness, Region 1").waitFor();
      const before = await region.boundingBox();
      await region.focus();
      await page.keyboard.press("ArrowRight");
      await until("it has moved", async () => ((await region.boundingBox())?.x ?? 0) > (before?.x ?? 0) + 1);
      await page.getByRole("textbox", { name: "Name" }).fill("Rim");
      await page.getByRole("button", { name: /^Rim: arrow keys/ }).waitFor();
      await page.reload();
      await page.getByRole("button", { name: /^Rim: arrow keys/ }).waitFor();
    });
  });

  it("white balance, what autofocus looks at and a crop are set from the page, and the picture shows it", async () => {
    await at(browser, { cameras: 1 }, async ({ page, rig }) => {
      await alive(page);
      const white = page.getByRole("region", { name: "White balance" });
      const neutral = await looks(page);
      await white.getByRole("slider", { name: /Red/ }).fill("700");
      await until("it is red", async () => (await looks(page)).red > neutral.red + 25);
      expect((await looks(page)).green).toBeLessThan(neutral.green + 10);
      await white.getByRole("button", { name: "back to automatic" }).click();
      await until("it is as before", async () => Math.abs((await looks(page)).red - neutral.red) < 5);

      const focus = page.getByRole("region", { name: "Focus" });
      await focus.getByText(/3\.3\d\s*dpt/).first().waitFor();
      await draw(page, [0.03, 0.04], [0.18, 0.24]);
      const regions = page.getByRole("region", { name: "Regions" });
      const corner = page.getByRole("button", { name: /^Region 1: arrow keys/ });
      await regions.getByRole("button", { name: "Autofocus", exact: true }).click();
      // The wall behind is 1.3 m away, and the owl is blurred then.
      await focus.getByText(/0\.7\d\s*dpt/).first().waitFor();
      await regions.getByRole("button", { name: "Autofocus in the middle" }).click();
      await focus.getByText(/3\.3\d\s*dpt/).first().waitFor();

      await regions.getByRole("button", { name: "Crop", exact: true }).click();
      await until("there is but wall", async () => (await looks(page)).contrast < neutral.contrast / 2);
      const picture = await page.locator(".moved").boundingBox();
      // The region follows once the page has heard of the crop.
      await until("the region is the whole picture", async () => ((await corner.boundingBox())?.width ?? 0) > (picture?.width ?? 0) * 0.98);
      // A photograph is cropped as well, and cropping has taken nothing away.
      await photographs(page).getByRole("button", { name: "Test capture" }).click();
      await page.getByText(/Nothing was kept/).waitFor();
      // As the page says, a scan is taken with it once it is in the configuration.
      const settings = (await page.locator(".to-copy").textContent()) ?? "";
      expect(settings).toContain("crop = { x = 0.03, y = 0.04");
      await rig.reconfigure((config) => config.replace(/\[camera\.controls\][^[]*/, `${settings}\n\n`));
      await regions.getByRole("button", { name: "Show the whole picture" }).click();
      await until("the owl is back", async () => (await looks(page)).contrast > neutral.contrast * 0.9);
      const small = await corner.boundingBox();
      expect((small?.width ?? 0) / (picture?.width ?? 1)).toBeCloseTo(0.15, 1);
    });
  });

  it("axes move by hand, and the picture with them", async () => {
    await at(browser, { cameras: 1 }, async ({ page }) => {
      await alive(page);
      const axes = page.getByRole("region", { name: "Axes" });
      const before = await fingerprint(page);
      await axes.getByRole("button", { name: "turntable by 90 deg" }).click();
      await axes.getByText(/90\.0\s*deg/).waitFor();
      await until("the picture has changed", async () => (await fingerprint(page)) !== before);
      expect(await axes.getByRole("button", { name: "lift by -20 mm" }).isDisabled()).toBe(true);
    });
  });
});

describe("who may look", () => {
  it("needs a token; a wrong one is refused in words; logging out ends it", async () => {
    const rig = await Rig.start({ cameras: 1 });
    const context = await browser.newContext({ baseURL: rig.address });
    try {
      const page = await context.newPage();
      await page.goto("/scans");
      await page.getByLabel("Token").fill("not-a-token");
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByText(/this token is not valid/).waitFor();
      await page.getByLabel("Token").fill(await rig.token());
      await page.keyboard.press("Enter");
      // Where one wanted to go.
      await page.getByRole("heading", { level: 1, name: "Scans" }).waitFor();
      // With the keyboard alone, past everything that is on each view.
      await page.reload();
      await page.getByRole("heading", { level: 1, name: "Scans" }).waitFor();
      await page.keyboard.press("Tab");
      expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("Skip to the content");
      await page.keyboard.press("Enter");
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
      await page.getByRole("button", { name: "Log out" }).click();
      await page.getByLabel("Token").waitFor();
    } finally {
      await context.close();
      await rig.drop();
    }
  });
});
