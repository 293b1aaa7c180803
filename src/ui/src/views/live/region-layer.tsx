/** Rectangles over the picture: drag to draw one, drag it or its edges to change it, arrow keys as well. */

import { useRef } from "preact/hooks";

import { between, pulled } from "./regions";
import type { Grip, Region } from "./regions";
import type { Rect } from "./analysis";

const GRIPS: readonly Grip[] = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
/** How far an arrow key moves an edge. */
const KEY_STEP = 0.01;
/** A drag that is shorter draws nothing. */
const SHORT = 0.015;

interface Props {
  regions: readonly Region[];
  selected: number | null;
  drawing: boolean;
  select: (id: number | null) => void;
  change: (id: number, rect: Rect) => void;
  draw: (rect: Rect) => void;
}

type Drag = { from: "new"; x: number; y: number; rect: Rect | null } | { from: Grip; id: number; x: number; y: number; rect: Rect };

export function RegionLayer({ regions, selected, drawing, select, change, draw }: Props) {
  const layer = useRef<HTMLDivElement>(null);
  const ghost = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | null>(null);

  const at = (event: PointerEvent): [number, number] => {
    const box = layer.current?.getBoundingClientRect();
    return box ? [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] : [0, 0];
  };
  const show = (rect: Rect | null) => {
    if (!ghost.current) return;
    ghost.current.hidden = rect === null;
    if (rect) Object.assign(ghost.current.style, place(rect));
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const target = event.target as HTMLElement;
    const id = Number(target.closest<HTMLElement>("[data-region]")?.dataset["region"]);
    const region = regions.find((region) => region.id === id);
    if (!region && !drawing) return;
    event.stopPropagation();
    const [x, y] = at(event);
    layer.current?.setPointerCapture(event.pointerId);
    drag.current = region
      ? { from: (target.dataset["grip"] as Grip | undefined) ?? "move", id, x, y, rect: region }
      : { from: "new", x, y, rect: null };
    select(region ? id : null);
  };
  const move = (event: PointerEvent) => {
    const held = drag.current;
    if (!held) return;
    event.stopPropagation();
    const [x, y] = at(event);
    if (held.from === "new") {
      const long = Math.abs(x - held.x) > SHORT && Math.abs(y - held.y) > SHORT;
      held.rect = long ? between(held.x, held.y, x, y) : null;
      show(held.rect);
    } else {
      change(held.id, pulled(held.rect, held.from, x - held.x, y - held.y));
    }
  };
  const up = () => {
    const held = drag.current;
    drag.current = null;
    show(null);
    if (held?.from === "new" && held.rect) draw(held.rect);
  };
  const key = (event: KeyboardEvent, region: Region) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const [dx, dy] = [(step[0] ?? 0) * KEY_STEP, (step[1] ?? 0) * KEY_STEP];
    change(region.id, pulled(region, event.shiftKey ? "se" : "move", dx, dy));
  };

  return (
    <div
      ref={layer}
      class={drawing ? "regions drawing-regions" : "regions"}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={up}
    >
      {regions.map((region) => (
        <div
          key={region.id}
          class={region.id === selected ? "region selected" : "region"}
          style={place(region)}
          data-region={region.id}
          tabIndex={0}
          role="button"
          aria-pressed={region.id === selected}
          aria-label={`${region.name}: arrow keys move it, with Shift they change its size`}
          onKeyDown={(event) => key(event, region)}
          onFocus={() => select(region.id)}
        >
          <span class="region-name">{region.name}</span>
          {region.id === selected && GRIPS.map((grip) => <i key={grip} class={`grip ${grip}`} data-grip={grip} />)}
        </div>
      ))}
      <div ref={ghost} class="region ghost" hidden />
    </div>
  );
}

function place(rect: Rect) {
  const part = (value: number) => `${(value * 100).toFixed(3)}%`;
  return { left: part(rect.x), top: part(rect.y), width: part(rect.width), height: part(rect.height) };
}
