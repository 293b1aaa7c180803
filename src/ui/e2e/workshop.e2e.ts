/** What a workshop makes of a scan, in the scan's view: the folder is as `scanner fleet fetch-results` leaves it (docs/workshop.md). */

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LOOKS, at, launch, open, pixels, shoot, visit } from "./browser";
import { until } from "./rig";
import type { Rig } from "./rig";

let browser: Browser;
beforeAll(async () => {
  browser = await launch(["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]);
});
afterAll(() => browser.close());

const RECIPE = { angles: 8, cameras: 1, size: [640, 480], timeScale: 50, hull: false } as const;
const ID = "owl-0f3c21d97a1b2c3d";

const workshopOf = (page: Page) => page.getByRole("region", { name: "Workshop" });
const canvasOf = (page: Page) => workshopOf(page).getByRole("img", { name: /^The model that the workshop has made/ });

interface Put {
  name: string;
  bytes: number;
}

/** The folder of a job of a scan. */
class Job {
  readonly folder: string;

  constructor(
    rig: Rig,
    readonly scan: string,
    readonly id = ID,
    readonly offered_s = 1_795_000_000,
  ) {
    this.folder = join(rig.folder, "scans", scan, "workshop", id);
    mkdirSync(this.folder, { recursive: true });
  }

  put(name: string, content: Buffer | string): Put {
    writeFileSync(join(this.folder, name), content);
    return { name, bytes: Buffer.byteLength(content) };
  }

  /** Says how it stands, as a whole, as the real code does. */
  says(state: object, failures: object[] = []): void {
    const record = { format: 1, scan: this.scan, rig: "pi", offered_s: this.offered_s, files: 9, bytes: 1000, list: { bytes: 1, crc32c: 1 }, plan: 1 };
    writeFileSync(join(this.folder, ".job"), JSON.stringify({ ...record, state, failures, lost: 0 }));
    renameSync(join(this.folder, ".job"), join(this.folder, "job.json"));
  }

  running(step: object | string): void {
    this.says({ is: "running", run: "r1", worker: "pc", step });
  }

  done(files: readonly Put[]): void {
    this.says({ is: "done", run: "r1", worker: "pc", took_s: 754, files: files.map((file) => ({ ...file, subject: "x", crc32c: 1 })) });
  }
}

/** A ball of points, red above and blue below, and one that is far off. */
function ball(): string {
  const points: string[] = ["9000 9000 9000 0 255 0"];
  for (let ring = 0; ring <= 60; ring += 1) {
    for (let at = 0; at < 90; at += 1) {
      const [up, around] = [(Math.PI * ring) / 60, (Math.PI * at) / 45];
      const [x, y, z] = [Math.sin(up) * Math.cos(around), Math.sin(up) * Math.sin(around), Math.cos(up)];
      points.push(`${(40 * x + 5).toFixed(3)} ${(40 * y).toFixed(3)} ${(40 * z + 50).toFixed(3)} ${z > 0 ? "200 40 40" : "40 40 200"}`);
    }
  }
  const properties = ["float x", "float y", "float z", "uchar red", "uchar green", "uchar blue"].map((name) => `property ${name}\n`).join("");
  return `ply\nformat ascii 1.0\nelement vertex ${points.length}\n${properties}end_header\n${points.join("\n")}\n`;
}

/** A square with a picture on it, as glTF in one file. */
function square(picture: Buffer): Buffer {
  const padded = (part: Buffer, by: number) => Buffer.concat([part, Buffer.alloc((4 - (part.length % 4)) % 4, by)]);
  const floats = (values: number[]) => Buffer.from(new Float32Array(values).buffer);
  const parts = [floats([-1, 0, 0, 1, 0, 0, 1, 2, 0, -1, 2, 0]), floats([0, 1, 1, 1, 1, 0, 0, 0]), Buffer.from(new Uint16Array([0, 1, 2, 0, 2, 3]).buffer), picture];
  let offset = 0;
  const bufferViews = parts.map((part) => {
    const view = { buffer: 0, byteOffset: offset, byteLength: part.length };
    offset += padded(part, 0).length;
    return view;
  });
  const document = {
    asset: { version: "2.0" },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0, TEXCOORD_0: 1 }, indices: 2, material: 0 }] }],
    materials: [{ doubleSided: true, pbrMetallicRoughness: { baseColorTexture: { index: 0 }, metallicFactor: 0 } }],
    textures: [{ source: 0 }],
    images: [{ bufferView: 3, mimeType: "image/jpeg" }],
    accessors: [
      { bufferView: 0, componentType: 5126, count: 4, type: "VEC3", min: [-1, 0, 0], max: [1, 2, 0] },
      { bufferView: 1, componentType: 5126, count: 4, type: "VEC2" },
      { bufferView: 2, componentType: 5123, count: 6, type: "SCALAR" },
    ],
    bufferViews,
    buffers: [{ byteLength: offset }],
  };
  const [json, binary] = [padded(Buffer.from(JSON.stringify(document)), 0x20), Buffer.concat(parts.map((part) => padded(part, 0)))];
  const number = (value: number) => Buffer.from(new Uint32Array([value]).buffer);
  const chunk = (part: Buffer, kind: string) => [number(part.length), Buffer.from(kind), part];
  const chunks = [...chunk(json, "JSON"), ...chunk(binary, "BIN\0")];
  const length = 12 + chunks.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from("glTF"), number(2), number(length), ...chunks]);
}

