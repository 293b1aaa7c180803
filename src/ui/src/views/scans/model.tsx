/** The model of the object: in 3D, with how well images cover each part of it. */

import { useEffect, useRef, useState } from "preact/hooks";

import { ApiError, get, pathOf, textOf } from "../../api/client";
import type { ModelNumbers } from "../../api/types";
import { bytes, fixed, unit } from "../../lib/format";
import { Icon } from "../../parts/icon";
import { Note, useLoaded } from "../../parts/parts";
import { gaps, status } from "../../state/rig";
import { InSpace } from "./in-space";
import { STOPS, inWords } from "./model-space";
import type { Painted } from "./model-space";
import { More } from "./more";

/** How often it is looked for a newer one while the scan goes on or masks are made, and for a while after it. */
const LOOK_MS = 5_000;
const LOOKS_AFTER = 12;

interface Props {
  id: string;
  running: boolean;
}

export function Model({ id, running }: Props) {
  const busy = running || status.value?.masks?.scan === id;
  const { value, error, again } = useLoaded(
    (signal) => get("/api/v1/scans/{scan}/preview", { path: { scan: id }, signal }),
    `${id} ${busy} ${gaps.value}`,
  );
  useEffect(() => {
    let left = LOOKS_AFTER;
    const timer = setInterval(() => {
      if (!busy && left-- <= 0) clearInterval(timer);
      else again();
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [busy]);

  const none = error instanceof ApiError && error.status === 404;
  if (error && !value && !none) return <Note tone="bad">{textOf(error)}</Note>;
  return (
    <section class="card stack" aria-label="Model">
      <div class="row spread">
        <h2>Model</h2>
        {value && (
          <a class="button" href={pathOf("/api/v1/scans/{scan}/preview.glb", { scan: id })} download={`${id}.glb`}>
            <Icon name="download" />
            GLB, {bytes(value.bytes)}
          </a>
        )}
      </div>
      {value ? (
        <Found id={id} numbers={value} running={running} />
      ) : (
        <p class="dim small">
          {none
            ? running
              ? "It is made behind the scan, where the empty rig was scanned before; the first one after eight images."
              : "There is none. It is made from masks and the cameras' places: make masks, and it follows."
            : "Reading…"}
        </p>
      )}
    </section>
  );
}

function Found({ id, numbers, running }: { id: string; numbers: ModelNumbers; running: boolean }) {
  const [painted, setPainted] = useState<Painted>("coverage");
  const [cameras, setCameras] = useState(true);
  const { images, stored, planned, well_covered_percent: well, unseen_percent: unseen, size_mm: size, volume_mm3: volume } = numbers;
  const [x, y, z] = [0, 1, 2].map((axis) => fixed(size[axis] ?? 0, 0));
  const long = `${x} × ${y} × ${unit(z ?? "", "mm")}`;
  return (
    <>
      <p aria-live="polite">
        <strong>{inWords(well, unseen)}</strong>
        {stored < planned && ` So far: ${stored} of ${planned} images.`}
        {images < stored && ` ${stored - images} of ${stored} images have no mask, and shape nothing.`}
      </p>
      <p class="dim small">
        It is what the outlines of the object leave over, {long}, {unit(fixed(volume / 1000, 0), "cm³")}: hollows are filled. Well covered is
        what three images or more see from directions at least 15° apart, one of them not too much from the side, and at least half as finely
        as the best-seen part. What the object stands on does not count.
      </p>
      <div class="row">
        <fieldset class="row plain-fieldset" aria-label="Colours of the model">
          {(["coverage", "photographs"] as const).map((kind) => (
            <label key={kind} class="check">
              <input type="radio" name={`painted-${id}`} checked={painted === kind} onChange={() => setPainted(kind)} />
              <span>{kind === "coverage" ? "Coverage" : "Photographs"}</span>
            </label>
          ))}
        </fieldset>
        <label class="check">
          <input type="checkbox" checked={cameras} onChange={(event) => setCameras(event.currentTarget.checked)} />
          <span>Cameras</span>
        </label>
      </div>
      <InSpace
        url={`${pathOf("/api/v1/scans/{scan}/preview.glb", { scan: id })}?of=${encodeURIComponent(numbers.made_at)}`}
        form="preview"
        painted={painted}
        cameras={cameras}
        label={`The object, ${long}, with a frustum for each of ${stored} images around it. ${inWords(well, unseen)}`}
      />
      {painted === "coverage" && <Scale />}
      <More id={id} running={running} />
    </>
  );
}

function Scale() {
  const canvas = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    // The page's policy allows no style in the document; one that is set on an element it does.
    const stops = STOPS.map((stop) => `rgb(${stop.join(" ")})`).join(", ");
    if (canvas.current) canvas.current.style.background = `linear-gradient(to right, ${stops})`;
  }, []);
  return (
    <div class="scale small" role="group" aria-label="What the colours say">
      <span>in no image</span>
      <span class="scale-bar" ref={canvas} aria-hidden="true" />
      <span>well covered from the middle on</span>
    </div>
  );
}
