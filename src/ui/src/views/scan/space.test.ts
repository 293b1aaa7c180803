import fc from "fast-check";
import { expect, it } from "vitest";
import { extent, pick, projector, turned } from "./space";
import type { Vec3, View } from "./space";

const number = fc.double({ min: -1000, max: 1000, noNaN: true });
const vec: fc.Arbitrary<Vec3> = fc.tuple(number, number, number);
const view: fc.Arbitrary<View> = fc.record({
  azimuth: fc.double({ min: -7, max: 7, noNaN: true }),
  elevation: fc.double({ min: -1.5, max: 1.5, noNaN: true }),
  zoom: fc.constant(1),
});

it("everything is on the picture, from wherever it is seen", () => {
  fc.assert(
    fc.property(fc.array(vec, { minLength: 1, maxLength: 30 }), view, (points, view) => {
      const project = projector(view, extent(points), 400, 300);
      for (const point of points) {
        const { x, y } = project(point);
        expect(Math.abs(x - 200)).toBeLessThanOrEqual(200);
        expect(Math.abs(y - 150)).toBeLessThanOrEqual(150);
      }
    }),
  );
});

it("a point is found where it is drawn", () => {
  const points: Vec3[] = [0, 90, 180, 270].map((angle) => turned([100, 0, 50], angle));
  const drawn = points.map(projector({ azimuth: 0.3, elevation: 0.4, zoom: 1 }, extent(points), 400, 300));
  drawn.forEach((at, index) => expect(pick(drawn, at.x + 2, at.y - 1, 10)).toBe(index));
  expect(pick(drawn, -50, -50, 10)).toBeNull();
});

it("seen from the front, up is up and what is nearer is in front", () => {
  const project = projector({ azimuth: 0, elevation: 0.2, zoom: 1 }, { middle: [0, 0, 0], radius: 100, level: 100, upright: 50 }, 200, 200);
  expect(project([0, 0, 50]).y).toBeLessThan(project([0, 0, 0]).y);
  expect(project([0, -50, 0]).near).toBeGreaterThan(project([0, 50, 0]).near);
  expect(project([50, 0, 0]).x).toBeGreaterThan(100);
});