/** Scans; its id, and its first photograph. */
async function scanned(rig: Rig, token: string): Promise<[string, Buffer]> {
  const begun = await fetch(`${rig.address}/api/v1/scans`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: "{}",
  });
  expect(begun.status).toBe(201);
  await until("the scan has ended", async () => {
    const { scanning } = (await rig.tell("status")) as { scanning: boolean };
    return !scanning;
  });
  const [owl] = (await rig.tell("dataset", "list")) as { id: string }[];
  const id = owl?.id ?? "no scan";
  const images = join(rig.folder, "scans", id, "images/cam0");
  return [id, readFileSync(join(images, readdirSync(images).sort()[0] ?? ""))];
}

async function look(page: Page, scan: string): Promise<void> {
  await open(page, "Scans");
  await page.getByRole("link", { name: new RegExp(scan) }).first().click();
  await page.getByRole("img", { name: /^Sharpness: / }).waitFor();
}

/** How much of the canvas is clearly red, or blue, or anything but what is behind; and in how many shades that is. */
async function coloured(page: Page, canvas: Locator): Promise<{ red: number; blue: number; any: number; shades: number }> {
  const data = await pixels(page, canvas);
  const found = { red: 0, blue: 0, any: 0 };
  const shades = new Map<number, number>();
  const corner = data.slice(0, 3);
  for (let index = 0; index < data.length; index += 3) {
    const [red = 0, green = 0, blue = 0] = data.slice(index, index + 3);
    if (red > blue + 60 && red > green + 60) found.red += 1;
    if (blue > red + 60 && blue > green + 60) found.blue += 1;
    if ([red, green, blue].some((value, channel) => Math.abs(value - (corner[channel] ?? 0)) > 24)) {
      found.any += 1;
      const shade = ((red >> 4) << 8) + ((green >> 4) << 4) + (blue >> 4);
      shades.set(shade, (shades.get(shade) ?? 0) + 1);
    }
  }
  return { ...found, shades: [...shades.values()].filter((count) => count > 10).length };
}

async function shownIn3d(page: Page): Promise<Locator> {
  await workshopOf(page).getByRole("button", { name: "Show it in 3D" }).click();
  const canvas = canvasOf(page);
  await canvas.scrollIntoViewIfNeeded();
  await until("the model is there", async () => (await canvas.getAttribute("aria-busy")) === "false");
  return canvas;
}

