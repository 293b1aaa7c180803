/** How well parts of a model are covered, as colours and as words. */

import { fixed, unit } from "../../lib/format";

/** What gives the model its colours. */
export type Painted = "photographs" | "coverage";

type Rgb = readonly [number, number, number];

/** From nothing to all, as sRGB: told apart by those as well who do not tell red from green. */
export const STOPS: readonly Rgb[] = [
  [122, 31, 0],
  [217, 95, 14],
  [254, 227, 145],
  [116, 173, 209],
  [33, 102, 172],
];

/** The colour of a score of 0 to 1, as sRGB. */
export function colourOf(score: number): Rgb {
  const at = Math.max(0, Math.min(1, score)) * (STOPS.length - 1);
  const first = Math.min(Math.floor(at), STOPS.length - 2);
  const [from, to] = [STOPS[first], STOPS[first + 1]];
  if (!from || !to) return [0, 0, 0];
  const mix = (channel: 0 | 1 | 2) => from[channel] + (to[channel] - from[channel]) * (at - first);
  return [mix(0), mix(1), mix(2)];
}

/** The colours of all scores, red, green and blue one after the other, in linear light. */
export function ramp(scores: ArrayLike<number>): Float32Array {
  const colours = new Float32Array(scores.length * 3);
  for (let index = 0; index < scores.length; index += 1) {
    colourOf(scores[index] ?? 0).forEach((channel, place) => (colours[index * 3 + place] = linear(channel / 255)));
  }
  return colours;
}

function linear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

interface Place {
  x: number;
  y: number;
  z: number;
}

/** Where most of the points are, and how far from there nine of ten of them are at most. */
export function middle(points: readonly Place[]): { centre: Place; reach: number } {
  const part = (values: number[], of: number) => values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * of))] ?? 0;
  const half = (axis: keyof Place) => part(points.map((point) => point[axis]), 0.5);
  const centre = { x: half("x"), y: half("y"), z: half("z") };
  const away = points.map(({ x, y, z }) => Math.hypot(x - centre.x, y - centre.y, z - centre.z));
  return { centre, reach: part(away, 0.9) };
}

/** How well a model is covered, in a sentence. */
export function inWords(well: number, unseen: number): string {
  const of = (part: number) => unit(fixed(part, part >= 10 || part === 0 ? 0 : 1), "%");
  const verdict = well >= 90 ? "All but little" : well >= 70 ? "Most" : well >= 40 ? "A good part" : "Little";
  const rest = unseen >= 0.05 ? `; ${of(unseen)} is in no image` : "";
  return `${verdict} of the surface is well covered: ${of(well)}${rest}.`;
}
