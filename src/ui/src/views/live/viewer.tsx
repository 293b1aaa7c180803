/** The live picture: newest frame only, with zoom, and what is measured drawn over it. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { Icon } from "../../parts/icon";
import { luma, mark, measure } from "./analysis";
import type { Measured, Rect } from "./analysis";

/** Pictures are measured in this width at most, and this often. */
const MEASURED_WIDTH = 480;
const MEASURE_MS = 150;
const MAX_ZOOM = 8;

export interface Shown {
  peaking: boolean;
  clipping: boolean;
  /** Of this part the numbers are. */
  part: Rect;
}

/** Where pictures are put, from outside the drawing of components: they come thirty times a second. */
export class Screen {
  canvas: HTMLCanvasElement | null = null;
  overlay: HTMLCanvasElement | null = null;
  shown: Shown = { peaking: false, clipping: false, part: { x: 0, y: 0, width: 1, height: 1 } };
  #next: Blob | null = null;
  #busy = false;
  #measured = 0;
  readonly #small = document.createElement("canvas");

  constructor(
    private readonly told: (measured: Measured) => void,
    private readonly sized: (width: number, height: number) => void,
  ) {}

  /** Shows a picture, unless a newer one comes before it is decoded. */
  put(jpeg: Blob): void {
    this.#next = jpeg;
    if (!this.#busy) void this.#show();
  }

  async #show(): Promise<void> {
    this.#busy = true;
    while (this.#next) {
      const jpeg = this.#next;
      this.#next = null;
      try {
        const picture = await createImageBitmap(jpeg);
        this.#draw(picture);
        picture.close();
      } catch {
        // A picture that cannot be decoded: the next one comes at once.
      }
    }
    this.#busy = false;
  }

  #draw(picture: ImageBitmap): void {
    const { canvas } = this;
    const context = canvas?.getContext("2d");
    if (!canvas || !context) return;
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
      this.sized(picture.width, picture.height);
    }
    context.drawImage(picture, 0, 0);
    const now = performance.now();
    if (now - this.#measured < MEASURE_MS) return;
    this.#measured = now;
    this.#measure(picture);
  }

  #measure(picture: ImageBitmap): void {
    const width = Math.min(MEASURED_WIDTH, picture.width);
    const height = Math.max(1, Math.round((picture.height * width) / picture.width));
    this.#small.width = width;
    this.#small.height = height;
    const context = this.#small.getContext("2d", { willReadFrequently: true });
    if (!context) return;
    context.drawImage(picture, 0, 0, width, height);
    const grey = luma(context.getImageData(0, 0, width, height));
    const { peaking, clipping, part } = this.shown;
    this.told(measure(grey, width, height, part));
    const { overlay } = this;
    const over = overlay?.getContext("2d");
    if (!overlay || !over) return;
    overlay.width = width;
    overlay.height = height;
    if (!peaking && !clipping) return;
    const marks = over.createImageData(width, height);
    mark(grey, marks, peaking, clipping);
    over.putImageData(marks, 0, 0);
  }
}

interface View {
  /** Over what fits. */
  zoom: number;
  /** What is in the middle, in parts of the picture. */
  x: number;
  y: number;
}

const FIT: View = { zoom: 1, x: 0.5, y: 0.5 };

interface Props {
  screen: Screen;
  /** Width over height. */
  aspect: number;
  label: string;
  children?: ComponentChildren;
  /** What is said over the picture, if anything. */
  notice: ComponentChildren;
  stale: boolean;
}

export function Viewer({ screen, aspect, label, children, notice, stale }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const moved = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const [view, setView] = useState<View>(FIT);
  const held = useRef(new Map<number, { x: number; y: number }>());

  useEffect(() => {
    screen.canvas = canvas.current;
    screen.overlay = overlay.current;
  }, [screen]);

  const zoom = (factor: number, at?: { x: number; y: number }) =>
    setView((view) => {
      const zoom = Math.min(MAX_ZOOM, Math.max(1, view.zoom * factor));
      const rect = moved.current?.getBoundingClientRect();
      if (!at || !rect) return kept({ ...view, zoom });
      // What is under the pointer stays there.
      const [u, v] = [(at.x - rect.left) / rect.width, (at.y - rect.top) / rect.height];
      const shrunk = view.zoom / zoom;
      return kept({ zoom, x: u + (view.x - u) * shrunk, y: v + (view.y - v) * shrunk });
    });
  /** By parts of the picture. */
  const shift = (dx: number, dy: number) => setView((view) => kept({ ...view, x: view.x + dx, y: view.y + dy }));

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * 0.002), { x: event.clientX, y: event.clientY });
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, []);

  const down = (event: PointerEvent) => {
    if ((event.target as Element).closest("button")) return;
    box.current?.setPointerCapture(event.pointerId);
    held.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
  };
  const move = (event: PointerEvent) => {
    const before = held.current.get(event.pointerId);
    const rect = moved.current?.getBoundingClientRect();
    if (!before || !rect) return;
    const spread = () => {
      const [a, b] = [...held.current.values()];
      return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
    };
    const apart = spread();
    held.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (held.current.size > 1 && apart > 0) zoom(spread() / apart, { x: event.clientX, y: event.clientY });
    else shift((before.x - event.clientX) / rect.width, (before.y - event.clientY) / rect.height);
  };
  const up = (event: PointerEvent) => void held.current.delete(event.pointerId);
  const key = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (step) shift((step[0] ?? 0) / view.zoom, (step[1] ?? 0) / view.zoom);
    else if (event.key === "+" || event.key === "=") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else if (event.key === "0") setView(FIT);
    else return;
    event.preventDefault();
  };

  const place = {
    aspectRatio: String(aspect),
    transform: `scale(${view.zoom}) translate(${(0.5 - view.x) * 100}%, ${(0.5 - view.y) * 100}%)`,
  };
  return (
    <div class="viewer">
      <div
        ref={box}
        class={view.zoom > 1 ? "screen zoomed" : "screen"}
        style={{ aspectRatio: String(aspect) }}
        tabIndex={0}
        role="group"
        aria-label={`${label}. Plus and minus change the zoom, arrow keys move the picture, 0 fits it.`}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={up}
        onKeyDown={key}
      >
        <div class="moved" ref={moved} style={place}>
          <canvas ref={canvas} class={stale ? "frame stale" : "frame"} role="img" aria-label={label} width={16} height={9} />
          <canvas ref={overlay} class="overlay" aria-hidden="true" width={16} height={9} />
          {children}
        </div>
        {notice && <div class="screen-notice">{notice}</div>}
      </div>
      <div class="zoom row" role="group" aria-label="Zoom">
        <button type="button" class="plain square" aria-label="Zoom out" disabled={view.zoom <= 1} onClick={() => zoom(1 / 1.5)}>
          <Icon name="minus" />
        </button>
        <output class="small">{Math.round(view.zoom * 100)} %</output>
        <button type="button" class="plain square" aria-label="Zoom in" disabled={view.zoom >= MAX_ZOOM} onClick={() => zoom(1.5)}>
          <Icon name="plus" />
        </button>
        <button type="button" class="plain square" aria-label="Fit" disabled={view.zoom === 1} onClick={() => setView(FIT)}>
          <Icon name="fit" />
        </button>
      </div>
    </div>
  );
}

/** Nothing beyond the picture's edges is shown. */
function kept({ zoom, x, y }: View): View {
  const half = 0.5 / zoom;
  const within = (value: number) => Math.min(1 - half, Math.max(half, value));
  return { zoom, x: within(x), y: within(y) };
}
