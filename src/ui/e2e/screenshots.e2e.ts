/** Every view, light, dark and on a phone; and that nothing of it is wider than the phone, or longer than what is there. */

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { LOOKS, launch, open, shoot, visit } from "./browser";
import { Rig, until } from "./rig";

let browser: Browser;
let rig: Rig;
let token: string;
beforeAll(async () => {
  browser = await launch();
  const options = 'faults = [{ kind = "cancelled", shot = 20 }, { kind = "hang", shot = 60 }]';
  const recovery = 'capture_timeout = "2 s"\nrestart_timeout = "1 s"';
  rig = await Rig.start({ angles: 18, heights: '["0 mm", "20 mm", "40 mm", "60 mm"]', timeScale: 20, size: [320, 180], options, recovery });
  token = await rig.token();
});
afterAll(async () => {
  await browser.close();
  await rig.drop();
});

async function drawRegion(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Draw" }).click();
  const box = await page.locator(".moved").boundingBox();
  if (!box) throw new Error("no picture");
  await page.mouse.move(box.x + box.width * 0.4, box.y + box.height * 0.12);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.4, { steps: 4 });
  await page.mouse.up();
}

const pictures = (page: Page) =>
  until("pictures are there", () =>
    page.locator("main img").evaluateAll((images) =>
      // Those farther down are loaded when they are needed.
      images.every((image) => image.getBoundingClientRect().top > innerHeight || (image as HTMLImageElement).complete),
    ),
  );

// Before the others, whose scans keep the buttons to themselves for a while.
it.each(LOOKS)("who is not let in yet, $name", async ({ name, ...look }) => {
  const context = await browser.newContext({ baseURL: rig.address, ...look });
  const page = await context.newPage();
  await page.goto("/");
  await page.getByLabel("Token").waitFor();
  await shoot(page, name, "login");
  await page.getByRole("button", { name: "Pair with the rig" }).click();
  await page.getByText(/It waits for \d+ s/).waitFor();
  await shoot(page, name, "pairing");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Pair with the rig" }).waitFor();
  await context.close();
});

it.each(LOOKS)("every view, $name", async ({ name, ...look }) => {
  const visited = await visit(browser, rig, token, look);
  const { page: inside } = visited;
  await until("there is a picture", async () => (await inside.locator(".screen-notice").count()) === 0);
  const lights = inside.getByRole("region", { name: "Lights" });
  await lights.getByRole("button", { name: "On" }).click();
  await inside.getByRole("region", { name: "Focus" }).getByLabel("peaking").check();
  if (!name.startsWith("phone")) await drawRegion(inside);
  await inside.getByRole("button", { name: "Capture", exact: true }).click();
  await inside.getByText(/^Kept: /).waitFor();
  await inside.getByRole("link", { name: /^Photograph \d/ }).first().waitFor();
  await inside.waitForTimeout(1000);
  await shoot(inside, name, "live");

  await open(inside, "Scan");
  const newScan = inside.getByRole("button", { name: "New scan" });
  if (await newScan.count()) await newScan.click();
  await inside.getByRole("button", { name: "Start the scan" }).waitFor();
  await until("the plan is made out", () => inside.getByRole("button", { name: "Start the scan" }).isEnabled());
  await shoot(inside, name, "plan");
  await inside.getByRole("button", { name: "Start the scan" }).click();
  await until("it is on its way", async () => Number(await inside.getByRole("progressbar", { name: "Images stored" }).getAttribute("aria-valuenow")) > 60);
  await inside.getByRole("gridcell", { name: /cam1, point 9,/ }).click();
  await inside.getByRole("region", { name: "Point 9" }).locator("img").first().waitFor();
  await pictures(inside);
  await shoot(inside, name, "scan");
  await inside.getByRole("region", { name: "Progress" }).getByText("complete", { exact: true }).waitFor();

  await open(inside, "Scans");
  await inside.locator(".scan-card").first().waitFor();
  await pictures(inside);
  await shoot(inside, name, "scans");
  await inside.locator(".scan-card").first().click();
  await inside.getByRole("img", { name: /^Sharpness: / }).waitFor();
  await pictures(inside);
  await shoot(inside, name, "one");

  await open(inside, "System");
  await inside.getByText(/^(Go|No go)$/).waitFor();
  await shoot(inside, name, "system");
  expect(visited.complaints).toEqual([]);
  await visited.context.close();
});
