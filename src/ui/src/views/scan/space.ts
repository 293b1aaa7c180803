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

/** What is drawn: its middle, and how far from there it reaches, in all, level, and upright. */
export interface Extent {
  middle: Vec3;
  radius: number;
  level: number;
  upright: number;
}

export function extent(points: readonly Vec3[]): Extent {
  const all: readonly Vec3[] = [...points, [0, 0, 0]];
  const range = (axis: 0 | 1 | 2) => {
    const values = all.map((point) => point[axis]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  };
  const middle: Vec3 = [range(0), range(1), range(2)];
  const far = (point: Vec3) => Math.hypot(point[0] - middle[0], point[1] - middle[1], point[2] - middle[2]);
  const level = Math.max(1, ...all.map((point) => Math.hypot(point[0] - middle[0], point[1] - middle[1])));
  const upright = Math.max(...all.map((point) => Math.abs(point[2] - middle[2])));
  return { middle, radius: Math.max(1, ...all.map(far)), level, upright };
}

/** A slight perspective, so that near and far can be told. */
const DISTANCE = 4;
/** Of the picture, from its middle. */
const MARGIN = 0.46;

/** Projects onto a picture of `width` by `height`; z is up. */
export function projector(view: View, extent: Extent, width: number, height: number): (point: Vec3) => Projected {
  const { middle, radius } = extent;
  const [sinA, cosA] = [Math.sin(view.azimuth), Math.cos(view.azimuth)];
  const [sinE, cosE] = [Math.sin(view.elevation), Math.cos(view.elevation)];
  const scale = view.zoom * fit(extent, sinE, cosE, width, height);
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

/** How large it can be drawn, from whichever side it is seen: it does not change its size when it is turned. */
function fit({ radius, level, upright }: Extent, sinE: number, cosE: number, width: number, height: number): number {
  const corner = (z: number, back: number) => {
    const near = sinE * z - cosE * back;
    return (Math.abs(cosE * z + sinE * back) * DISTANCE) / (DISTANCE - near / radius);
  };
  const high = Math.max(1, ...[upright, -upright].flatMap((z) => [corner(z, level), corner(z, -level)]));
  // Perspective makes what is level wider by this at most, where it is a little in front of the middle.
  const wide = (level * DISTANCE) / Math.sqrt(DISTANCE ** 2 - 1) + radius * 0.02;
  return Math.min((width * MARGIN) / wide, (height * MARGIN) / high);
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
