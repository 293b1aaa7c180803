/** The shots of a plan where their cameras stand around the object: drag to turn, wheel or pinch to come nearer. */

import { useEffect, useMemo, useRef } from "preact/hooks";

import type { PlanDetail } from "../../api/types";
import { amount } from "../../lib/quantity";
import type { Mark } from "./board";
import { FRONT, extent, pick, projector, turned } from "./space";
import type { Projected, Vec3, View } from "./space";

/** Where nobody said where the cameras are mounted: a plausible distance, in millimetres. */
const SUPPOSED_MM = 300;
const REACH = 14;
const STEPS = 72;

/** Where each shot of `plan` is taken from, in millimetres, in the object's frame. */
export function eyes(plan: PlanDetail): Vec3[] {
  return plan.points.flatMap((point) =>
    plan.cameras.map((_, camera): Vec3 => {
      const eye = point.eyes[camera];
      if (eye) return [eye.at[0] ?? 0, eye.at[1] ?? 0, eye.at[2] ?? 0];
      const tilt = (amount(point.pose.tilt) * Math.PI) / 180;
      const far = SUPPOSED_MM - amount(point.pose.rail);
      return turned([far * Math.cos(tilt), 0, far * Math.sin(tilt) + amount(point.pose.lift) + 20 * camera], -amount(point.pose.turntable));
    }),
  );
}

interface Props {
  plan: PlanDetail;
  /** Of each shot, in the order of the plan. */
  marks: readonly Mark[];
  selected: number | null;
  select: (shot: number) => void;
}

export function Drawing({ plan, marks, selected, select }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useRef<View>({ ...FRONT });
  const drawn = useRef<Projected[]>([]);
  const points = useMemo(() => eyes(plan), [plan]);
  const bounds = useMemo(() => extent(points), [points]);

  const draw = () => {
    const element = canvas.current;
    if (!element) return;
    const scene = sized(element);
    if (!scene) return;
    const project = projector(view.current, bounds, scene.width, scene.height);
    drawn.current = points.map(project);
    paint(scene, project, drawn.current, points, marks, selected);
  };
  const latest = useRef(draw);
  latest.current = draw;
  useEffect(draw);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const again = () => latest.current();
    const size = new ResizeObserver(again);
    size.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", again);
    const theme = new MutationObserver(again);
    theme.observe(document.documentElement, { attributes: true });
    const end = followPointers(element, view.current, again, (x, y) => {
      const found = pick(drawn.current, x, y, REACH);
      if (found !== null) select(found);
    });
    return () => {
      size.disconnect();
      theme.disconnect();
      scheme.removeEventListener("change", again);
      end();
    };
  }, []);

  const key = (event: KeyboardEvent) => {
    const turn = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.08], ArrowDown: [0, -0.08] }[event.key];
    if (turn) orbit(view.current, turn[0] ?? 0, turn[1] ?? 0);
    else if (event.key === "+" || event.key === "=") zoom(view.current, 1.15);
    else if (event.key === "-") zoom(view.current, 1 / 1.15);
    else if (event.key === "0") Object.assign(view.current, FRONT);
    else return;
    event.preventDefault();
    draw();
  };

  return (
    <canvas
      ref={canvas}
      class="drawing"
      tabIndex={0}
      role="img"
      aria-label={`${plan.points.length} points around the object, ${plan.cameras.length} cameras. Arrow keys turn the drawing, plus and minus change its size, 0 puts it back; the table of shots says the same.`}
      onKeyDown={key}
    />
  );
}

function orbit(view: View, azimuth: number, elevation: number): void {
  view.azimuth += azimuth;
  view.elevation = Math.max(-0.3, Math.min(1.55, view.elevation + elevation));
}

function zoom(view: View, factor: number): void {
  view.zoom = Math.max(0.6, Math.min(6, view.zoom * factor));
}

function followPointers(element: HTMLElement, view: View, changed: () => void, click: (x: number, y: number) => void): () => void {
  const held = new Map<number, { x: number; y: number }>();
  let moved = 0;
  const spread = () => {
    const [a, b] = [...held.values()];
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  };
  const end = new AbortController();
  const on = <K extends keyof HTMLElementEventMap>(type: K, heard: (event: HTMLElementEventMap[K]) => void, passive = true) =>
    element.addEventListener(type, heard, { signal: end.signal, passive });
  on("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    if (held.size === 0) moved = 0;
    held.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  });
  on("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const apart = spread();
    const [dx, dy] = [event.offsetX - before.x, event.offsetY - before.y];
    moved += Math.abs(dx) + Math.abs(dy);
    held.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    if (held.size === 1) orbit(view, -dx * 0.008, dy * 0.008);
    else if (apart > 0) zoom(view, spread() / apart);
    changed();
  });
  const up = (event: PointerEvent) => {
    if (held.delete(event.pointerId) && held.size === 0 && moved < 6 && event.type === "pointerup") click(event.offsetX, event.offsetY);
  };
  on("pointerup", up);
  on("pointercancel", up);
  on(
    "wheel",
    (event) => {
      event.preventDefault();
      zoom(view, Math.exp(-event.deltaY * 0.0015));
      changed();
    },
    false,
  );
  return () => end.abort();
}

