import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { about, bytes, clock, exposure, figures, fixed } from "./format";
import { amount, quantity } from "./quantity";

const plain = (text: string) => text.replaceAll("\u202f", " ");

describe("numbers with their units", () => {
  it("read as people write them", () => {
    expect(plain(exposure(0.01))).toBe("10.0 ms");
    expect(plain(exposure(0.00025))).toBe("250 µs");
    expect(plain(exposure(2))).toBe("2.00 s");
    expect([999, 1000, 12_345_678, 999_999].map(bytes).map(plain)).toEqual(["999 B", "1.00 kB", "12.3 MB", "1.00 MB"]);
    expect([59, 60, 247, 3847].map(clock)).toEqual(["0:59", "1:00", "4:07", "1:04:07"]);
    expect([12, 89, 200, 7500].map(about).map(plain)).toEqual(["12 s", "89 s", "3 min", "2 h 05 min"]);
    expect([0, 1234.5, 12.34, 0.01234, -5].map(figures)).toEqual(["0", "1235", "12.3", "0.0123", "\u22125.00"]);
    expect(fixed(-0.04, 1)).toBe("0.0");
  });

  it("are read from the API in the unit that this page reckons in", () => {
    expect([amount("4 ms"), amount("90 deg"), amount("1.5 cm"), amount("0 dpt")]).toEqual([0.004, 90, 15, 0]);
    for (const none of [null, undefined, "", "auto", "4", "4 parsecs"]) expect(amount(none)).toBe(0);
    fc.assert(
      fc.property(fc.double({ min: -1e4, max: 1e4, noNaN: true }), (value) => {
        expect(amount(quantity(value, "mm"))).toBeCloseTo(value, 4);
      }),
    );
  });
});
