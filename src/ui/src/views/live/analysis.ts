/** What is measured on a picture of the live view. Pure. */

/** Bins of a histogram. */
export const BINS = 64;
/** Levels at or beyond these are clipped. */
const DARK = 2;
const BRIGHT = 253;

export interface Measured {
  /** Pixels by brightness, dark to bright; the largest bin is 1. */
  histogram: Float32Array;
  /** Parts of all pixels. */
  clippedDark: number;
  clippedBright: number;
  /** Variance of the brightness' Laplacian: higher is sharper. Of the live picture, not of a photograph. */
  sharpness: number;
}

/** A picture as a canvas gives it: red, green, blue, opacity. */
export interface Pixels {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

/** A part of a picture, in parts (0 to 1) of its width and height. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const WHOLE: Rect = { x: 0, y: 0, width: 1, height: 1 };

/** Brightness of each pixel, as JPEG has it. */
export function luma({ width, height, data }: Pixels): Uint8Array {
  const grey = new Uint8Array(width * height);
  for (let index = 0, at = 0; index < grey.length; index += 1, at += 4) {
    grey[index] = (77 * data[at]! + 150 * data[at + 1]! + 29 * data[at + 2]!) >> 8;
  }
  return grey;
}

/** Measures the part `rect` of a picture. */
export function measure(grey: Uint8Array, width: number, height: number, rect: Rect): Measured {
  const left = Math.min(width - 1, Math.floor(rect.x * width));
  const top = Math.min(height - 1, Math.floor(rect.y * height));
  const right = Math.min(width, Math.max(left + 1, Math.ceil((rect.x + rect.width) * width)));
  const bottom = Math.min(height, Math.max(top + 1, Math.ceil((rect.y + rect.height) * height)));

  const histogram = new Float32Array(BINS);
  let [dark, bright] = [0, 0];
  let [sum, squares, inner] = [0, 0, 0];
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) {
      const at = y * width + x;
      const value = grey[at]!;
      histogram[(value * BINS) >> 8]! += 1;
      if (value <= DARK) dark += 1;
      else if (value >= BRIGHT) bright += 1;
      if (x === 0 || y === 0 || x === width - 1 || y === height - 1) continue;
      const laplacian = grey[at - 1]! + grey[at + 1]! + grey[at - width]! + grey[at + width]! - 4 * value;
      sum += laplacian;
      squares += laplacian * laplacian;
      inner += 1;
    }
  }
  const pixels = (right - left) * (bottom - top);
  const most = histogram.reduce((a, b) => Math.max(a, b), 1);
  const mean = inner > 0 ? sum / inner : 0;
  return {
    histogram: histogram.map((bin) => bin / most),
    clippedDark: dark / pixels,
    clippedBright: bright / pixels,
    sharpness: inner > 0 ? squares / inner - mean * mean : 0,
  };
}

/** Where brightness changes this much over two pixels, across and down, an edge is sharp. */
const EDGE = 100;

/** Marks sharp edges, and what is clipped, on `overlay`, which is of the picture's size and transparent. */
export function mark(grey: Uint8Array, overlay: Pixels, peaking: boolean, clipping: boolean): void {
  const { width, height, data } = overlay;
  const words = new Uint32Array(data.buffer, data.byteOffset, width * height);
  words.fill(0);
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      const at = y * width + x;
      const value = grey[at]!;
      // Little-endian: opacity, blue, green, red.
      if (clipping && value >= BRIGHT) words[at] = 0xff2020ff;
      else if (clipping && value <= DARK) words[at] = 0xffff6020;
      else if (peaking && Math.abs(grey[at + 1]! - grey[at - 1]!) + Math.abs(grey[at + width]! - grey[at - width]!) > EDGE) {
        words[at] = 0xff30ff60;
      }
    }
  }
}
