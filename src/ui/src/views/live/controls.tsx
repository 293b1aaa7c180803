/** Focus, exposure, white balance: what is set beside what the live picture shows of it. */

import { useRef } from "preact/hooks";

import type { CameraInfo, Controls } from "../../api/types";
import { exposure, figures, fixed, percent, unit } from "../../lib/format";
import { Do, Figure } from "../../parts/parts";
import { BINS } from "./analysis";
import type { Measured } from "./analysis";
import { keep } from "./keep";
import { asConfiguration, placeOf, placesOf, scaleOf, setTo, valueAt, withKnob, without } from "./settings";
import type { Knob } from "./settings";
import type { Settings } from "./use-controls";

interface KnobProps {
  camera: CameraInfo;
  settings: Settings;
  knob: Knob;
  label: string;
  format: (value: number) => string;
  /** What the live picture was taken with. */
  seen: number | null;
  disabled: boolean;
}

function Slider({ camera, settings, knob, label, format, seen, disabled }: KnobProps) {
  const scale = scaleOf(camera.controls, knob);
  if (!scale) return null;
  const chosen = setTo(settings.chosen, knob);
  const configured = setTo(camera.configured, knob);
  const value = chosen ?? configured ?? seen;
  const otherwise = configured === null ? "automatic" : "as configured";
  return (
    <div class="slider">
      <label class="row spread">
        <span>{label}</span>
        <span class="value">{value === null ? "automatic" : format(value)}</span>
        <input
          type="range"
          min={0}
          max={placesOf(scale)}
          step={1}
          value={value === null ? 0 : Math.round(placeOf(scale, value) * placesOf(scale))}
          aria-valuetext={value === null ? "automatic" : format(value)}
          disabled={disabled}
          onInput={(event) => settings.choose(withKnob(settings.chosen, knob, valueAt(scale, Number(event.currentTarget.value) / placesOf(scale))))}
        />
      </label>
      <button
        type="button"
        class="plain small reset"
        disabled={disabled || chosen === null}
        onClick={() => settings.choose(withKnob(settings.chosen, knob, null))}
      >
        {chosen === null ? otherwise : `back to ${otherwise}`}
      </button>
    </div>
  );
}

interface PanelProps {
  camera: CameraInfo;
  settings: Settings;
  disabled: boolean;
}

interface FocusProps extends PanelProps {
  seen: number | null;
  sharpness: number | null;
  /** What is measured. */
  part: string;
  peaking: boolean;
  setPeaking: (on: boolean) => void;
}

/** The best sharpness of late is forgotten bit by bit, as the scene changes. */
const FORGET = 0.995;

export function FocusPanel({ camera, settings, disabled, seen, sharpness, part, peaking, setPeaking }: FocusProps) {
  const best = useRef(0);
  best.current = Math.max(best.current * FORGET, sharpness ?? 0);
  const ofBest = sharpness === null || best.current === 0 ? 0 : sharpness / best.current;
  return (
    <section class="card stack tight" aria-label="Focus">
      <div class="row spread">
        <h2>Focus</h2>
        <label class="check small">
          <input type="checkbox" checked={peaking} onChange={(event) => setPeaking(event.currentTarget.checked)} />
          peaking
        </label>
      </div>
      <Slider
        {...{ camera, settings, disabled, seen }}
        knob="focus"
        label="Lens position"
        format={(value) => `${unit(fixed(value, 2), "dpt")}${value > 0.05 ? ` · ${unit(fixed(100 / value, 0), "cm")}` : " · far"}`}
      />
      <dl class="figures">
        <Figure name={`Sharpness, ${part}`}>{sharpness === null ? "–" : figures(sharpness)}</Figure>
        <Figure name="Of the best, of late">{sharpness === null ? "–" : percent(ofBest, 0)}</Figure>
      </dl>
      <div class="bar" aria-hidden="true">
        <i class="accent" style={{ width: `${ofBest * 100}%` }} />
      </div>
    </section>
  );
}

interface ExposureProps extends PanelProps {
  seen: { exposure: number; gain: number } | null;
  measured: Measured | null;
  clipping: boolean;
  setClipping: (on: boolean) => void;
}

export function ExposurePanel({ camera, settings, disabled, seen, measured, clipping, setClipping }: ExposureProps) {
  return (
    <section class="card stack tight" aria-label="Exposure">
      <div class="row spread">
        <h2>Exposure</h2>
        <label class="check small">
          <input type="checkbox" checked={clipping} onChange={(event) => setClipping(event.currentTarget.checked)} />
          show clipping
        </label>
      </div>
      <Slider {...{ camera, settings, disabled }} knob="exposure" label="Time" format={exposure} seen={seen?.exposure ?? null} />
      <Slider {...{ camera, settings, disabled }} knob="gain" label="Gain" format={(gain) => `× ${fixed(gain, 2)}`} seen={seen?.gain ?? null} />
      <Metering {...{ camera, settings, disabled }} />
      {measured && <Histogram measured={measured} />}
    </section>
  );
}

