/** Behind a proxy that has put a path of its own before the daemon's, and takes it off again. */

import { createServer, request } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { launch } from "./browser";
import { Rig } from "./rig";

const PREFIX = "/rigs/first";

let browser: Browser;
let rig: Rig;
let proxy: Server;
beforeAll(async () => {
  browser = await launch();
  rig = await Rig.start();
  proxy = await stripping(rig.port);
});
afterAll(async () => {
  await browser.close();
  proxy.closeAllConnections();
  proxy.close();
  await rig.drop();
});

/** What is below the prefix, from the daemon at `port`; `Host` is passed on as it came. */
async function stripping(port: number): Promise<Server> {
  const path = (asked: IncomingMessage) => (asked.url?.startsWith(`${PREFIX}/`) ? asked.url.slice(PREFIX.length) : null);
  const server = createServer((asked, answer) => {
    const below = path(asked);
    if (below === null) return void answer.writeHead(404).end();
    const onward = request({ port, host: "127.0.0.1", method: asked.method, path: below, headers: asked.headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    asked.pipe(onward);
  });
  server.on("upgrade", (asked, socket, head: Buffer) => {
    const below = path(asked);
    if (below === null) return void socket.destroy();
    const onward = connect(port, "127.0.0.1", () => {
      const headers = Object.entries(asked.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
      onward.write(`GET ${below} HTTP/1.1\r\n${headers.join("")}\r\n`);
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward]) end.on("error", () => void (socket.destroy(), onward.destroy()));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}

it("the page works below a path, and asks for nothing beside it", async () => {
  const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const context = await browser.newContext({ baseURL: base });
  context.setDefaultTimeout(300_000);
  const page = await context.newPage();
  const beside: string[] = [];
  const look = (url: string) => {
    const { protocol, pathname } = new URL(url);
    if (!["blob:", "data:"].includes(protocol) && !pathname.startsWith(`${PREFIX}/`)) beside.push(url);
  };
  page.on("request", (asked) => look(asked.url()));
  page.on("websocket", (socket) => look(socket.url()));
  page.on("pageerror", (error) => beside.push(error.message));

  await page.goto(`${PREFIX}/`);
  await page.getByLabel("Token").fill(await rig.token());
  await page.getByRole("button", { name: "Log in" }).click();
  const views = page.getByRole("navigation", { name: "Views" });
  await views.waitFor();
  // The live view, over a WebSocket.
  await page.locator("canvas").first().waitFor();
  // A scan, whose events and images come through the proxy as well.
  const begun = await context.request.post(`${PREFIX}/api/v1/scans`, { data: {}, headers: { origin: base } });
  const { id } = (await begun.json()) as { id: string };
  await views.getByRole("link", { name: "Scans" }).click();
  await page.waitForURL(`${base}${PREFIX}/scans`);
  await page.getByText(id).first().click();
  await page.waitForURL(`${base}${PREFIX}/scans/${id}`);
  // A view that is deeper down can be loaded by itself.
  await page.reload();
  await page.getByText(id).first().waitFor();
  await page.goto(`${PREFIX}/docs`);
  await page.locator(".opblock").first().waitFor();
  await page.getByText("Logged in with token browser").waitFor();
  await page.locator("a.back").click();
  await page.waitForURL(`${base}${PREFIX}/system`);
  await views.waitFor();
  expect(beside).toEqual([]);
  await context.close();
});
