/** Where things are on the drawing of a plan: points in space, seen from around. Pure. */

export type Vec3 = readonly [number, number, number];

/** From where the drawing is seen, in radians; and how near. */
export interface View {
  azimuth: number;
  elevation: number;
  zoom: number;
}

export const FRONT: View = { azimuth: -0.6, elevation: 0.42, zoom: 1 };

export interface Projected {
  x: number;
  y: number;
  /** Larger is nearer. */
  near: number;
}

/** What is drawn: its middle and the distance of what is farthest from it. */
export interface Extent {
  middle: Vec3;
  radius: number;
}

export function extent(points: readonly Vec3[]): Extent {
  const all: readonly Vec3[] = [...points, [0, 0, 0]];
  const range = (axis: 0 | 1 | 2) => {
    const values = all.map((point) => point[axis]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  };
  const middle: Vec3 = [range(0), range(1), range(2)];
  const far = (point: Vec3) => Math.hypot(point[0] - middle[0], point[1] - middle[1], point[2] - middle[2]);
  return { middle, radius: Math.max(1, ...all.map(far)) };
}

/** A slight perspective, so that near and far can be told. */
const DISTANCE = 4;

/** Projects onto a picture of `width` by `height`; z is up. */
export function projector(view: View, { middle, radius }: Extent, width: number, height: number): (point: Vec3) => Projected {
  const [sinA, cosA] = [Math.sin(view.azimuth), Math.cos(view.azimuth)];
  const [sinE, cosE] = [Math.sin(view.elevation), Math.cos(view.elevation)];
  const scale = (view.zoom * Math.min(width, height) * 0.46) / radius;
  return ([px, py, pz]) => {
    const [x, y, z] = [px - middle[0], py - middle[1], pz - middle[2]];
    const right = cosA * x + sinA * y;
    const back = -sinA * x + cosA * y;
    const up = cosE * z + sinE * back;
    const near = sinE * z - cosE * back;
    const perspective = DISTANCE / (DISTANCE - near / radius);
    return { x: width / 2 + right * scale * perspective, y: height / 2 - up * scale * perspective, near };
  };
}

/** The nearest of `points` to a place on the drawing, if one is within reach. */
export function pick(points: readonly Projected[], x: number, y: number, reach: number): number | null {
  let best: number | null = null;
  let least = reach * reach;
  points.forEach((point, index) => {
    const distance = (point.x - x) ** 2 + (point.y - y) ** 2 - point.near * 1e-3;
    if (distance < least) {
      least = distance;
      best = index;
    }
  });
  return best;
}

/** Degrees around an upright axis. */
export function turned([x, y, z]: Vec3, degrees: number): Vec3 {
  const angle = (degrees * Math.PI) / 180;
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  return [cos * x - sin * y, sin * x + cos * y, z];
}
