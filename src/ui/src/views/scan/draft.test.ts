import { describe, expect, it } from "vitest";
import { FRESH, draftOf, planOf } from "./draft";

describe("a plan that is filled in", () => {
  it("has what its shape has, and nothing else", () => {
    expect(planOf({ ...FRESH, heights: "0, 20 40" })).toEqual({ shape: "cylinder", order: "fastest", angles: 36, heights: ["0 mm", "20 mm", "40 mm"] });
    expect(planOf({ ...FRESH, shape: "ring", height: "-1.5" })).toEqual({ shape: "ring", order: "fastest", angles: 36, height: "-1.5 mm", tilt: "0 deg" });
    expect(planOf({ ...FRESH, shape: "sphere", focus: "3; 4.5" })).toEqual({
      shape: "sphere",
      order: "fastest",
      distribution: "fibonacci",
      points: 144,
      min_tilt: "0 deg",
      max_tilt: "60 deg",
      focus: ["3 dpt", "4.5 dpt"],
    });
  });

  it("says which field is wrong", () => {
    expect(planOf({ ...FRESH, angles: "36.5" })).toContain("Angles");
    expect(planOf({ ...FRESH, angles: "0" })).toContain("Angles");
    expect(planOf({ ...FRESH, heights: "" })).toContain("Heights");
    expect(planOf({ ...FRESH, heights: "1, two" })).toContain("Heights");
    expect(planOf({ ...FRESH, focus: "near" })).toContain("Lens positions");
  });

  it("made of a plan is that plan", () => {
    const plans = [
      { shape: "cylinder", order: "given", angles: 12, heights: ["0 mm", "10.5 mm"], focus: ["3 dpt"], bracket: ["-2 EV", "0 EV"] },
      { shape: "ring", order: "fastest", angles: 8, height: "3 mm", tilt: "15 deg" },
      { shape: "sphere", order: "fastest", distribution: "rings", points: 60, rings: 5, min_tilt: "0 deg", max_tilt: "75 deg" },
      { shape: "sphere", order: "fastest", distribution: "fibonacci", travel: "least", points: 60, min_tilt: "0 deg", max_tilt: "75 deg" },
    ] as const;
    for (const plan of plans) {
      const draft = draftOf(structuredClone(plan) as never);
      expect(draft && planOf(draft)).toEqual(plan);
    }
    expect(draftOf({ shape: "list" })).toBeNull();
  });
});
