/** What the rig has measured of itself. */

import type { CalibrationDetail } from "../../api/types";
import { count, dateTime, fixed, percent, unit } from "../../lib/format";
import { Note } from "../../parts/parts";
import { href } from "../../state/route";

type Camera = CalibrationDetail["cameras"][number];

export function Found({ calibration }: { calibration: CalibrationDetail }) {
  const { number, made, scan, rms_px, used, dropped, cameras, changes, warnings, rig } = calibration;
  return (
    <section class="card stack" aria-label="What counts now">
      <h2>What counts now</h2>
      <p>
        Calibration {number} of {dateTime(made)}, from <a href={href({ view: "one", scan })}>{scan}</a>: {count(used, "corner")} fit to{" "}
        {unit(fixed(rms_px, 2), "px")} (rms); {dropped} left out.
      </p>
      {warnings.map((warning) => (
        <Note key={warning} tone="warn">
          {warning}
        </Note>
      ))}
      {cameras.map((camera) => (
        <OfCamera key={camera.name} camera={camera} />
      ))}
      <Rig rig={rig} />
      <div class="stack tight">
        <h2>Since the one before</h2>
        {changes.length === 0 ? (
          <p class="dim small">Nothing has changed that is more than chance, or there is none before.</p>
        ) : (
          <ul>
            {changes.map((change) => (
              <li key={change}>{change}</li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

function OfCamera({ camera: { name, lenses, extrinsics, deviations, rms_px } }: { camera: Camera }) {
  const px = (value: number | undefined, digits = 1) => unit(fixed(value ?? 0, digits), "px");
  const [x = 0, y = 0, z = 0] = extrinsics.centre;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={name}>
      <table class="small">
        <caption class="away">{name}</caption>
        <thead>
          <tr>
            <th scope="col">{name}</th>
            <th scope="col">is</th>
            <th scope="col">deviation</th>
          </tr>
        </thead>
        <tbody>
          {lenses.map(({ position, intrinsics, deviations }) => (
            <tr key={position ?? ""}>
              <th scope="row">focal length{position != null && ` at ${position}`}</th>
              <td>{px(intrinsics.fx)}</td>
              <td>{px(deviations[0])}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">stands at x, y, z</th>
            <td>{unit([x, y, z].map((part) => fixed(part, 1)).join(", "), "mm")}</td>
            <td>{unit(fixed(Math.hypot(...deviations.centre_mm), 2), "mm")}</td>
          </tr>
          <tr>
            <th scope="row">looks within</th>
            <td />
            <td>{unit(fixed(Math.hypot(...deviations.turn_deg), 3), "°")}</td>
          </tr>
          <tr>
            <th scope="row">corners fit to</th>
            <td>{px(rms_px, 2)}</td>
            <td />
          </tr>
        </tbody>
      </table>
    </div>
  );
}

function Rig({ rig: { turntable, turntable_deviation, backlash_deg, backlash_deviation_deg } }: { rig: CalibrationDetail["rig"] }) {
  return (
    <>
      {turntable_deviation != null && (
        <p class="small">
          The turntable turns {percent(turntable - 1, 3)} further than it is told to (within {percent(turntable_deviation, 3)}).
        </p>
      )}
      {backlash_deg != null && (
        <p class="small">
          Its backlash is {unit(fixed(backlash_deg, 2), "°")}
          {backlash_deviation_deg != null && ` (within ${unit(fixed(backlash_deviation_deg, 2), "°")})`}.
        </p>
      )}
    </>
  );
}
