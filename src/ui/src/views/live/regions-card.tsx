/** The list of regions: names, and what each is used for. */

import type { CameraInfo, Controls } from "../../api/types";
import { percent } from "../../lib/format";
import { Icon } from "../../parts/icon";
import { without } from "./settings";
import type { Rect } from "./analysis";
import type { Region } from "./regions";
import type { Settings } from "./use-controls";

interface Props {
  camera: CameraInfo;
  settings: Settings;
  disabled: boolean;
  regions: readonly Region[];
  selected: number | null;
  /** The one whose numbers are shown. */
  measured: number | null;
  drawing: boolean;
  setDrawing: (on: boolean) => void;
  select: (id: number | null) => void;
  measure: (id: number | null) => void;
  rename: (id: number, name: string) => void;
  remove: (id: number) => void;
}

/** What a camera can use a rectangle for. */
const USES: readonly { control: "focus_window" | "crop"; text: string }[] = [
  { control: "focus_window", text: "Autofocus" },
  { control: "crop", text: "Crop" },
];

export function RegionsCard(props: Props) {
  const { regions, drawing, setDrawing, camera, settings, disabled } = props;
  const chosen = regions.find((region) => region.id === props.selected);
  return (
    <section class="card stack tight" aria-label="Regions">
      <div class="row spread">
        <h2>Regions</h2>
        <button type="button" aria-pressed={drawing} onClick={() => setDrawing(!drawing)}>
          <Icon name="region" />
          {drawing ? "Drag on the picture" : "Draw"}
        </button>
      </div>
      {regions.length === 0 && <p class="dim small">Rectangles on the picture, by which to measure and to set the camera.</p>}
      <ul class="stack tight">
        {regions.map((region) => (
          <li key={region.id} class={region.id === props.selected ? "region-row selected" : "region-row"}>
            <input
              aria-label="Name"
              value={region.name}
              maxLength={40}
              onFocus={() => props.select(region.id)}
              onInput={(event) => props.rename(region.id, event.currentTarget.value)}
            />
            <button
              type="button"
              aria-pressed={props.measured === region.id}
              title="Sharpness and histogram of this region"
              onClick={() => props.measure(props.measured === region.id ? null : region.id)}
            >
              Measure
            </button>
            <button type="button" class="plain square" aria-label={`Remove ${region.name}`} onClick={() => props.remove(region.id)}>
              <Icon name="trash" />
            </button>
          </li>
        ))}
      </ul>
      {chosen && <Uses camera={camera} settings={settings} disabled={disabled} region={chosen} />}
    </section>
  );
}

function Uses({ camera, settings, disabled, region }: { camera: CameraInfo; settings: Settings; disabled: boolean; region: Region }) {
  const has = (name: string) => camera.controls.some((control) => control.name === name);
  const possible = USES.filter(({ control }) => has(control));
  const rect: Rect = rounded(region);
  const toggle = (control: "focus_window" | "crop", on: boolean): Controls =>
    on ? { ...settings.chosen, [control]: rect } : without(settings.chosen, control);
  return (
    <div class="stack tight">
      <p class="small dim">
        {region.name}: {percent(rect.width, 0)} × {percent(rect.height, 0)} of the picture, from {percent(rect.x, 0)}, {percent(rect.y, 0)}
      </p>
      {possible.length > 0 && (
        <div class="row">
          {possible.map(({ control, text }) => {
            const on = same(settings.chosen[control], rect);
            return (
              <button type="button" key={control} aria-pressed={on} disabled={disabled} onClick={() => settings.choose(toggle(control, !on))}>
                {text}
              </button>
            );
          })}
        </div>
      )}
    </div>
  );
}

function rounded({ x, y, width, height }: Rect): Rect {
  const round = (value: number) => Math.round(value * 1000) / 1000;
  return { x: round(x), y: round(y), width: Math.min(round(width), 1 - round(x)), height: Math.min(round(height), 1 - round(y)) };
}

function same(one: Rect | null | undefined, other: Rect): boolean {
  const near = (a: number, b: number) => Math.abs(a - b) < 1e-3;
  return one != null && near(one.x, other.x) && near(one.y, other.y) && near(one.width, other.width) && near(one.height, other.height);
}
