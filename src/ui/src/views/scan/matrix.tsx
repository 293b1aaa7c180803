/** Every shot as a cell, a row a camera: the drawing as a table, for keys and screen readers. */

import { useEffect, useRef } from "preact/hooks";

import type { Shot } from "../../api/types";
import { MARK_WORDS } from "./board";
import type { Mark } from "./board";

interface Props {
  shots: readonly Shot[];
  marks: readonly Mark[];
  cameras: readonly string[];
  selected: number | null;
  select: (shot: number) => void;
}

export function Matrix({ shots, marks, cameras, selected, select }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = cameras.length;
  // One cell can be reached by Tab; arrows go on from there.
  const current = selected ?? 0;
  const key = (event: KeyboardEvent) => {
    const step = { ArrowRight: width, ArrowLeft: -width, ArrowDown: 1, ArrowUp: -1 }[event.key];
    const target = event.key === "Home" ? 0 : event.key === "End" ? shots.length - 1 : step === undefined ? null : current + step;
    if (target === null) return;
    event.preventDefault();
    if (target < 0 || target >= shots.length) return;
    select(target);
  };
  useEffect(() => {
    const cell = box.current?.querySelector<HTMLElement>(`[data-shot="${current}"]`);
    if (box.current?.contains(document.activeElement)) cell?.focus();
  }, [current]);
  return (
    <div class="matrix" ref={box} role="grid" aria-label="Shots, a row a camera" onKeyDown={key}>
      {cameras.map((camera, row) => (
        <div key={camera} role="row" class="matrix-row">
          <span role="rowheader" class="mono dim">
            {camera}
          </span>
          <span class="cells" role="presentation">
            {shots.map((shot, index) =>
              index % width !== row ? null : (
                <button
                  type="button"
                  key={shot.shot}
                  role="gridcell"
                  class={`cell ${marks[index] ?? "pending"}`}
                  data-shot={index}
                  tabIndex={index === current ? 0 : -1}
                  aria-selected={index === selected}
                  aria-label={`${camera}, point ${shot.point}, ${shot.label}: ${MARK_WORDS[marks[index] ?? "pending"]}`}
                  title={`${shot.label}: ${MARK_WORDS[marks[index] ?? "pending"]}`}
                  onClick={() => select(index)}
                />
              ),
            )}
          </span>
        </div>
      ))}
    </div>
  );
}
