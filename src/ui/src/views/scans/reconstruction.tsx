/** A scan for programs that reconstruct: a download for each of them, and where its images were taken from. */

import { useMemo } from "preact/hooks";

import { ApiError, get, pathOf, textOf } from "../../api/client";
import type { ExportFormat, Poses } from "../../api/types";
import { count, fixed, unit } from "../../lib/format";
import { Icon } from "../../parts/icon";
import { Note, useLoaded } from "../../parts/parts";
import { around, box } from "./around";
import type { Arrow } from "./around";

/** What each download is for, and what to do with it. */
const FORMATS: readonly { format: ExportFormat; name: string; how: string }[] = [
  { format: "colmap", name: "COLMAP", how: "run its reconstruct.sh, or open sparse/0" },
  { format: "nerfstudio", name: "nerfstudio", how: "ns-train splatfacto --data FOLDER" },
  { format: "realityscan", name: "RealityScan", how: "add the folder images; poses are read with them" },
  { format: "metashape", name: "Metashape", how: "add the photos, then import cameras.xml as cameras" },
  { format: "meshroom", name: "Meshroom", how: "run its place.py once, then import scene.sfm" },
];

interface Props {
  id: string;
  running: boolean;
  /** Images that are stored. */
  images: number;
}

export function Reconstruction({ id, running, images }: Props) {
  if (images === 0) return null;
  return (
    <section class="card stack" aria-label="Reconstruction">
      <h2>For reconstruction</h2>
      <div class="one-grid">
        <div class="stack tight">
          <p class="dim small">
            Each is a ZIP archive of all images with the places of the cameras, as far as they are known.
            {running && " The scan is under way: what is stored by now is in it."}
          </p>
          <ul class="exports">
            {FORMATS.map(({ format, name, how }) => (
              <li key={format}>
                <a
                  class="button"
                  href={pathOf("/api/v1/scans/{scan}/exports/{format}.zip", { scan: id, format })}
                  download={`${id}-${format}.zip`}
                >
                  <Icon name="download" />
                  {name}
                </a>
                <span class="dim small">{how}</span>
              </li>
            ))}
          </ul>
        </div>
        <WherePosed id={id} version={`${running}`} />
      </div>
    </section>
  );
}

function WherePosed({ id, version }: { id: string; version: string }) {
  const { value, error } = useLoaded((signal) => get("/api/v1/scans/{scan}/poses", { path: { scan: id }, signal }), version);
  if (error instanceof ApiError && error.problem?.type === "/problems/no_poses") {
    return (
      <Note>
        Where the images were taken from is not known; programs have to find it. {error.message}
      </Note>
    );
  }
  if (error && !value) return <Note tone="bad">{textOf(error)}</Note>;
  return value ? <Posed id={id} poses={value} /> : <p class="dim">Reading the poses…</p>;
}

function Posed({ id, poses: { views, lacking } }: { id: string; poses: Poses }) {
  const found = useMemo(() => around(views), [views]);
  if (!found) return null;
  const cameras = [...new Set(views.map(({ camera }) => camera))];
  const where = `${unit(fixed(found.reach, 0), "mm")} from the axis at most, ${heights(found.lowest, found.highest)} high`;
  return (
    <div class="stack tight">
      <div class="poses" role="group" aria-label={`${count(found.above.length, "image")} around the object: ${where}`}>
        <Seen arrows={found.above} cameras={cameras} name="from above" />
        <Seen arrows={found.side} cameras={cameras} name="from the side" />
      </div>
      <p class="row small">
        {cameras.length > 1 && cameras.map((camera, index) => <span key={camera} class={`key series-${index % 4}`}>{camera}</span>)}
        <span class="dim">{where}</span>
        <a href={pathOf("/api/v1/scans/{scan}/poses", { scan: id })} download={`${id}-poses.json`}>
          Poses as JSON
        </a>
      </p>
      {lacking.map((line) => (
        <Note key={line}>{line}</Note>
      ))}
    </div>
  );
}

function heights(lowest: number, highest: number): string {
  const [low, high] = [fixed(lowest, 0), fixed(highest, 0)];
  return low === high ? unit(low, "mm") : `${low} to ${unit(high, "mm")}`;
}

function Seen({ arrows, cameras, name }: { arrows: readonly Arrow[]; cameras: readonly string[]; name: string }) {
  const { x, y, width, height } = useMemo(() => box(arrows), [arrows]);
  const dot = Math.max(width, height) / 90;
  return (
    <figure>
      <svg viewBox={`${x} ${y} ${width} ${height}`} role="img" aria-label={`The cameras ${name}`}>
        <path class="poses-axis" d={`M0 ${y}V${y + height}M${x} 0H${x + width}`} />
        {arrows.map((arrow, index) => (
          <g key={index} class={`series-${cameras.indexOf(arrow.camera) % 4}`}>
            <title>{arrow.image}</title>
            <path d={`M${arrow.x} ${arrow.y}L${arrow.toX} ${arrow.toY}`} />
            <circle cx={arrow.x} cy={arrow.y} r={dot} />
          </g>
        ))}
      </svg>
      <figcaption class="dim small">{name}</figcaption>
    </figure>
  );
}
