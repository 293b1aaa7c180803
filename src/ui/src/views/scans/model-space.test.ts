import { describe, expect, it } from "vitest";

import { STOPS, colourOf, inWords, middle, ramp } from "./model-space";

describe("the colours of coverage", () => {
  it("are the stops, and what is between them", () => {
    expect(STOPS.map((_, index) => colourOf(index / (STOPS.length - 1)))).toEqual(STOPS);
    expect(colourOf(-1)).toEqual(STOPS[0]);
    expect(colourOf(2)).toEqual(STOPS.at(-1));
    expect(colourOf(0.125)).toEqual([169.5, 63, 7]);
  });

  it("are linear light for each score", () => {
    const colours = ramp([0, 1]);
    expect(colours).toHaveLength(6);
    // 122 of 255 in sRGB, and 172.
    expect(colours[0]).toBeCloseTo(0.195, 3);
    expect(colours[5]).toBeCloseTo(0.413, 3);
  });
});

describe("coverage in words", () => {
  it("says how much, and what is in no image", () => {
    expect(inWords(92.34, 0)).toBe("All but little of the surface is well covered: 92\u202f%.");
    expect(inWords(71, 12.2)).toBe("Most of the surface is well covered: 71\u202f%; 12\u202f% is in no image.");
    expect(inWords(8.5, 0.31)).toBe("Little of the surface is well covered: 8.5\u202f%; 0.3\u202f% is in no image.");
  });
});

describe("the middle of points", () => {
  it("is where most are, whatever is far off", () => {
    const near = Array.from({ length: 19 }, (_, index) => ({ x: 5 + Math.cos(index), y: -2 + Math.sin(index), z: 1 }));
    const { centre, reach } = middle([...near, { x: 1e6, y: 0, z: 0 }]);
    expect(Math.abs(centre.x - 5)).toBeLessThan(1);
    expect(Math.abs(centre.y + 2)).toBeLessThan(1);
    expect(centre.z).toBe(1);
    expect(reach).toBeLessThan(2.5);
    expect(middle([])).toEqual({ centre: { x: 0, y: 0, z: 0 }, reach: 0 });
  });
});
