/** Chromium without a window, logged in at a rig. */

import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { expect } from "vitest";

import { check } from "./axe";
import { Rig } from "./rig";
import type { Recipe } from "./rig";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const SCREENSHOTS = resolve("../../target/ui-test/screenshots");

const FAILURES = resolve("../../target/ui-test/failures");

/** With these arguments besides. */
export function launch(more: readonly string[] = []): Promise<Browser> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  return chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: [...ARGUMENTS, ...more] });
}

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** What the page complained of: errors, refusals by its policy, other hosts. */
  complaints: string[];
}

/** A browser of its own, logged in at `rig`. */
export async function visit(browser: Browser, rig: Rig, token: string, options: Parameters<Browser["newContext"]>[0] = {}): Promise<Visit> {
  const context = await browser.newContext({ baseURL: rig.address, ...options });
  context.setDefaultTimeout(300_000);
  const complaints: string[] = [];
  const page = await context.newPage();
  watch(page, rig, complaints);
  await page.goto("/");
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("navigation", { name: "Views" }).waitFor();
  return { context, page, complaints };
}

export function watch(page: Page, rig: Rig, complaints: string[]): void {
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    // A browser reports every answer that is not a success, whether it was expected or not.
    const answer = text.startsWith("Failed to load resource") || text.startsWith("WebSocket connection to");
    if (message.type() === "error" && !answer) complaints.push(`console: ${text}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (!["blob:", "data:"].includes(url.protocol) && url.host !== `127.0.0.1:${rig.port}`) complaints.push(`another host: ${request.url()}`);
  });
}

export interface Situation extends Visit {
  rig: Rig;
  token: string;
}

/** A rig and a browser for `test`; nothing of it may have made the page complain. What failed is kept as a picture. */
export async function at(browser: Browser, recipe: Recipe, test: (situation: Situation) => Promise<void>): Promise<void> {
  const rig = await Rig.start(recipe);
  try {
    const token = await rig.token();
    const visited = await visit(browser, rig, token);
    try {
      await test({ ...visited, rig, token });
      expect(visited.complaints).toEqual([]);
    } catch (error) {
      const name = (expect.getState().currentTestName ?? "test").replaceAll(/[^a-z0-9]+/gi, "-");
      await visited.page.screenshot({ path: join(FAILURES, `${name}.png`), fullPage: true });
      console.error(`${visited.complaints.join("\n")}\nthe daemon's log ends with:\n${rig.log.slice(-4000)}`);
      throw error;
    } finally {
      await visited.context.close();
    }
  } finally {
    await rig.drop();
  }
}

/** The view of this name. */
export async function open(page: Page, name: "Live" | "Scan" | "Scans" | "Settings" | "System"): Promise<void> {
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name, exact: true }).click();
  await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
}

/** How a page can be looked at. */
const ALL_LOOKS = [
  { name: "light", colorScheme: "light", viewport: { width: 1360, height: 900 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1360, height: 900 } },
  { name: "phone", colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  { name: "phone-dark", colorScheme: "dark", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
] as const;

const [LIGHT, DARK, PHONE, PHONE_DARK] = ALL_LOOKS;
export { PHONE };

const seed = process.env["SCANNER_TEST_SEED"];

/** How it is looked at: with a seed, as in CI, by both sizes of screen and in both colours, and with the next seed by the other pairs of them. */
export const LOOKS = seed === undefined ? ALL_LOOKS : Number(seed) % 2 === 0 ? ([LIGHT, PHONE_DARK] as const) : ([DARK, PHONE] as const);

/** A picture of a view of ours, in which nothing violates a rule of axe's. */
export async function shoot(page: Page, look: string, view: string): Promise<void> {
  await check(page, view);
  await picture(page, look, view);
}

/** A picture of the whole page, which must not be wider than its screen, or go on behind its end. */
export async function picture(page: Page, look: string, view: string): Promise<void> {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide, `${view} is wider than its screen`).toBeLessThanOrEqual(0);
  const empty = await page.evaluate(() => {
    const body = document.body.getBoundingClientRect().bottom + scrollY;
    return document.documentElement.scrollHeight - Math.max(innerHeight, Math.ceil(body));
  });
  expect(empty, `${view} can be scrolled to where there is nothing`).toBeLessThanOrEqual(0);
  await page.screenshot({ path: join(SCREENSHOTS, `${view}-${look}.png`), fullPage: true });
}

/** What is drawn, as it is on the screen: 256 by 192 of its pixels, red, green and blue. */
export async function pixels(page: Page, canvas: Locator): Promise<number[]> {
  const shot = await canvas.screenshot();
  return page.evaluate(async (png) => {
    const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const small = new OffscreenCanvas(256, 192);
    const context = small.getContext("2d");
    if (!context) throw new Error("no canvas");
    // Not their mean, in which the thin lines of the cameras would be lost.
    context.imageSmoothingEnabled = false;
    context.drawImage(bitmap, 0, 0, 256, 192);
    return [...context.getImageData(0, 0, 256, 192).data].filter((_, at) => at % 4 !== 3);
  }, shot.toString("base64"));
}
