import { expect, it } from "vitest";
import { BINS, WHOLE, luma, mark, measure } from "./analysis";

const width = 40;
const height = 30;
const of = (value: (x: number, y: number) => number) =>
  Uint8Array.from({ length: width * height }, (_, at) => value(at % width, Math.floor(at / width)));

it("a flat grey has no sharpness, and all of it in one bin", () => {
  const { histogram, sharpness, clippedDark, clippedBright } = measure(of(() => 128), width, height, WHOLE);
  expect(sharpness).toBe(0);
  expect([...histogram].filter((bin) => bin > 0)).toEqual([1]);
  expect(histogram[BINS / 2]).toBe(1);
  expect([clippedDark, clippedBright]).toEqual([0, 0]);
});

it("a hard edge is sharper than a soft one", () => {
  const hard = measure(of((x) => (x < 20 ? 60 : 200)), width, height, WHOLE);
  const soft = measure(of((x) => Math.min(200, Math.max(60, 60 + (x - 10) * 7))), width, height, WHOLE);
  expect(hard.sharpness).toBeGreaterThan(10 * soft.sharpness);
});

it("clipping is counted in the part that is asked for, and nowhere else", () => {
  const grey = of((x) => (x < 10 ? 0 : x >= 30 ? 255 : 128));
  const all = measure(grey, width, height, WHOLE);
  expect([all.clippedDark, all.clippedBright]).toEqual([0.25, 0.25]);
  const left = measure(grey, width, height, { x: 0, y: 0.2, width: 0.25, height: 0.5 });
  expect([left.clippedDark, left.clippedBright]).toEqual([1, 0]);
  const middle = measure(grey, width, height, { x: 0.25, y: 0, width: 0.5, height: 1 });
  expect([middle.clippedDark, middle.clippedBright]).toEqual([0, 0]);
});

it("a part of no size is a pixel, not a division by zero", () => {
  const found = measure(of(() => 9), width, height, { x: 1, y: 1, width: 0, height: 0 });
  expect(Object.values(found).every((value) => typeof value !== "number" || Number.isFinite(value))).toBe(true);
});

it("brightness is that of JPEG: green most, blue least", () => {
  const data = Uint8ClampedArray.from([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255]);
  expect([...luma({ width: 4, height: 1, data })]).toEqual([76, 149, 28, 255]);
});

it("marks edges and clipping where they are, and only when asked to", () => {
  const grey = of((x) => (x < 10 ? 30 : x < 30 ? 140 : 255));
  const overlay = { width, height, data: new Uint8ClampedArray(width * height * 4) };
  const marked = () => new Set([...new Uint32Array(overlay.data.buffer)].flatMap((word, at) => (word ? [at % width] : [])));
  mark(grey, overlay, true, false);
  expect(marked()).toEqual(new Set([9, 10, 29, 30]));
  mark(grey, overlay, false, true);
  expect(Math.min(...marked())).toBe(30);
  mark(grey, overlay, false, false);
  expect(marked().size).toBe(0);
});
