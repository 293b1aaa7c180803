import fc from "fast-check";
import { expect, it } from "vitest";
import { asConfiguration, placeOf, placesOf, scaleOf, setTo, valueAt, withKnob, without } from "./settings";

const exposure = { name: "exposure", domain: "range", min: 0.00001, max: 10 } as const;
const focus = { name: "focus", domain: "range", min: 0, max: 15 } as const;

it("a slider has what the camera has, up to what can be waited for", () => {
  expect(scaleOf([exposure], "exposure")).toEqual({ min: 0.00001, max: 2, logarithmic: true, steps: [] });
  expect(scaleOf([focus], "focus")).toEqual({ min: 0, max: 15, logarithmic: false, steps: [] });
  expect(scaleOf([focus], "exposure")).toBeNull();
  expect(scaleOf([{ name: "focus", domain: "region" }], "focus")).toBeNull();
});

it("a place on a slider and its value are each other's", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(exposure, focus), (place, control) => {
      const scale = scaleOf([control], control.name);
      expect(scale && placeOf(scale, valueAt(scale, place))).toBeCloseTo(place);
    }),
  );
});

it("a value beyond the slider is at its end", () => {
  const scale = { min: 0, max: 15, logarithmic: false, steps: [] };
  expect([placeOf(scale, -3), placeOf(scale, 99), placeOf({ ...scale, max: 0 }, 1)]).toEqual([0, 1, 0]);
});

it("a camera with steps has a place for each, and no value between", () => {
  const steps = [1 / 125, 1 / 60, 1 / 30, 1.3, 30];
  const scale = scaleOf([{ name: "exposure", domain: "range", min: 1 / 125, max: 30, steps }], "exposure");
  expect(scale && [placesOf(scale), scale.steps]).toEqual([3, steps.slice(0, 4)]);
  expect(scale && [0, 0.3, 0.7, 1].map((place) => valueAt(scale, place))).toEqual(steps.slice(0, 4));
  expect(scale && [0.001, 0.02, 0.5, 99].map((value) => placeOf(scale, value) * 3)).toEqual([0, 1, 3, 3]);
});

it("settings are changed one at a time, in the API's units", () => {
  const set = withKnob(withKnob({ gain: 2 }, "focus", 3.3), "exposure", 0.0123456);
  expect(set).toEqual({ gain: 2, focus: "3.3 dpt", exposure: "0.0123 s" });
  expect([setTo(set, "focus"), setTo(set, "exposure"), setTo(set, "gain")]).toEqual([3.3, 0.0123, 2]);
  expect(withKnob(set, "focus", null)).toEqual({ gain: 2, exposure: "0.0123 s" });
  expect(without(set, "gain")).toEqual({ focus: "3.3 dpt", exposure: "0.0123 s" });
  expect(setTo({}, "focus")).toBeNull();
});

it("what is set is written as the configuration has it", () => {
  const controls = {
    exposure: "0.005 s",
    gain: 2,
    white_balance: [1.85, 2] as [number, number],
    focus: "3.3 dpt",
    metering: "spot" as const,
    crop: { x: 0, y: 0.25, width: 1, height: 0.5 },
    noise_reduction: null,
  };
  expect(asConfiguration(controls)).toBe(
    [
      "[camera.controls]",
      'exposure = "0.005 s"',
      "gain = 2.0",
      "white_balance = [1.85, 2.0]",
      'focus = "3.3 dpt"',
      'metering = "spot"',
      "crop = { x = 0.0, y = 0.25, width = 1.0, height = 0.5 }",
    ].join("\n"),
  );
});
