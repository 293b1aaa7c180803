/** The list of regions: names, and what each is used for. */

import type { CameraInfo } from "../../api/types";
import { percent } from "../../lib/format";
import { Icon } from "../../parts/icon";
import { without } from "./settings";
import { WHOLE } from "./analysis";
import type { Rect } from "./analysis";
import { rounded, shownIn, visible, withCrop } from "./regions";
import type { Region } from "./regions";
import type { Settings } from "./use-controls";

interface Props {
  camera: CameraInfo;
  settings: Settings;
  disabled: boolean;
  /** The part of the field of view that the picture shows. */
  crop: Rect;
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

export function RegionsCard(props: Props) {
  const { regions, drawing, setDrawing, camera, settings, disabled, crop } = props;
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
      {chosen && <Uses {...{ camera, settings, disabled, crop }} region={chosen} />}
      <Used {...{ camera, settings, disabled }} />
    </section>
  );
}

interface UsesProps {
  camera: CameraInfo;
  settings: Settings;
  disabled: boolean;
}

/** What the camera can use a region for. */
function Uses({ camera, settings: { chosen, choose }, disabled, region, crop }: UsesProps & { region: Region; crop: Rect }) {
  const has = (name: string) => camera.controls.some((control) => control.name === name);
  const inPicture = visible(shownIn(crop, region));
  const focused = inPicture !== null && same(chosen.focus_window, inPicture);
  const cropped = same(chosen.crop, region);
  const shown = inPicture ?? region;
  return (
    <div class="stack tight">
      <p class="small dim">
        {region.name}: {percent(shown.width, 0)} × {percent(shown.height, 0)} of the picture, from {percent(shown.x, 0)}, {percent(shown.y, 0)}
      </p>
      <div class="row">
        {has("focus_window") && inPicture && (
          <button
            type="button"
            aria-pressed={focused}
            disabled={disabled}
            // A lens that stands where it was told does not look for anything.
            onClick={() => choose(focused ? without(chosen, "focus_window") : { ...without(chosen, "focus"), focus_window: rounded(inPicture) })}
          >
            Autofocus
          </button>
        )}
        {has("crop") && (
          <button
            type="button"
            aria-pressed={cropped}
            disabled={disabled}
            onClick={() => choose(withCrop(chosen, camera.configured.crop ?? WHOLE, cropped ? null : region))}
          >
            Crop
          </button>
        )}
      </div>
    </div>
  );
}

/** The way back, also once the region is gone. */
function Used({ camera, settings: { chosen, choose }, disabled }: UsesProps) {
  if (chosen.crop == null && chosen.focus_window == null) return null;
  const configured = camera.configured.crop ?? WHOLE;
  return (
    <div class="row small">
      {chosen.crop != null && (
        <button type="button" class="plain" disabled={disabled} onClick={() => choose(withCrop(chosen, configured, null))}>
          {camera.configured.crop == null ? "Show the whole picture" : "Crop as configured"}
        </button>
      )}
      {chosen.focus_window != null && (
        <button type="button" class="plain" disabled={disabled} onClick={() => choose(without(chosen, "focus_window"))}>
          {camera.configured.focus_window == null ? "Autofocus in the middle" : "Autofocus as configured"}
        </button>
      )}
    </div>
  );
}

function same(one: Rect | null | undefined, other: Rect): boolean {
  const near = (a: number, b: number) => Math.abs(a - b) < 1e-3;
  return one != null && near(one.x, other.x) && near(one.y, other.y) && near(one.width, other.width) && near(one.height, other.height);
}
