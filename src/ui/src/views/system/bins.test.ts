import fc from "fast-check";
import { expect, it } from "vitest";
import { binned } from "./bins";

it("what is within is in one span, what is without in none", () => {
  const happened = fc.record({ at: fc.integer({ min: -100, max: 1100 }), kind: fc.constantFrom("restart", "respawn", "reset") });
  fc.assert(
    fc.property(fc.array(happened), fc.integer({ min: 1, max: 60 }), (list, count) => {
      const bins = binned(list, 0, 1000, count);
      const within = list.filter(({ at }) => at >= 0 && at <= 1000);
      expect(bins.length).toBe(count);
      for (const kind of ["restart", "respawn", "reset"] as const) {
        expect(bins.reduce((sum, bin) => sum + bin[kind], 0)).toBe(within.filter((one) => one.kind === kind).length);
      }
    }),
  );
});

it("the first and the last moment are in the first and the last span", () => {
  const bins = binned([{ at: 0, kind: "restart" }, { at: 10, kind: "respawn" }], 0, 10, 5);
  expect([bins[0]?.restart, bins[4]?.respawn]).toEqual([1, 1]);
});
