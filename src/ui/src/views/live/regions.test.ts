import fc from "fast-check";
import { expect, it } from "vitest";
import { LEAST, added, between, ofField, parsed, pulled, rounded, shownIn, visible, withCrop } from "./regions";
import type { Grip } from "./regions";

const part = fc.double({ min: -2, max: 3, noNaN: true });
const grip = fc.constantFrom<Grip>("move", "n", "s", "e", "w", "ne", "nw", "se", "sw");
const slack = 1e-9;

it("a region stays on the picture and keeps a size, however it is drawn and pulled", () => {
  fc.assert(
    fc.property(part, part, part, part, fc.array(fc.tuple(grip, part, part)), (x1, y1, x2, y2, pulls) => {
      let rect = between(x1, y1, x2, y2);
      for (const [grip, dx, dy] of [["move", 0, 0] as const, ...pulls]) {
        const before = rect;
        rect = pulled(rect, grip, dx, dy);
        expect(Math.min(rect.x, rect.y)).toBeGreaterThanOrEqual(0);
        expect(Math.max(rect.x + rect.width, rect.y + rect.height)).toBeLessThanOrEqual(1 + slack);
        expect(Math.min(rect.width, rect.height)).toBeGreaterThanOrEqual(LEAST - slack);
        if (grip === "move") expect([rect.width, rect.height]).toEqual([before.width, before.height]);
      }
    }),
  );
});

it("pulling an edge leaves the opposite one alone", () => {
  const rect = { x: 0.2, y: 0.2, width: 0.4, height: 0.4 };
  const east = pulled(rect, "e", 0.1, 0.9);
  expect([east.x, east.y]).toEqual([0.2, 0.2]);
  expect(east.height).toBeCloseTo(0.4);
  expect(east.width).toBeCloseTo(0.5);
  const corner = pulled(rect, "nw", 5, 5);
  expect(corner.x + corner.width).toBeCloseTo(0.6);
  expect(corner.width).toBeCloseTo(LEAST);
});

it("each new region has a number of its own, and freed ones are used again", () => {
  const rect = between(0, 0, 1, 1);
  const [one] = added([], rect);
  const [two] = added(one, rect);
  expect(two.map((region) => region.id)).toEqual([1, 2]);
  expect(added(two.slice(1), rect)[1].id).toBe(1);
});

it("what cannot be read is left out", () => {
  const good = { id: 1, name: "a", x: 0, y: 0, width: 1, height: 0.5 };
  expect(parsed(JSON.stringify([good, { ...good, x: 2 }, { ...good, x: 0.1 }, null, 3]))).toEqual([good]);
  for (const text of [null, "", "{", "7", "null"]) expect(parsed(text)).toEqual([]);
});

const rect = fc.tuple(part, part, part, part).map((corners) => between(...corners));

it("a region is of the same things whatever part of the field of view is shown", () => {
  fc.assert(
    fc.property(rect, rect, rect, (crop, region, other) => {
      const back = ofField(crop, shownIn(crop, region));
      for (const key of ["x", "y", "width", "height"] as const) expect(back[key]).toBeCloseTo(region[key], 9);
      expect(shownIn(crop, crop)).toEqual({ x: 0, y: 0, width: 1, height: 1 });
      // By way of another part, too.
      const there = shownIn(other, ofField(crop, shownIn(crop, region)));
      expect(there.x).toBeCloseTo(shownIn(other, region).x, 6);
      const seen = visible(shownIn(crop, region));
      if (seen) {
        expect(Math.min(seen.x, seen.y)).toBeGreaterThanOrEqual(0);
        expect(Math.max(seen.x + seen.width, seen.y + seen.height)).toBeLessThanOrEqual(1 + slack);
      }
    }),
  );
});

it("what a camera is told of a region lies within and is not empty", () => {
  fc.assert(
    fc.property(rect, (region) => {
      const { x, y, width, height } = rounded(region);
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(Math.min(width, height)).toBeGreaterThan(0);
      expect(Math.max(x + width, y + height)).toBeLessThanOrEqual(1 + slack);
    }),
  );
});

it("with another crop autofocus goes on looking at the same things, unless they are out of sight", () => {
  const whole = { x: 0, y: 0, width: 1, height: 1 };
  const window = { x: 0.5, y: 0.5, width: 0.25, height: 0.25 };
  const quarter = { x: 0.5, y: 0.5, width: 0.5, height: 0.5 };
  const cropped = withCrop({ gain: 2, focus_window: window }, whole, quarter);
  expect(cropped).toEqual({ gain: 2, crop: quarter, focus_window: { x: 0, y: 0, width: 0.5, height: 0.5 } });
  expect(withCrop(cropped, whole, null)).toEqual({ gain: 2, focus_window: window });
  expect(withCrop({ focus_window: window }, whole, { x: 0, y: 0, width: 0.4, height: 0.4 }).focus_window).toBeUndefined();
});