/** What automatic exposure looks at. */
function Metering({ camera, settings: { chosen, choose }, disabled }: PanelProps) {
  const control = camera.controls.find(({ name }) => name === "metering");
  if (control?.domain !== "choice") return null;
  const otherwise = camera.configured.metering == null ? "automatic" : "as configured";
  const select = (value: string) => choose(value === "" ? without(chosen, "metering") : { ...chosen, metering: value as NonNullable<Controls["metering"]> });
  return (
    <label class="row spread">
      <span>Metering</span>
      <select value={chosen.metering ?? ""} disabled={disabled} onChange={(event) => select(event.currentTarget.value)}>
        <option value="">{otherwise}</option>
        {control.choices.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    </label>
  );
}

function Histogram({ measured: { histogram, clippedDark, clippedBright } }: { measured: Measured }) {
  // The square root: what there is little of is seen beside what there is much of.
  const points = Array.from(histogram, (bin, index) => `${index},${(1 - Math.sqrt(bin)) * 40}`);
  const text = `clipped: ${percent(clippedDark)} dark, ${percent(clippedBright)} bright`;
  return (
    <div class="stack tight">
      <svg class="histogram" viewBox={`0 0 ${BINS - 1} 40`} preserveAspectRatio="none" role="img" aria-label={`Histogram; ${text}`}>
        <polygon points={`0,40 ${points.join(" ")} ${BINS - 1},40`} />
      </svg>
      <div class="row spread small">
        <span class={clippedDark > 0.01 ? "warn" : "dim"}>{percent(clippedDark)} black</span>
        <span class={clippedBright > 0.01 ? "warn" : "dim"}>{percent(clippedBright)} white</span>
      </div>
    </div>
  );
}

const GAINS: readonly { index: 0 | 1; label: string }[] = [
  { index: 0, label: "Red" },
  { index: 1, label: "Blue" },
];
/** Where no white balance is known yet. */
const NEUTRAL: [number, number] = [1.5, 1.5];

export function WhitePanel({ camera, settings, disabled }: PanelProps) {
  const scale = scaleOf(camera.controls, "white_balance");
  if (!scale) return null;
  const given = settings.chosen.white_balance ?? camera.configured.white_balance;
  const gains: [number, number] = [given?.[0] ?? NEUTRAL[0], given?.[1] ?? NEUTRAL[1]];
  const chosen = settings.chosen.white_balance != null;
  const otherwise = camera.configured.white_balance == null ? "automatic" : "as configured";
  const choose = (controls: Controls) => settings.choose(controls);
  return (
    <section class="card stack tight" aria-label="White balance">
      <h2>White balance</h2>
      {GAINS.map(({ index, label }) => (
        <div class="slider" key={label}>
          <label class="row spread">
            <span>{label}</span>
            <span class="value">{given ? `× ${fixed(gains[index], 2)}` : "automatic"}</span>
            <input
              type="range"
              min={0}
              max={placesOf(scale)}
              value={Math.round(placeOf(scale, gains[index]) * placesOf(scale))}
              aria-valuetext={given ? fixed(gains[index], 2) : "automatic"}
              disabled={disabled}
              onInput={(event) => {
                const value = Number(valueAt(scale, Number(event.currentTarget.value) / placesOf(scale)).toPrecision(3));
                choose({ ...settings.chosen, white_balance: index === 0 ? [value, gains[1]] : [gains[0], value] });
              }}
            />
          </label>
        </div>
      ))}
      <button
        type="button"
        class="plain small reset"
        disabled={disabled || !chosen}
        onClick={() => choose(without(settings.chosen, "white_balance"))}
      >
        {chosen ? `back to ${otherwise}` : otherwise}
      </button>
    </section>
  );
}

/** What is set here does not reach scans, which are to be the same tomorrow: how it does. */
export function ForScans({ camera, settings: { chosen }, disabled }: PanelProps) {
  if (Object.keys(chosen).length === 0) return null;
  return (
    <section class="card stack tight" aria-label="For scans">
      <h2>For scans</h2>
      <p class="small dim">
        A scan is taken as configured. Kept, these settings are in the configuration, as those of {camera.name}; by hand they are put into
        its <code>[[camera]]</code>.
      </p>
      <Do kind="main" doing="Keeping…" disabled={disabled} does={() => keep(camera.name, chosen)}>
        Keep these settings
      </Do>
      <pre class="to-copy small">{asConfiguration({ ...camera.configured, ...chosen })}</pre>
    </section>
  );
}
