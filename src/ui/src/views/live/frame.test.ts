import { expect, it } from "vitest";
import { parse } from "./frame";

function message(focus: number): ArrayBuffer {
  const bytes = new ArrayBuffer(44 + 3);
  const view = new DataView(bytes);
  [0x53, 0x4c, 0x56, 0x31].forEach((letter, at) => view.setUint8(at, letter));
  view.setUint32(4, 7, true);
  view.setUint16(16, 640, true);
  view.setUint16(18, 360, true);
  [123.5, 0.25, 0.5, 0.01, 1.5, focus].forEach((value, index) => view.setFloat32(20 + 4 * index, value, true));
  [0xff, 0xd8, 0xff].forEach((byte, at) => view.setUint8(44 + at, byte));
  return bytes;
}

it("a frame is read as it was written", async () => {
  const frame = parse(message(3.25));
  expect(frame).toMatchObject({
    number: 7,
    width: 640,
    height: 360,
    sharpness: 123.5,
    clippedDark: 0.25,
    clippedBright: 0.5,
    gain: 1.5,
    focus: 3.25,
  });
  expect(frame?.exposure).toBeCloseTo(0.01);
  expect([...new Uint8Array((await frame?.jpeg.arrayBuffer()) ?? new ArrayBuffer(0))]).toEqual([0xff, 0xd8, 0xff]);
  expect(parse(message(NaN))?.focus).toBeNull();
});

it("what is no frame is none", () => {
  expect(parse(new ArrayBuffer(0))).toBeNull();
  expect(parse(new ArrayBuffer(100))).toBeNull();
  expect(parse(message(1).slice(0, 44))).toBeNull();
});
