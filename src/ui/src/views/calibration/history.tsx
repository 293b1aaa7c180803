/** The calibrations that are kept; the newest can be taken back. */

import { remove } from "../../api/client";
import type { CalibrationList } from "../../api/types";
import { count, dateTime, fixed, unit } from "../../lib/format";
import { Note, Sure } from "../../parts/parts";
import { notify } from "../../state/notices";

interface Props {
  list: CalibrationList;
  mayChange: boolean;
  changed: () => void;
}

export function History({ list: { calibrations, damaged }, mayChange, changed }: Props) {
  const newest = Math.max(0, ...calibrations.map(({ number }) => number), ...damaged.map(({ number }) => number));
  if (newest === 0) return null;
  const takeBack = async () => {
    await remove("/api/v1/calibrations/{number}", { path: { number: newest } });
    notify("good", `Calibration ${newest} is taken back.`);
    changed();
  };
  return (
    <section class="card stack" aria-label="Calibrations that are kept">
      <h2>Kept</h2>
      {damaged.map(({ number, message }) => (
        <Note key={number} tone="warn">
          {message}
        </Note>
      ))}
      <ul role="list" class="stack tight">
        {calibrations.map(({ number, made, rms_px, cameras }) => (
          <li key={number}>
            {number}: {dateTime(made)}, {count(cameras.length, "camera")}, {unit(fixed(rms_px, 2), "px")}
          </li>
        ))}
      </ul>
      <div class="row">
        <Sure
          disabled={!mayChange}
          text={`Calibration ${newest} is removed, and the one before it counts again for scans to come. Scans that were made with it keep it.`}
          yes="Take it back"
          does={takeBack}
        >
          Take back calibration {newest}
        </Sure>
      </div>
    </section>
  );
}
