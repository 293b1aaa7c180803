/** The rig set up on a phone beside it: from nothing to a finished scan; and its parts tried, with somebody who presses. */

import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { check } from "./axe";
import { LOOKS, PHONE, launch, shoot, visit } from "./browser";
import { Rig, until } from "./rig";

let browser: Browser;
beforeAll(async () => (browser = await launch()));
afterAll(() => browser.close());

const PHONES = LOOKS.filter(({ name }) => name.startsWith("phone"));

/** The page of this step, with nothing wrong with it, kept as a picture. */
async function see(page: Page, look: string, step: string): Promise<void> {
  await until("pictures are there", async () => (await page.locator('main [aria-busy="true"]').count()) === 0);
  await shoot(page, look, `setup-${step}`);
}

const asked = (page: Page, title: string) => page.getByRole("heading", { level: 2, name: title }).waitFor();
const next = (page: Page) => page.getByRole("button", { name: "Next", exact: true }).click();

const pick = (page: Page, answer: string) => page.locator(`input[type="radio"][value="${answer}"]`).check();

/** Answers in the text of a question. */
async function say(page: Page, title: string, text: string): Promise<void> {
  await asked(page, title);
  await page.locator("form").getByRole("textbox").first().fill(text);
  await next(page);
}

it.each(PHONES)("from nothing to a finished scan, $name", async ({ name, ...look }) => {
  const rig = await Rig.start({ bare: true });
  try {
    const { page, complaints, context } = await visit(browser, rig, await rig.token(), look);
    // Who opens the page of a machine without a rig is where one is described.
    await page.getByRole("heading", { level: 1, name: /^Setup/ }).waitFor();
    await see(page, name, "machine");
    await page.getByRole("button", { name: "Begin" }).click();
    await asked(page, "Which cameras?");
    await page.getByLabel("How many").fill("2");
    await page.getByRole("img", { name: "What the first simulated camera sees" }).waitFor();
    await see(page, name, "cameras");
    await next(page);
    await asked(page, "Names of the cameras, with commas");
    await page.getByRole("textbox").fill("one");
    await next(page);
    await page.getByRole("alert").getByText("That does not do: 2 names were expected").waitFor();
    await see(page, name, "wrong");
    await say(page, "Names of the cameras, with commas", "low, high");
    await asked(page, "Which rig is it?");
    // Left, and come back to.
    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "System" }).click();
    await page.getByRole("link", { name: "Set up", exact: true }).click();
    await page.getByRole("button", { name: "Go on where it was left" }).click();
    await asked(page, "Which rig is it?");
    await page.getByRole("button", { name: "Back" }).click();
    await asked(page, "Names of the cameras, with commas");
    await expect.poll(() => page.getByRole("textbox").inputValue()).toBe("low, high");
    await next(page);
    await pick(page, "simulated");
    await see(page, name, "rig");
    await next(page);
    await asked(page, "Distance of the camera from the turntable's axis");
    await see(page, name, "distance");
    await say(page, "Distance of the camera from the turntable's axis", "300");
    await see(page, name, "height");
    await say(page, "Height of the camera over the turntable's surface", "60, 200");
    await see(page, name, "azimuth");
    await say(page, "Where the camera stands around the axis", "0");
    await see(page, name, "look-at");
    await say(page, "Look-at height", "35");
    await see(page, name, "angles");
    await say(page, "Images around the object", "4");
    await see(page, name, "heights");
    await say(page, "Heights of the lift", "0");
    await asked(page, "Where do scans go?");
    await see(page, name, "disks");
    await next(page);
    await asked(page, "From where may the page be opened?");
    await see(page, name, "page");
    await next(page);
    await asked(page, "This is what comes of it");
    await page.getByText("4 points, 8 shots").waitFor();
    await page.getByText(/^The file \//).click();
    await page.getByText("[[camera]]").waitFor();
    await see(page, name, "file");
    await page.getByRole("button", { name: "Write it" }).click();
    await asked(page, "The rig is set up.");
    await see(page, name, "done");
    await page.getByRole("link", { name: "To the first scan" }).click();
    await until("the plan is made out", () => page.getByRole("button", { name: "Start the scan" }).isEnabled());
    await see(page, name, "first-scan");
    await page.getByRole("button", { name: "Start the scan" }).click();
    await page.getByRole("region", { name: "Progress" }).getByText("complete", { exact: true }).waitFor();
    await see(page, name, "scanned");
    expect(complaints).toEqual([]);
    await context.close();
  } catch (error) {
    console.error(rig.log.slice(-3000));
    throw error;
  } finally {
    await rig.drop();
  }
});

/** Gives a simulated pin a level from outside; "-" leaves it to itself. */
function level(rig: Rig, pin: number, to: "0" | "1" | "-"): void {
  const file = openSync(join(rig.folder, "run/pins"), "r+");
  writeSync(file, to, pin);
  closeSync(file);
}

/** Presses what hangs on a pin, once the page says so. */
async function press(page: Page, rig: Rig, pin: number, to: "0" | "1"): Promise<void> {
  await page.getByText("Press it now, and let it go again.").waitFor();
  level(rig, pin, to);
  // Looked at every 5 ms, but by a program that may have to wait for a processor.
  await page.waitForTimeout(1000);
  level(rig, pin, "-");
}

