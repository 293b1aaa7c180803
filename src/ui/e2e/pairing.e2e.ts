/** A browser without a token, and a person who presses the rig's buttons. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { launch, watch } from "./browser";
import { Rig } from "./rig";

let browser: Browser;
let rig: Rig;
beforeAll(async () => {
  browser = await launch();
  rig = await Rig.start();
});
afterAll(async () => {
  await browser.close();
  await rig.drop();
});

it("is let in by the start button held, also if it was loaded again; not by stop, and by its code while another one waits", async () => {
  const complaints: string[] = [];
  const stranger = async () => {
    const context = await browser.newContext({ baseURL: rig.address });
    context.setDefaultTimeout(300_000);
    const page = await context.newPage();
    watch(page, rig, complaints);
    await page.goto("/");
    return page;
  };
  const [page, other] = [await stranger(), await stranger()];
  const begin = page.getByRole("button", { name: "Pair with the rig" });
  await page.getByLabel("Name of this browser").fill("my phone");
  await begin.click();
  await page.getByText("Hold the start button of the rig for 2 seconds").waitFor();
  const status = async () => (await rig.tell("status")) as { pairings: { name: string; code: string }[] };
  const [mine] = (await status()).pairings;
  expect(mine?.name).toBe("my phone");
  await page.getByText(mine?.code ?? "none").waitFor();

  await other.getByRole("button", { name: "Pair with the rig" }).click();
  await other.getByText(/Others ask as well/).waitFor();
  await page.getByText(`scanner pair ${mine?.code}`).waitFor();

  await rig.press("stop");
  await other.getByRole("alert").getByText(/refused at the rig/).waitFor();
  await page.getByRole("alert").getByText(/refused at the rig/).waitFor();
  await page.getByLabel("Name of this browser").fill("my phone");
  await begin.click();
  await page.getByText(/It waits for \d+ s/).waitFor();
  await page.reload();
  await page.getByText(/It waits for \d+ s/).waitFor();
  await rig.press("cancel");
  await page.getByRole("navigation", { name: "Views" }).waitFor();
  await page.reload();
  await page.getByRole("navigation", { name: "Views" }).waitFor();

  await other.reload();
  await other.getByRole("button", { name: "Pair with the rig" }).waitFor();
  const tokens = await other.evaluate(() => document.cookie);
  expect(tokens).toBe("");

  // By a link, once; also where the page is open already.
  const { links } = (await rig.tell("open", "tablet")) as { links: string[] };
  const link = links[0] ?? "none";
  await other.goto(link);
  await other.getByRole("navigation", { name: "Views" }).waitFor();
  expect(other.url()).not.toContain("#");
  const third = await stranger();
  await third.goto(link);
  await third.getByRole("alert").getByText(/no such pairing or link/).waitFor();
  expect(complaints).toEqual([]);
});
