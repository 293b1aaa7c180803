/** The rig measures itself by a printed board: what to print, begun, watched, what came of it. */

import { useEffect, useRef } from "preact/hooks";

import { ApiError, get, post, textOf } from "../../api/client";
import type { CalibrationDetail, CalibrationState } from "../../api/types";
import { Bar, Do, Note, Sure, useLoaded } from "../../parts/parts";
import { link, status } from "../../state/rig";
import { href } from "../../state/route";
import { session } from "../../state/session";
import { Found } from "./found";
import { History } from "./history";
import { Swing } from "./swing";

const AGAIN_MS = 1000;

/** The newest one; none if the rig was not calibrated yet. */
async function newest(signal: AbortSignal): Promise<{ kept: CalibrationDetail | null }> {
  try {
    return { kept: await get("/api/v1/calibration", { signal }) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { kept: null };
    throw error;
  }
}

export function Calibration() {
  const stands = useLoaded((signal) => get("/api/v1/calibration/progress", { signal }), link.value);
  const found = useLoaded(newest, link.value);
  const list = useLoaded((signal) => get("/api/v1/calibrations", { signal }), link.value);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && stands.again(), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const reload = () => {
    found.again();
    list.again();
  };
  // What came of one is asked for once it is there.
  const number = stands.value?.state === "made" ? stands.value.number : null;
  const known = useRef(number);
  useEffect(() => {
    if (known.current !== number) reload();
    known.current = number;
  }, [number]);
  const user = session.value;
  const mayChange = user !== null && user !== "asking" && user.may === "use";
  return (
    <>
      <div class="view-head">
        <h1>Calibration</h1>
      </div>
      <div class="system-grid">
        <div class="stack">
          <Print />
          <Measure stands={stands.value} mayChange={mayChange} again={stands.again} />
        </div>
        <div class="stack">
          {Boolean(found.error) && <Note tone="warn">{textOf(found.error)}</Note>}
          {!found.error && found.value?.kept && <Found calibration={found.value.kept} />}
          {!found.error && found.value?.kept === null && (
            <Note>The rig has not been calibrated yet: cameras count as standing where the configuration says.</Note>
          )}
          {list.value && <History list={list.value} mayChange={mayChange} changed={reload} />}
          <Swing mayChange={mayChange} />
        </div>
      </div>
    </>
  );
}

function Print() {
  return (
    <section class="card stack tight" aria-label="What to print">
      <h2>What to print</h2>
      <p class="small">
        The rig measures by itself where its cameras stand, what their lenses do, and how turntable and lift truly move. For that it
        photographs a printed board, and a ring of marks along the turntable's edge.
      </p>
      <ol class="small steps">
        <li>
          On the scanner, <code>scanner board</code> writes the board to be printed, <code>scanner board --ring</code> the ring;{" "}
          <code>scanner board --help</code> says as which files. Print them at 100 %, not fitted to the page.
        </li>
        <li>Hold a ruler to the printed one of 100 mm: if it is another length, calibrate by the terminal, which takes what it truly is.</li>
        <li>Stick the board to something flat and stiff. The ring goes around the turntable's edge, and stays there.</li>
        <li>
          Stand the board on the turntable, leaning back by 20° to 40°, its printed side to the cameras, under the usual light, with
          nothing else on the table.
        </li>
      </ol>
    </section>
  );
}

interface MeasureProps {
  stands: CalibrationState | null;
  mayChange: boolean;
  again: () => void;
}

function Measure({ stands, mayChange, again }: MeasureProps) {
  const busy = status.value?.scanning ?? false;
  const measuring = stands?.state === "measuring";
  const start = async () => {
    await post("/api/v1/calibration", { body: {} });
    again();
  };
  return (
    <section class="card stack" aria-label="Calibrate">
      <h2>Calibrate</h2>
      <div aria-live="polite">{stands && <Stands stands={stands} />}</div>
      <div class="row">
        {measuring ? (
          <Do
            icon="stop"
            doing="Ending…"
            disabled={!mayChange}
            does={async () => {
              await post("/api/v1/calibration/cancel");
              again();
            }}
          >
            Stop measuring
          </Do>
        ) : (
          <Sure
            kind="main"
            disabled={!mayChange || busy}
            text="The board stands on the turntable, lit, its printed side to the cameras? The rig moves all around it and takes some dozens of images with each camera."
            yes="The board is there: calibrate"
            yesKind="main"
            doing="Starting…"
            does={start}
          >
            Calibrate the rig
          </Sure>
        )}
      </div>
    </section>
  );
}

function Stands({ stands }: { stands: CalibrationState }) {
  switch (stands.state) {
    case "idle":
      return <p class="dim small">The board is scanned; then the images are looked at, one by one, and the rig is solved for. Other scans may begin meanwhile, and go first.</p>;
    case "scanning":
      return stands.under_way ? (
        <Note>
          The board is being <a href={href({ view: "scan" })}>scanned</a>. The rig is measured when that has ended.
        </Note>
      ) : (
        <Note tone="warn">
          The scan of the board, <a href={href({ view: "one", scan: stands.scan })}>{stands.scan}</a>, has not come to its end: go on with
          it, and the rig is measured then.
        </Note>
      );
    case "measuring":
      return <Looking {...stands} />;
    case "made":
      return <Note tone="good">The rig has measured itself: calibration {stands.number} counts for scans from now on.</Note>;
    case "cancelled":
      return <Note>It was given up: nothing has changed.</Note>;
    case "failed":
      return <Note tone="bad">{stands.message}</Note>;
  }
}

function Looking({ done, images, waiting }: { done: number; images: number; waiting: boolean }) {
  const solving = images > 0 && done === images;
  return (
    <div class="stack tight">
      <Bar name="Images looked at" done={done} all={images} text={`${done} of ${images} images looked at`} />
      <span class="dim small">
        {solving ? "All images are looked at; the rig is being solved for" : `Looking for marks: ${done} of ${images} images`}
        {waiting && "; it goes on when the rig is free"}
      </span>
    </div>
  );
}