interface Scene {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  colour: (name: string) => string;
}

/** The canvas in the size in which it is shown, in pixels of the page. */
function sized(element: HTMLCanvasElement): Scene | null {
  const context = element.getContext("2d");
  const { clientWidth: width, clientHeight: height } = element;
  if (!context || width === 0 || height === 0) return null;
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (element.width !== wide) element.width = wide;
  if (element.height !== high) element.height = high;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  // A variable is text; only a colour that is used has a value.
  const style = getComputedStyle(element);
  return { context, width, height, colour: (name) => style.getPropertyValue(`--paint-${name}`) || "#888" };
}

function paint(
  scene: Scene,
  project: (point: Vec3) => Projected,
  drawn: readonly Projected[],
  points: readonly Vec3[],
  marks: readonly Mark[],
  selected: number | null,
): void {
  const { context, colour } = scene;
  const ring = (radius: number, z: number) => {
    context.beginPath();
    for (let step = 0; step <= STEPS; step += 1) {
      const at = project(turned([radius, 0, z], (360 * step) / STEPS));
      if (step === 0) context.moveTo(at.x, at.y);
      else context.lineTo(at.x, at.y);
    }
  };
  const reach = Math.max(...points.map(([x, y]) => Math.hypot(x, y)), 1);
  // The turntable, and what shows which way is which.
  ring(reach * 0.28, 0);
  context.fillStyle = colour("table");
  context.fill();
  context.strokeStyle = colour("line");
  context.lineWidth = 1;
  context.stroke();
  const heights = new Map(points.map(([x, y, z]) => [`${Math.hypot(x, y).toFixed(0)} ${z.toFixed(0)}`, [Math.hypot(x, y), z] as const]));
  if (heights.size <= 24) {
    for (const [radius, z] of heights.values()) {
      ring(radius, z);
      context.stroke();
    }
  }
  const [foot, top] = [project([0, 0, 0]), project([0, 0, reach * 0.16])];
  line(context, foot, top, colour("axis"), 1.5);
  line(context, foot, project([reach * 0.28, 0, 0]), colour("axis"), 1.5);

  if (selected !== null) {
    const at = drawn[selected];
    if (at) line(context, at, top, colour("accent"), 1);
  }
  const order = drawn.map((_, index) => index).sort((a, b) => (drawn[a]?.near ?? 0) - (drawn[b]?.near ?? 0));
  for (const index of order) {
    const at = drawn[index];
    const mark = marks[index];
    if (at && mark) dot(context, at, mark, colour, index === selected);
  }
}

function line(context: CanvasRenderingContext2D, from: Projected, to: Projected, colour: string, width: number): void {
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

/** States differ in shape as well as in colour. */
function dot(context: CanvasRenderingContext2D, { x, y }: Projected, mark: Mark, colour: (name: string) => string, selected: boolean): void {
  context.lineWidth = 1.5;
  context.strokeStyle = context.fillStyle = colour(mark);
  context.beginPath();
  switch (mark) {
    case "pending":
      context.arc(x, y, 2.5, 0, 7);
      context.stroke();
      break;
    case "active":
      context.arc(x, y, 5.5, 0, 7);
      context.stroke();
      context.beginPath();
      context.arc(x, y, 2.5, 0, 7);
      context.fill();
      break;
    case "done":
      context.arc(x, y, 3.5, 0, 7);
      context.fill();
      break;
    case "retried":
      context.rect(x - 3.4, y - 3.4, 6.8, 6.8);
      context.fill();
      break;
    case "soft":
      context.moveTo(x, y - 5);
      context.lineTo(x + 5, y + 3.6);
      context.lineTo(x - 5, y + 3.6);
      context.closePath();
      context.fill();
      break;
    case "flagged":
      context.moveTo(x, y - 5.5);
      context.lineTo(x + 5.5, y);
      context.lineTo(x, y + 5.5);
      context.lineTo(x - 5.5, y);
      context.closePath();
      context.fill();
      break;
    case "failed":
      context.lineWidth = 2.2;
      context.moveTo(x - 4, y - 4);
      context.lineTo(x + 4, y + 4);
      context.moveTo(x + 4, y - 4);
      context.lineTo(x - 4, y + 4);
      context.stroke();
  }
  if (!selected) return;
  context.beginPath();
  context.arc(x, y, 9, 0, 7);
  context.strokeStyle = colour("text");
  context.lineWidth = 1.5;
  context.stroke();
}
