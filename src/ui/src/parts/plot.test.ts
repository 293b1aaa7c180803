import fc from "fast-check";
import { expect, it } from "vitest";
import { scale } from "./plot";

const value = fc.double({ min: -1e6, max: 1e6, noNaN: true }).filter((value) => value === 0 || Math.abs(value) > 1e-6);

it("a scale is around all values, in equal steps, and neither crowded nor empty", () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const ticks = scale(low, high);
      const slack = Math.max(Math.abs(low), Math.abs(high)) * 1e-9;
      expect(ticks[0]).toBeLessThanOrEqual(low + slack);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(high - slack);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(6);
    }),
  );
});

it("is of round numbers", () => {
  expect(scale(0, 100)).toEqual([0, 50, 100]);
  expect(scale(180, 395)).toEqual([100, 200, 300, 400]);
});

it("shows what does not differ in the middle", () => {
  const ticks = scale(0.01, 0.01);
  expect(ticks[0]).toBeLessThan(0.01);
  expect(ticks.at(-1)).toBeGreaterThan(0.01);
});
