import { expect, it } from "vitest";

import { around, box } from "./around";

/** At 300 mm along x, 60 mm high, looking at the axis. */
const LEVEL = {
  camera: "cam0",
  image: "a.jpg",
  centre: [300, 0, 60],
  rotation: [
    [0, 1, 0],
    [0, 0, -1],
    [-1, 0, 0],
  ],
};

it("cameras stand where they are, and look at the axis", () => {
  const found = around([LEVEL, { ...LEVEL, camera: "cam1", centre: [0, 150, 180], rotation: [[1, 0, 0], [0, 0, -1], [0, -0.8, -0.6]] }]);
  if (!found) throw new Error("there are poses");
  expect([found.reach, found.lowest, found.highest]).toEqual([300, 60, 180]);
  const [first, second] = found.above;
  expect([first?.x, first?.toX]).toEqual([300, 252]);
  // y is upward in space, and downward on a screen.
  expect([second?.y, second?.toY]).toEqual([-150, -(150 - 0.8 * 48)]);
  const [level, high] = found.side;
  expect([level?.x, level?.y, level?.toX, level?.toY]).toEqual([300, -60, 252, -60]);
  expect([high?.x, high?.toX]).toEqual([150, 150 - 0.8 * 48]);
  expect(high?.toY).toBeCloseTo(-(180 - 0.6 * 48));
});

it("all of it is in the drawing, the axis too", () => {
  const { above } = around([LEVEL]) ?? { above: [] };
  const { x, width } = box(above);
  expect(x).toBeLessThan(0);
  expect(x + width).toBeGreaterThan(300);
});

it("images without a pose are in no drawing", () => {
  expect(around([])).toBeNull();
  expect(around([{ camera: "cam0", image: "a.jpg", centre: null, rotation: null }])).toBeNull();
});
