/** The viewer of the API's document, as the daemon serves it: under the page's policy, with no other host. */

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { LOOKS, launch, open, picture, visit, watch } from "./browser";
import { Rig } from "./rig";

let browser: Browser;
let rig: Rig;
let token: string;
beforeAll(async () => {
  browser = await launch();
  rig = await Rig.start();
  token = await rig.token();
});
afterAll(async () => {
  await browser.close();
  await rig.drop();
});

interface Document {
  paths: Record<string, Record<string, { tags: string[]; operationId: string }>>;
}

/** Opens the operation, tries it with no parameters, and returns the status of the answer. */
async function tryOut(page: Page, method: string, path: string): Promise<string> {
  const block = page.locator(`.opblock-${method}`).filter({ has: page.locator(`[data-path="${path}"]`) });
  if (!(await block.locator(".opblock-body").count())) {
    await block.locator(".opblock-summary-control").click();
    await block.getByRole("button", { name: "Try it out" }).click();
  }
  const answered = page.waitForResponse((response) => response.url().endsWith(path));
  await block.getByRole("button", { name: "Execute" }).click();
  const status = String((await answered).status());
  // What was answered before may be shown for a moment yet.
  await block.locator(".live-responses-table .response-col_status").last().filter({ hasText: status }).waitFor();
  return status;
}

it.each(LOOKS)("every route is shown, and can be tried, $name", async ({ name, ...look }) => {
  const context = await browser.newContext({ baseURL: rig.address, ...look });
  context.setDefaultTimeout(300_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  watch(page, rig, complaints);
  await page.goto("/docs");
  const document = (await (await context.request.get("/api/v1/openapi.json")).json()) as Document;
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  await page.locator(".opblock").nth(operations.length - 1).waitFor();
  expect(await page.locator(".opblock").count()).toBe(operations.length);
  const tags = await page.locator(".opblock-tag").evaluateAll((heads) => heads.map((head) => (head as HTMLElement).dataset["tag"]));
  expect(new Set(tags)).toEqual(new Set(operations.flatMap(({ tags }) => tags)));

  // Whoever is not logged in can read, and is told what it takes to try.
  expect(await tryOut(page, "get", "/api/v1/status")).toBe("401");
  // What Swagger UI shows is as it comes: axe finds headings, landmarks and contrasts there.
  await picture(page, name, "docs-closed");
  await page.getByPlaceholder("Token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("Logged in with token browser").waitFor();
  expect(await tryOut(page, "get", "/healthz")).toBe("200");
  await page.getByRole("button", { name: "Clear" }).last().click();
  const status = page.waitForResponse((response) => response.url().endsWith("/api/v1/status"));
  expect(await tryOut(page, "get", "/api/v1/status")).toBe("200");
  expect((await status).status()).toBe(200);
  await picture(page, name, "docs");
  expect(complaints).toEqual([]);
  await context.close();
});

it("a token by Authorize is sent as Authorization: Bearer", async () => {
  const context = await browser.newContext({ baseURL: rig.address });
  context.setDefaultTimeout(300_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  watch(page, rig, complaints);
  await page.goto("/docs");
  expect(await tryOut(page, "get", "/api/v1/session")).toBe("401");
  await page.getByRole("button", { name: "Authorize" }).first().click();
  const bearer = page.locator(".auth-container").filter({ hasText: "bearer (http" });
  await bearer.getByRole("textbox").fill(token);
  await bearer.locator("button.authorize").click();
  await page.locator(".close-modal").click();
  const asked = page.waitForRequest((request) => request.url().endsWith("/api/v1/session"));
  await page.getByRole("button", { name: "Execute" }).click();
  expect((await asked).headers()["authorization"]).toBe(`Bearer ${token}`);
  await page.locator(".live-responses-table").getByText('"browser"').waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

it("the System view leads to it, and answers that never end are not tried", async () => {
  const { context, page, complaints } = await visit(browser, rig, token);
  await open(page, "System");
  await page.getByRole("link", { name: "API", exact: true }).click();
  await page.getByText("Logged in with token browser").waitFor();
  const licences = await (await context.request.get("/docs-licences.txt")).text();
  expect(licences).toContain("Apache License");
  expect(licences).toContain("SmartBear");
  for (const path of ["/api/v1/events", "/api/v1/events/ws", "/api/v1/status"]) {
    const block = page.locator(".opblock-get").filter({ has: page.locator(`[data-path="${path}"]`) });
    await block.locator(".opblock-summary-control").click();
    await block.locator(".responses-wrapper").waitFor();
    expect(await block.getByRole("button", { name: "Try it out" }).count(), path).toBe(path.endsWith("status") ? 1 : 0);
  }
  expect(complaints).toEqual([]);
  await context.close();
});