it("the parts are tried one by one, and what is wired the other way round is put right", async () => {
  const { name, ...look } = PHONE;
  const rig = await Rig.start({ bare: true });
  try {
    const { page, complaints, context } = await visit(browser, rig, await rig.token(), look);
    await page.getByRole("button", { name: "Begin" }).click();
    await asked(page, "Which cameras?");
    await next(page);
    await say(page, "Name of the camera", "cam0");
    await pick(page, "turntable");
    await next(page);
    await pick(page, "sim");
    await see(page, name, "pins");
    await next(page);
    await asked(page, "Pin of the emergency stop");
    await see(page, name, "emergency-stop-pin");
    await next(page);
    await asked(page, "How is it wired?");
    await see(page, name, "wiring");
    await next(page);
    for (const title of ["Driver boards", "Full steps", "Microsteps", "How far does the turntable turn"]) {
      await asked(page, title);
      if (title.startsWith("How far")) await see(page, name, "gear");
      await next(page);
    }
    for (const title of ["Distance of", "Height of", "Look-at height", "Images around", "Where do scans go?", "From where may"]) {
      await asked(page, title);
      await next(page);
    }

    // What stops the rig is tried first.
    await asked(page, "emergency stop");
    await see(page, name, "try-stop");
    await page.getByRole("button", { name: "I am ready to press it" }).click();
    const pressed = press(page, rig, 26, "1");
    await page.getByRole("button", { name: "Give up" }).waitFor();
    await page.getByText("Press it now, and let it go again.").waitFor();
    await check(page, "press");
    await page.screenshot({ path: `../../target/ui-test/screenshots/setup-press-${name}.png` });
    await pressed;
    await page.getByText("It works.").waitFor();
    await page.getByRole("button", { name: "Next part" }).click();
    // The two buttons are swapped.
    await asked(page, "start button");
    await page.getByRole("button", { name: "I am ready to press it" }).click();
    await press(page, rig, 6, "0");
    await page.getByText("The stop button answered instead").waitFor();
    await see(page, name, "swapped");
    await page.getByRole("button", { name: "Try it again" }).click();
    await press(page, rig, 6, "0");
    await page.getByText("It works.").waitFor();

    await page.getByRole("button", { name: /turntable: which way/ }).click();
    await asked(page, "turntable: which way");
    await see(page, name, "try-motor");
    const question = page.getByText("Which way did it turn, seen from above?");
    const begin = page.getByRole("button", { name: /^(Yes, move it|Try it again)$/ });
    // A machine that has other things to do, too, may make steps too late, and then the axes are stopped.
    await until("it has turned", async () => {
      if (await question.isVisible()) return true;
      if (await begin.isVisible()) await begin.click();
      return false;
    });
    await see(page, name, "which-way");
    await page.getByRole("button", { name: "Clockwise", exact: true }).click();
    await page.getByText("The turntable direction is !GPIO27 now").waitFor();

    await page.getByRole("button", { name: /^light/ }).click();
    await asked(page, "light");
    await page.getByRole("button", { name: "Switch it on" }).click();
    await page.getByText("Is the light on?").waitFor();
    expect(readFileSync(join(rig.folder, "run/pins"))[18]).toBe("1".charCodeAt(0));
    await see(page, name, "lamp");
    await page.getByRole("button", { name: "It is on" }).click();
    await page.getByText("It works.").waitFor();
    await until("it is off again", async () => readFileSync(join(rig.folder, "run/pins"))[18] === "0".charCodeAt(0));

    await page.getByRole("button", { name: "Leave the rest out" }).click();
    await asked(page, "This is what comes of it");
    const write = page.getByRole("button", { name: "Write it" });
    expect(await write.isEnabled(), "nobody has said where the table stands").toBe(false);
    await page.getByRole("checkbox", { name: /The turntable stands where 0 deg/ }).check();
    await see(page, name, "file-by-hand");
    await write.click();
    await asked(page, "The rig is set up.");
    const written = readFileSync(join(rig.folder, "scanner.toml.d/50-setup.toml"), "utf8");
    expect(written).toContain('start = "^!GPIO6"');
    expect(written).toContain('direction = "!GPIO27"');
    expect(complaints).toEqual([]);
    await context.close();
  } catch (error) {
    console.error(rig.log.slice(-3000));
    throw error;
  } finally {
    await rig.drop();
  }
});

it("the rig that comes with the program leads to the setup, until somebody wants none", async () => {
  const { name, ...look } = PHONE;
  const rig = await Rig.start({ angles: 2, cameras: 1 });
  try {
    const { page, complaints, context } = await visit(browser, rig, await rig.token(), look);
    const hint = page.getByText("This rig is simulated: nothing moves.");
    await hint.waitFor();
    await shoot(page, name, "setup-hint");
    await page.getByRole("link", { name: "Set up your rig" }).click();
    await page.getByRole("heading", { level: 1, name: /^Setup/ }).waitFor();
    await page.goto("/live");
    await page.getByRole("button", { name: "Not now" }).click();
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Live" }).waitFor();
    await expect.poll(() => hint.count()).toBe(0);
    expect(complaints).toEqual([]);
    await context.close();
  } finally {
    await rig.drop();
  }
});
