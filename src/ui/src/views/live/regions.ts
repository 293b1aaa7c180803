/** Rectangles: drawn on the picture, moved, resized, named; kept as parts of the camera's field of view. Pure. */

import type { Controls } from "../../api/types";
import type { Rect } from "./analysis";

export interface Region extends Rect {
  id: number;
  name: string;
}

/** What of a rectangle is held: all of it, or edges. */
export type Grip = "move" | "n" | "s" | "e" | "w" | "ne" | "nw" | "se" | "sw";

/** No region is smaller, in parts of the picture. */
export const LEAST = 0.02;

const within = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** The rectangle between two corners, whichever they are, within the picture. */
export function between(x1: number, y1: number, x2: number, y2: number): Rect {
  const [left, right] = [within(Math.min(x1, x2), 0, 1 - LEAST), within(Math.max(x1, x2), 0, 1)];
  const [top, bottom] = [within(Math.min(y1, y2), 0, 1 - LEAST), within(Math.max(y1, y2), 0, 1)];
  return { x: left, y: top, width: Math.max(LEAST, right - left), height: Math.max(LEAST, bottom - top) };
}

/** `rect` with `grip` pulled by so much; it stays within the picture, and keeps its size when it is moved. */
export function pulled(rect: Rect, grip: Grip, dx: number, dy: number): Rect {
  if (grip === "move") {
    return { ...rect, x: within(rect.x + dx, 0, 1 - rect.width), y: within(rect.y + dy, 0, 1 - rect.height) };
  }
  let [left, top, right, bottom] = [rect.x, rect.y, rect.x + rect.width, rect.y + rect.height];
  if (grip.includes("w")) left = within(left + dx, 0, right - LEAST);
  if (grip.includes("e")) right = within(right + dx, left + LEAST, 1);
  if (grip.includes("n")) top = within(top + dy, 0, bottom - LEAST);
  if (grip.includes("s")) bottom = within(bottom + dy, top + LEAST, 1);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** A rectangle of the field of view in the picture that shows the part `crop` of it; parts of it may lie outside. */
export function shownIn(crop: Rect, rect: Rect): Rect {
  return {
    x: (rect.x - crop.x) / crop.width,
    y: (rect.y - crop.y) / crop.height,
    width: rect.width / crop.width,
    height: rect.height / crop.height,
  };
}

/** A rectangle of the picture that shows `crop`, in the field of view. */
export function ofField(crop: Rect, rect: Rect): Rect {
  return {
    x: crop.x + rect.x * crop.width,
    y: crop.y + rect.y * crop.height,
    width: rect.width * crop.width,
    height: rect.height * crop.height,
  };
}

/** What of a rectangle is within the picture; null if that is next to nothing. */
export function visible(rect: Rect): Rect | null {
  const [left, top] = [Math.max(0, rect.x), Math.max(0, rect.y)];
  const [right, bottom] = [Math.min(1, rect.x + rect.width), Math.min(1, rect.y + rect.height)];
  if (right - left < LEAST || bottom - top < LEAST) return null;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** `controls` with another crop, or none. What autofocus looks at is a part of the picture, which is another one then. */
export function withCrop(controls: Controls, configured: Rect, crop: Rect | null): Controls {
  const { crop: before, focus_window: window, ...rest } = controls;
  const moved = window && visible(shownIn(crop ?? configured, ofField(before ?? configured, window)));
  return { ...rest, ...(crop && { crop: rounded(crop) }), ...(moved && { focus_window: rounded(moved) }) };
}

/** As cameras are told: without more digits than matter, and still within. */
export function rounded({ x, y, width, height }: Rect): Rect {
  const round = (value: number) => Math.round(value * 1e4) / 1e4;
  const size = (from: number, length: number) => round(Math.min(round(length), 1 - round(from)));
  return { x: round(x), y: round(y), width: size(x, width), height: size(y, height) };
}

/** A new region gets the first number that no other has. */
export function added(regions: readonly Region[], rect: Rect): [Region[], Region] {
  const taken = new Set(regions.map((region) => region.id));
  let id = 1;
  while (taken.has(id)) id += 1;
  const region = { ...rect, id, name: `Region ${id}` };
  return [[...regions, region], region];
}

/** What was kept of regions in this browser; nothing of what cannot be read. */
export function parsed(text: string | null): Region[] {
  if (text === null) return [];
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter(isRegion) : [];
  } catch {
    return [];
  }
}

function isRegion(value: unknown): value is Region {
  if (typeof value !== "object" || value === null) return false;
  const { id, name, x, y, width, height } = value as Record<string, unknown>;
  const inside = (from: unknown, size: unknown) =>
    typeof from === "number" && typeof size === "number" && from >= 0 && size > 0 && from + size <= 1 + 1e-9;
  return inside(x, width) && inside(y, height) && typeof id === "number" && typeof name === "string";
}
