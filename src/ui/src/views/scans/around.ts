/** Where images were taken from, as drawings from above and from the side: millimetres, y downward as on a screen. Pure. */

/** As the API has it; without a pose where nobody said where the camera is mounted. */
export interface Posed {
  camera: string;
  image: string;
  centre?: number[] | null | undefined;
  rotation?: number[][] | null | undefined;
}

/** A camera, from where it stands towards where it looks. */
export interface Arrow {
  camera: string;
  image: string;
  x: number;
  y: number;
  toX: number;
  toY: number;
}

export interface Around {
  above: Arrow[];
  side: Arrow[];
  /** The greatest distance from the axis, and the lowest and highest place. */
  reach: number;
  lowest: number;
  highest: number;
}

/** An arrow is this part of the way to the axis. */
const LENGTH = 0.16;

/** Of the images whose pose is known; null if there is none. */
export function around(views: readonly Posed[]): Around | null {
  const known = views.flatMap(({ camera, image, centre, rotation }) => {
    const [x, y, z] = centre ?? [];
    // The third row of the rotation is where the camera looks.
    const [fx, fy, fz] = rotation?.[2] ?? [];
    if (x === undefined || y === undefined || z === undefined || fx === undefined || fy === undefined || fz === undefined) return [];
    return [{ camera, image, x, y, z, fx, fy, fz, far: Math.hypot(x, y) }];
  });
  if (known.length === 0) return null;
  const reach = Math.max(1, ...known.map(({ far }) => far));
  const long = reach * LENGTH;
  const above = known.map(({ camera, image, x, y, fx, fy }) => ({ camera, image, x, y: -y, toX: x + fx * long, toY: -(y + fy * long) }));
  const side = known.map(({ camera, image, x, y, z, fx, fy, fz, far }) => {
    // What goes outward; of a camera on the axis itself, all of it.
    const outward = far > 1e-9 ? (fx * x + fy * y) / far : Math.hypot(fx, fy);
    return { camera, image, x: far, y: -z, toX: far + outward * long, toY: -(z + fz * long) };
  });
  const heights = known.map(({ z }) => z);
  return { above, side, reach, lowest: Math.min(...heights), highest: Math.max(...heights) };
}

/** What an SVG shows of `arrows` and of the axis, with a margin. */
export function box(arrows: readonly Arrow[]): { x: number; y: number; width: number; height: number } {
  const xs = [0, ...arrows.flatMap(({ x, toX }) => [x, toX])];
  const ys = [0, ...arrows.flatMap(({ y, toY }) => [y, toY])];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - left, Math.max(...ys) - top];
  const margin = 0.08 * Math.max(width, height, 1);
  return { x: left - margin, y: top - margin, width: width + 2 * margin, height: height + 2 * margin };
}