describe("what a workshop makes of a scan", () => {
  it("is shown as it comes, without the page being loaded again", async () => {
    await at(browser, RECIPE, async ({ page, rig, token }) => {
      const [id, photograph] = await scanned(rig, token);
      await look(page, id);
      // Nothing, where there is no workshop.
      await page.waitForTimeout(500);
      expect(await workshopOf(page).count()).toBe(0);

      const job = new Job(rig, id);
      job.says({ is: "queued" });
      const card = workshopOf(page);
      await card.getByText("It waits for a worker.").waitFor();
      job.running({ fetching: { bytes: 5_000_000, of: 20_000_000 } });
      await card.getByText(/^pc fetches the scan: 5\.00.MB of 20\.0.MB\.$/).waitFor();
      expect(await card.getByRole("progressbar").getAttribute("aria-valuetext")).toMatch(/^5\.00.MB of 20\.0.MB$/);
      job.running({ working: { said: "Matching block [2/5]" } });
      await card.getByText("pc reconstructs: Matching block [2/5]").waitFor();
      // Not named yet: it is not offered.
      const files = [job.put("model.ply", ball()), job.put("picture.jpg", photograph), job.put("log.txt", "Matching block [2/5]\ndone\n"), job.put("notes.csv", "a,b\n")];
      job.running("putting");
      await card.getByText("pc puts the result back.").waitFor();
      expect(await card.getByRole("link").count()).toBe(0);
      job.done(files);
      await card.getByText(/^pc has made it, in 13.min\.$/).waitFor();
      const picture = card.getByRole("img", { name: "The workshop’s picture of the model" });
      await until("its picture is there", () => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth === 640));

      const download = page.waitForEvent("download");
      await card.getByRole("link", { name: /^PLY, / }).click();
      expect((await download).suggestedFilename()).toBe(`${id}-model.ply`);
      const opened = page.context().waitForEvent("page");
      await card.getByRole("link", { name: /^Log, / }).click();
      const log = await opened;
      await log.getByText("Matching block [2/5]").waitFor();
      await log.close();

      const canvas = await shownIn3d(page);
      await until("both halves of the ball are seen", async () => {
        const { red, blue } = await coloured(page, canvas);
        return red > 400 && blue > 400;
      });
    });
  });

  it("is a textured model, too, and several jobs, and what went wrong", async () => {
    await at(browser, RECIPE, async ({ page, rig, token }) => {
      const [id, photograph] = await scanned(rig, token);
      const first = new Job(rig, id);
      const log = first.put("failed-r0.txt", "no images match\n");
      first.says({ is: "failed", reason: "the command ended with 1: no images match" }, [
        { worker: "pc", reason: "the command ended with 1: no images match", log: { ...log, subject: "x", crc32c: 1 } },
      ]);
      await look(page, id);
      const card = workshopOf(page);
      await card.getByText("It has failed as often as it may.").waitFor();
      await card.getByText(/^pc failed: the command ended with 1: no images match/).waitFor();
      expect(await card.getByRole("link", { name: "Log" }).getAttribute("href")).toContain("failed-r0.txt");
      // Half of a record, as none of ours is: it is said, and nothing else breaks.
      const broken = new Job(rig, id, "owl-0000000000000001", 1_790_000_000);
      writeFileSync(join(broken.folder, "job.json"), '{"format": 1, "sta');
      const second = new Job(rig, id, "owl-0000000000000002", 1_800_000_000);
      second.done([second.put("model.glb", square(photograph)), second.put("log.txt", "done\n")]);
      await page.reload();
      await card.getByText(/job\.json is damaged/).waitFor();
      expect(await card.getByRole("article").count()).toBe(3);
      // The newest first.
      await card.getByRole("article").first().getByText(/^pc has made it/).waitFor();
      const canvas = await shownIn3d(page);
      // The photograph is on it, and not one grey.
      await until("the square and its picture are seen", async () => {
        const { any, shades } = await coloured(page, canvas);
        return any > 2000 && shades > 12;
      });
    });
  });

  it("is shown in every look", async () => {
    await at(browser, RECIPE, async ({ rig, token }) => {
      const [id, photograph] = await scanned(rig, token);
      const old = new Job(rig, id, "owl-0000000000000001", 1_795_000_000);
      const log = old.put("failed-r0.txt", "no images match\n");
      old.says({ is: "failed", reason: "the command ended with 1: no images match" }, [
        { worker: "pc", reason: "the command ended with 1: no images match", log: { ...log, subject: "x", crc32c: 1 } },
      ]);
      const job = new Job(rig, id, "owl-0000000000000002", 1_795_100_000);
      const files = [job.put("model.ply", ball()), job.put("picture.jpg", photograph), job.put("log.txt", "done\n")];
      for (const { name, ...as } of LOOKS) {
        const { page: inside, context, complaints } = await visit(browser, rig, token, as);
        job.running({ fetching: { bytes: 5_000_000, of: 20_000_000 } });
        await look(inside, id);
        await workshopOf(inside).getByText(/^pc fetches the scan/).waitFor();
        await shoot(inside, name, "workshop-under-way");
        job.done(files);
        await workshopOf(inside).getByText(/^pc has made it/).waitFor();
        const canvas = await shownIn3d(inside);
        await until("the ball is seen", async () => (await coloured(inside, canvas)).red > 200);
        await workshopOf(inside).getByRole("img", { name: /picture of the model/ }).scrollIntoViewIfNeeded();
        await until("the picture is there", () =>
          workshopOf(inside).getByRole("img", { name: /picture of the model/ }).evaluate((image) => (image as HTMLImageElement).complete),
        );
        await inside.evaluate(() => scrollTo(0, 0));
        await shoot(inside, name, "workshop");
        expect(complaints).toEqual([]);
        await context.close();
      }
    });
  });
});
