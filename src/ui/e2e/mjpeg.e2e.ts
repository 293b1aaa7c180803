/** MJPEG in an image of a page: each picture is shown when it is there, and not with the next one. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { at, launch } from "./browser";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** Pictures that are waited for. */
const PICTURES = 3;

describe("a live view as MJPEG", () => {
  it("shows the newest picture before a further one is sent", async () => {
    await at(browser, { cameras: 1 }, async ({ page }) => {
      // A picture every eight seconds. Whoever reads began before the image, and so gets each before the image does: what the
      // image shows while the next one has not been read was shown before the next one was sent to it.
      const shown = await page.evaluate(async (pictures) => {
        const address = "/api/v1/live/cam0/mjpeg?fps=0.1";
        // What each JPEG begins with, and has nowhere else.
        const mark = "\u00FF\u00D8\u00FF";
        const switchLight = (on: boolean) =>
          fetch("/api/v1/lights", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ on }) });
        const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

        let read = 0;
        const reader = (await fetch(address)).body?.getReader();
        if (!reader) throw new Error("nothing to be read");
        const reading = (async () => {
          const latin = new TextDecoder("latin1");
          let rest = "";
          for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
            const parts = (rest + latin.decode(piece.value)).split(mark);
            read += parts.length - 1;
            rest = (parts.at(-1) ?? "").slice(1 - mark.length);
          }
        })();
        while (read === 0) await pause();

        const image = new Image();
        image.src = address;
        document.body.append(image);
        const canvas = document.createElement("canvas");
        const context = canvas.getContext("2d", { willReadFrequently: true });
        const brightness = () => {
          if (!context || image.naturalWidth === 0) return null;
          [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
          context.drawImage(image, 0, 0);
          const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
          return data.reduce((sum, value) => sum + value, 0) / data.length;
        };
        // How many had been read when another picture was there.
        const shown: { read: number; brightness: number }[] = [];
        while (shown.length < pictures) {
          const now = brightness();
          const last = shown.at(-1);
          if (now !== null && now > 0 && (!last || Math.abs(now - last.brightness) > 3)) {
            shown.push({ read, brightness: now });
            await switchLight(shown.length % 2 === 1);
          }
          await pause();
        }
        image.remove();
        await reader.cancel();
        await reading;
        return shown;
      }, PICTURES);
      expect(shown.length).toBe(PICTURES);
      const late = shown.filter(({ read }, index) => read > index + 1);
      expect(late, JSON.stringify(shown)).toEqual([]);
    });
  });
});
