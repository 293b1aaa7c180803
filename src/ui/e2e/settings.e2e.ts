/** The configuration in the browser: looked for, changed, refused, taken back; and what axe finds in the view. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LOOKS, at, launch, open, shoot, visit } from "./browser";
import { Rig, until } from "./rig";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const look = async (page: Page, words: string) => {
  await page.getByLabel("Look for a setting").fill(words);
};
const field = (page: Page, key: string) => page.locator(`[id="setting-${key}"]`);
const saved = (page: Page) => page.getByRole("region", { name: "Changes" }).waitFor({ state: "detached" });
const drop_in = (rig: Rig) => readFileSync(join(rig.folder, "scanner.toml.d/60-page.toml"), "utf8");
/** What is in force, as the daemon says. */
const inForce = (page: Page) =>
  until("it is in force", () => page.evaluate(async () => ((await (await fetch("/api/v1/configuration")).json()) as { in_force: boolean }).in_force));

describe("settings", () => {
  it("are looked for, checked as they are typed, saved, put in force and taken back", async () => {
    await at(browser, {}, async ({ page, rig }) => {
      await open(page, "Settings");
      await look(page, "images may wait");
      await field(page, "scan.queue_depth").fill("100");
      const wrong = page.getByText("`scan.queue_depth` cannot be 100: write a value from 1 to 64");
      await wrong.waitFor();
      expect(await field(page, "scan.queue_depth").getAttribute("aria-invalid")).toBe("true");
      expect(await page.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
      await field(page, "scan.queue_depth").fill("8");
      await page.getByText("1 change, all in order").waitFor();
      // What is put in force ends the API for a moment, into which any of the page's questions may fall.
      let lost = 0;
      await page.route("**/api/v1/configuration/versions", (route) => (lost++ === 0 ? route.abort("connectionrefused") : route.continue()));
      await page.getByRole("button", { name: "Save" }).click();
      await saved(page);
      expect(drop_in(rig)).toContain("[scan]\nqueue_depth = 8\n");
      await inForce(page);
      await page.getByText("Set in the page. Write a whole number", { exact: false }).waitFor();

      await page.getByRole("button", { name: "Take back version 1" }).click();
      await page.getByRole("button", { name: "Take it back" }).click();
      await until("it is as before", async () => (await field(page, "scan.queue_depth").inputValue()) === "");
      await inForce(page);
    });
  });

  it("that name programs are shown, and not changed", async () => {
    await at(browser, {}, async ({ page }) => {
      await open(page, "Settings");
      await look(page, "camera.cam0.driver");
      expect(await field(page, "camera.cam0.driver").isDisabled()).toBe(true);
      await page.getByText("Not changed over the network: it names a program").waitFor();
    });
  });

  it("are changed as text, with the messages of check-config", async () => {
    await at(browser, {}, async ({ page, rig }) => {
      await open(page, "Settings");
      await page.getByRole("button", { name: "Text", exact: true }).click();
      const text = page.getByRole("region", { name: "As text" }).getByRole("textbox");
      await text.fill("[motion]\nsetle = \"250 ms\"\n");
      await page.getByText("line 2: there is no key `setle` in `motion`: did you mean `settle`?").waitFor();
      await text.fill("# mine\n[motion]\nsettle = \"250 ms\"\n");
      await until("it is in order", () => page.getByRole("button", { name: "Save" }).isEnabled());
      await page.getByRole("button", { name: "Save" }).click();
      await until("it is written", async () => drop_in(rig).startsWith("# mine"));
      await inForce(page);
    });
  });

  it("come back from a backup", async () => {
    await at(browser, {}, async ({ page, rig }) => {
      await open(page, "Settings");
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
      const file = join(rig.folder, "backup.toml");
      await download.saveAs(file);
      expect(readFileSync(file, "utf8")).toContain("[[camera]]");
      writeFileSync(file, readFileSync(file, "utf8").replace("angles = 12", "angles = 24"));
      await page.getByLabel("Restore from a backup").setInputFiles(file);
      await until("it is written", async () => drop_in(rig).includes("angles = 24"));
      await inForce(page);
      const checked = (await rig.tell("check-config")) as { plans: { shots: number }[] };
      expect(checked.plans[0]?.shots).toBe(48);
    });
  });

  it("found in the live view are kept with one press", async () => {
    await at(browser, {}, async ({ page, rig }) => {
      await page.getByRole("region", { name: "Exposure" }).getByLabel("Gain").fill("400");
      await page.getByRole("button", { name: "Keep these settings" }).click();
      await until("it is written", async () => /\[camera\.cam0\.controls\]\ngain = /.test(drop_in(rig)));
      await inForce(page);
      await page.getByRole("button", { name: "Keep these settings" }).waitFor({ state: "detached" });
    });
  });

  it.each(LOOKS)("are in order for axe, and no wider than the screen: $name", async ({ name, ...how }) => {
    const rig = await Rig.start({});
    try {
      const visited = await visit(browser, rig, await rig.token(), how);
      const { page } = visited;
      await open(page, "Settings");
      await page.getByText("storage", { exact: true }).waitFor();
      await shoot(page, name, "settings");
      await page.getByText("camera.cam0.controls", { exact: true }).click();
      await page.getByText("Analogue gain, 1 and above.").first().waitFor();
      await shoot(page, name, "settings-open");
      await look(page, "free space");
      await field(page, "storage.keep_free").fill("5 apples");
      await page.getByText(/needs a unit|is wrong/).first().waitFor();
      await shoot(page, name, "settings-wrong");
      await page.getByRole("button", { name: "Text", exact: true }).click();
      await page.getByRole("region", { name: "As text" }).waitFor();
      await shoot(page, name, "settings-text");
      expect(visited.complaints).toEqual([]);
      await visited.context.close();
    } finally {
      await rig.drop();
    }
  });
});
