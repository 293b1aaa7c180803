/** A binary message of a live view: a header and a JPEG. Pure. */

/** "SLV1", as the first four bytes are read. */
const MAGIC = 0x3156_4c53;
const HEADER = 44;

export interface Frame {
  /** One more than that of the frame before. */
  number: number;
  width: number;
  height: number;
  /** Variance of the brightness' Laplacian. */
  sharpness: number;
  /** Parts of the pixels at black and at white. */
  clippedDark: number;
  clippedBright: number;
  /** Seconds. */
  exposure: number;
  gain: number;
  /** Dioptres; null without a lens that moves. */
  focus: number | null;
  jpeg: Blob;
}

/** The frame in `message`; null if it is none. */
export function parse(message: ArrayBuffer): Frame | null {
  if (message.byteLength <= HEADER) return null;
  const view = new DataView(message);
  if (view.getUint32(0, true) !== MAGIC) return null;
  const float = (at: number) => view.getFloat32(at, true);
  const focus = float(40);
  return {
    number: view.getUint32(4, true),
    width: view.getUint16(16, true),
    height: view.getUint16(18, true),
    sharpness: float(20),
    clippedDark: float(24),
    clippedBright: float(28),
    exposure: float(32),
    gain: float(36),
    focus: Number.isNaN(focus) ? null : focus,
    jpeg: new Blob([new Uint8Array(message, HEADER)], { type: "image/jpeg" }),
  };
}
