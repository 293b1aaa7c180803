/** A scan in the browser: started, watched, disturbed, paused, gone on with, finished. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { at, launch, open } from "./browser";
import { until } from "./rig";
import type { Rig } from "./rig";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** Of the newest scan, as the program says. */
async function newest(rig: Rig): Promise<{ id: string; state: string }> {
  const [last] = (await rig.tell("dataset", "list")) as { id: string; scan: { state: string } | null }[];
  return { id: last?.id ?? "", state: last?.scan?.state ?? "" };
}

const stored = async (page: Page) => Number(await page.getByRole("progressbar", { name: "Images stored" }).getAttribute("aria-valuenow"));
const begin = async (page: Page) => {
  await open(page, "Scan");
  await page.getByRole("button", { name: "Start the scan" }).click();
  await page.getByRole("region", { name: "Progress" }).waitFor();
};
const chip = (page: Page, text: string) => page.getByRole("region", { name: "Progress" }).getByText(text, { exact: true });

describe("a scan in the browser", () => {
  it("is started, watched through faults, paused, gone on with, and finished", async () => {
    const options = 'faults = [{ kind = "hang", shot = 6 }, { kind = "queue_buffer", shot = 14 }]';
    const recovery = 'capture_timeout = "2 s"\nrestart_timeout = "1 s"';
    await at(browser, { angles: 16, timeScale: 2, options, recovery }, async ({ page, rig }) => {
      await begin(page);

      const log = page.getByRole("log", { name: "What happened" });
      await log.getByText(/cam0\/.*, attempt 1: /).first().waitFor();
      await log.getByText(/cam0 is back: /).first().waitFor();

      await page.getByRole("button", { name: "Pause" }).click();
      await chip(page, "paused").waitFor();
      const held = await stored(page);
      expect(held).toBeGreaterThan(0);
      expect(held).toBeLessThan(32);
      expect((await newest(rig)).state).toBe("paused");

      await page.getByRole("button", { name: "Resume" }).click();
      await chip(page, "complete").waitFor();
      expect(await stored(page)).toBe(32);
      for (const point of [4, 8]) {
        await page.getByRole("gridcell", { name: new RegExp(`^cam0, point ${point},.*stored at a later attempt`) }).waitFor();
      }
      await log.getByText("complete: 32 of 32 stored").waitFor();
      expect((await newest(rig)).state).toBe("complete");
    });
  });

  it("shows each point's pictures and numbers", async () => {
    await at(browser, { angles: 6 }, async ({ page }) => {
      await begin(page);
      await chip(page, "complete").waitFor();
      await page.getByRole("gridcell", { name: /cam1, point 3,/ }).click();
      const point = page.getByRole("region", { name: "Point 3" });
      await point.getByText("Sharpness").first().waitFor();
      await point.getByText(/10\.0\s*ms, gain 1\.00/).first().waitFor();
      await until("both pictures are there", () =>
        point.locator("img").evaluateAll((images) => images.length === 2 && images.every((image) => (image as HTMLImageElement).naturalWidth > 0)),
      );
      await page.keyboard.press("Tab");
      await point.getByRole("button", { name: "Next point" }).click();
      await page.getByRole("region", { name: "Point 4" }).waitFor();
    });
  });

  it("takes a shot again when asked, while it is under way and after its end", async () => {
    await at(browser, { angles: 12, timeScale: 2 }, async ({ page, rig }) => {
      await begin(page);
      await page.getByRole("gridcell", { name: /^cam0, point 1,.*: stored$/ }).click();
      const point = page.getByRole("region", { name: "Point 1" });
      await point.getByRole("button", { name: "Take again: cam0" }).click();
      const log = page.getByRole("log", { name: "What happened" });
      await log.getByText(/cam0\/.* is to be taken again/).waitFor();
      await page.getByRole("gridcell", { name: /^cam0, point 1,.*stored at a later attempt/ }).waitFor();
      await chip(page, "complete").waitFor();

      await point.getByRole("button", { name: "Take again: cam1" }).click();
      await point.getByText("Not taken yet.").waitFor();
      await chip(page, "paused").waitFor();
      expect((await newest(rig)).state).toBe("paused");
      await page.getByRole("button", { name: "Resume" }).click();
      await chip(page, "complete").waitFor();
      await page.getByRole("gridcell", { name: /^cam1, point 1,.*stored at a later attempt/ }).waitFor();
      // The point that was chosen still is, although the scan was not shown while the cameras were opened.
      await until("the new picture is there", () =>
        point.locator("img").evaluateAll((images) => images.length === 2 && images.every((image) => (image as HTMLImageElement).naturalWidth > 0)),
      );
      expect((await newest(rig)).state).toBe("complete");
    });
  });

  it("goes on, and is shown, when the page is loaded again", async () => {
    await at(browser, { angles: 16, timeScale: 2 }, async ({ page }) => {
      await begin(page);
      await until("some images are stored", async () => (await stored(page)) >= 4);
      const before = await stored(page);
      await page.reload();
      await page.getByRole("region", { name: "Progress" }).waitFor();
      await until("it has gone on", async () => (await stored(page)) > before);
      // What was stored before the page was loaded is marked as such as well.
      await until("no more marks than images are missing", async () => {
        const marks = await page.getByRole("gridcell", { name: /: stored$/ }).count();
        return marks >= before;
      });
      await chip(page, "complete").waitFor();
      expect(await stored(page)).toBe(32);
    });
  });

  it("is taken up by a daemon that was killed, and the page finds its way back", async () => {
    await at(browser, { angles: 16, timeScale: 2 }, async ({ page, rig }) => {
      await begin(page);
      await until("some images are stored", async () => (await stored(page)) >= 4);
      await rig.end("SIGKILL");
      await page.getByText("The scanner cannot be reached").waitFor();
      await page.getByText("no connection", { exact: true }).waitFor();
      await rig.run();
      await page.getByText("The scanner cannot be reached").waitFor({ state: "hidden" });
      await chip(page, "complete").waitFor();
      expect(await stored(page)).toBe(32);
    });
  });

  it("is refused while another one is under way, and the reason is shown", async () => {
    await at(browser, { angles: 16, timeScale: 2 }, async ({ page, context, rig }) => {
      await open(page, "Scan");
      await page.getByRole("button", { name: "Start the scan" }).waitFor();
      const other = await context.newPage();
      await other.goto(`${rig.address}/scan`);
      await begin(page);
      // The other tab hears of it by itself, and offers no second start.
      await other.getByRole("button", { name: "Pause" }).waitFor();
      expect(await other.getByRole("button", { name: "Start the scan" }).count()).toBe(0);
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("button", { name: "End the scan" }).click();
      await chip(page, "cancelled").waitFor();
    });
  });

  it("of a plan of one's own has the points of that plan; what is wrong with it is said", async () => {
    await at(browser, {}, async ({ page }) => {
      await open(page, "Scan");
      const editor = page.getByRole("group", { name: "The plan's shape" });
      await editor.getByLabel("Angles").fill("5");
      await page.getByRole("definition").filter({ hasText: /^10$/ }).waitFor();
      await editor.getByLabel("Shape").selectOption("cylinder");
      await editor.getByLabel("Heights").fill("0, 900");
      await page.getByText(/lift/).first().waitFor();
      expect(await page.getByRole("button", { name: "Start the scan" }).isDisabled()).toBe(true);
      await editor.getByLabel("Heights").fill("0, 20");
      await page.getByRole("definition").filter({ hasText: /^20$/ }).waitFor();
      await page.getByRole("button", { name: "Start the scan" }).click();
      await chip(page, "complete").waitFor();
      expect(await stored(page)).toBe(20);
    });
  });

  it("has pictures that are asked for again when they fail to load, and says so when they do not come", async () => {
    await at(browser, { angles: 2, cameras: 1 }, async ({ page }) => {
      await begin(page);
      await chip(page, "complete").waitFor();
      const asked: number[] = [];
      let failing = 2;
      await page.route("**/shots/*/thumbnail", (route) => {
        asked.push(Date.now());
        return asked.length <= failing ? route.abort() : route.continue();
      });
      await page.getByRole("gridcell", { name: /point 1,/ }).click();
      const first = page.getByRole("region", { name: "Point 1" });
      await first.getByText("Not loaded; trying again").waitFor();
      await until("it is there", () => first.locator("img").evaluateAll(([image]) => ((image as HTMLImageElement | undefined)?.naturalWidth ?? 0) > 0));
      expect(asked.length).toBe(3);

      asked.length = 0;
      failing = 4;
      await page.getByRole("gridcell", { name: /point 2,/ }).click();
      const second = page.getByRole("region", { name: "Point 2" });
      await second.getByText(/This image could not be loaded/).waitFor();
      // Once, and again after 1, 2 and 4 s.
      expect(asked.length).toBe(4);
      const waits = asked.slice(1).map((at, index) => Math.floor((at - (asked[index] ?? 0)) / 1000));
      expect([waits[0], waits[1], waits[2]].every((wait, index) => (wait ?? 0) >= 2 ** index)).toBe(true);
      await second.getByRole("button", { name: "Try again" }).click();
      await until("it is there after all", () => second.locator("img").evaluateAll(([image]) => ((image as HTMLImageElement | undefined)?.naturalWidth ?? 0) > 0));
    });
  });

  it("is verified, downloaded and deleted among the scans", async () => {
    await at(browser, { angles: 6 }, async ({ page, rig }) => {
      await begin(page);
      await chip(page, "complete").waitFor();
      const { id } = await newest(rig);
      await open(page, "Scans");
      await page.getByRole("link", { name: new RegExp(id) }).click();
      await page.getByRole("heading", { level: 1, name: id }).waitFor();
      await page.getByRole("img", { name: /^Sharpness: / }).waitFor();
      await page.getByRole("button", { name: "Verify" }).click();
      await page.getByText("Sound: 12 of 12 images are there").waitFor();
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "ZIP" }).click()]);
      expect(download.suggestedFilename()).toBe(`${id}.zip`);
      expect(await download.failure()).toBeNull();
      await page.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("button", { name: "Delete for good" }).click();
      await page.getByText("There is none yet").waitFor();
    });
  });

  it("is given a name while it is under way, is found by it, and keeps it", async () => {
    await at(browser, { angles: 16, timeScale: 2 }, async ({ page, rig }) => {
      await begin(page);
      await page.getByRole("region", { name: "Progress" }).getByRole("link").click();
      const rename = async (button: string, name: string, note: string, tags: string) => {
        await page.getByRole("button", { name: button, exact: true }).click();
        const dialog = page.getByRole("dialog", { name: "What the scan is called" });
        await dialog.getByLabel("Name").fill(name);
        await dialog.getByLabel("Note").fill(note);
        await dialog.getByLabel("Tags").fill(tags);
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.waitFor({ state: "hidden" });
      };
      await rename("Name it", "Große Eule", "of wood\nand stone", "museum, loan");
      await page.getByRole("heading", { level: 1, name: "Große Eule" }).waitFor();
      await page.getByText("and stone").waitFor();
      await open(page, "Scan");
      await page.getByRole("region", { name: "Progress" }).getByText("Große Eule").waitFor();
      await chip(page, "complete").waitFor();
      await open(page, "Scans");
      await page.getByText("Große Eule").waitFor();
      const search = page.getByRole("searchbox", { name: "Search" });
      await search.fill("eule wasp-of-no-scan");
      await page.getByText("No scan has all of these words.").waitFor();
      await search.fill("MUSEUM eule");
      await page.getByText("1 scan found").waitFor();
      await page.getByRole("link", { name: /Große Eule/ }).click();
      await rename("Rename", "Eule", "", "loan");
      await page.getByRole("heading", { level: 1, name: "Eule", exact: true }).waitFor();
      const [last] = (await rig.tell("dataset", "list", "--search", "eule")) as { scan: { state: string; description: object } | null }[];
      expect(last?.scan).toMatchObject({ state: "complete", description: { name: "Eule", tags: ["loan"] } });
    });
  });

  it("is offered to programs that reconstruct, and shows where its images were taken from", async () => {
    await at(browser, { angles: 6 }, async ({ page, rig }) => {
      await begin(page);
      await chip(page, "complete").waitFor();
      const { id } = await newest(rig);
      await open(page, "Scans");
      await page.getByRole("link", { name: new RegExp(id) }).click();
      const card = page.getByRole("region", { name: "Reconstruction" });
      await card.getByRole("group", { name: /^12 images around the object: .*300.*mm from the axis/ }).waitFor();
      expect(await card.locator("svg circle").count()).toBe(24);
      for (const format of ["COLMAP", "nerfstudio", "RealityScan", "Metashape", "Meshroom"]) {
        await card.getByRole("link", { name: format }).waitFor();
      }
      const [download] = await Promise.all([page.waitForEvent("download"), card.getByRole("link", { name: "COLMAP" }).click()]);
      expect(download.suggestedFilename()).toBe(`${id}-colmap.zip`);
      // What is in it, as another program reads it.
      const script = `
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
folder = sys.argv[2] + "-colmap/"
lines = z.read(folder + "sparse/0/images.txt").decode().split("\\n")
print(sum(name.endswith(".jpg") for name in z.namelist()), sum(line.endswith(".jpg") for line in lines))`;
      const { stdout } = await promisify(execFile)("python3", ["-c", script, await download.path(), id]);
      expect(stdout.trim()).toBe("12 12");
    });
  });

  it("has a report, which its link opens beside the page", async () => {
    const options = 'faults = [{ kind = "blurred", shot = 6 }]';
    await at(browser, { angles: 12, cameras: 1, timeScale: 20, options }, async ({ page, rig }) => {
      await begin(page);
      await chip(page, "complete").waitFor();
      const { id } = await newest(rig);
      await open(page, "Scans");
      await page.getByRole("link", { name: new RegExp(id) }).click();
      const [report] = await Promise.all([page.waitForEvent("popup"), page.getByRole("link", { name: "Report" }).click()]);
      await report.getByRole("heading", { level: 1, name: id }).waitFor();
      expect(await report.title()).toBe(`Scan ${id}`);
      await report.getByText("complete", { exact: true }).waitFor();
      const flagged = report.locator("section", { has: report.getByRole("heading", { name: "Not like the others" }) });
      await flagged.getByRole("cell", { name: "cam0/r01_a007" }).waitFor();
      expect(await report.locator("img").evaluateAll((images) => images.every((image) => (image as HTMLImageElement).naturalWidth > 0))).toBe(true);
    });
  });

  it("is shown in a gallery page by page, each once", async () => {
    await at(browser, { angles: 1, cameras: 1, timeScale: 100, size: [64, 48] }, async ({ page, rig, token }) => {
      const ask = (path: string, init: RequestInit = {}) =>
        fetch(`${rig.address}/api/v1${path}`, { ...init, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" } });
      const ids = Array.from({ length: 27 }, (_, index) => `scan-${index}`);
      for (const id of ids) {
        expect((await ask("/scans", { method: "POST", body: JSON.stringify({ id }) })).status).toBe(201);
        await until("the scan is over", async () => !((await (await ask("/status")).json()) as { scanning: boolean }).scanning);
      }
      await open(page, "Scans");
      await page.getByText("27 scans").waitFor();
      const cards = page.locator(".scan-card .name");
      await until("the first page is there", async () => (await cards.count()) === 24);
      // The last one of the first page goes before the second one is asked for.
      expect((await ask("/scans/scan-3", { method: "DELETE" })).status).toBe(204);
      await page.getByRole("button", { name: "Show more" }).click();
      await until("the second page is there", async () => (await cards.count()) === 26);
      expect(await cards.allInnerTexts()).toEqual(ids.toReversed().filter((id) => id !== "scan-3"));
      // A scan that begins and ends has the list read anew: what was shown stays.
      expect((await ask("/scans", { method: "POST", body: JSON.stringify({ id: "scan-27" }) })).status).toBe(201);
      await until("the new one is there", async () => (await cards.first().innerText()) === "scan-27");
      await until("the new one is over", async () => (await page.locator(".scan-card").first().innerText()).includes("complete"));
      expect(await cards.count()).toBe(27);
      expect(await page.getByRole("button", { name: "Show more" }).count()).toBe(0);
    });
  });
});
