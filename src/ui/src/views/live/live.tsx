/** Looking through a camera, and setting it, between scans and beside them. */

import { useEffect, useState } from "preact/hooks";

import { get, textOf } from "../../api/client";
import type { CameraInfo, CameraStatus } from "../../api/types";
import { about, count, fixed, unit } from "../../lib/format";
import { Icon } from "../../parts/icon";
import { Note, useLoaded } from "../../parts/parts";
import { gaps, status } from "../../state/rig";
import { WHOLE } from "./analysis";
import { CaptureCard, History } from "./capture";
import { ExposurePanel, FocusPanel, ForScans, WhitePanel } from "./controls";
import { added, ofField, parsed, shownIn, visible } from "./regions";
import type { Region } from "./regions";
import { RegionLayer } from "./region-layer";
import { RegionsCard } from "./regions-card";
import { AxesCard, LightsCard } from "./rig";
import { useControls } from "./use-controls";
import { useLive } from "./use-live";
import type { LiveView } from "./use-live";
import { Viewer } from "./viewer";

export function Live() {
  const rig = status.value;
  // What a camera can do is known once it was open: asked for again when it has opened.
  const states = rig?.cameras.map(({ state }) => (state.state === "closed" || state.state === "opening" ? "closed" : "open")).join();
  const cameras = useLoaded((signal) => get("/api/v1/cameras", { signal }), `${states} ${gaps.value}`);
  const [chosen, setChosen] = useState<string | null>(null);
  const [changed, setChanged] = useState<CameraInfo | null>(null);
  useEffect(() => setChanged(null), [cameras.value]);

  const list = cameras.value?.cameras ?? [];
  const found = list.find((camera) => camera.name === chosen) ?? list[0];
  if (!found) {
    if (cameras.error) return <Note tone="bad">{textOf(cameras.error)}</Note>;
    return <p class="dim">{cameras.value ? "This rig has no camera." : "Waiting for the scanner…"}</p>;
  }
  const camera = changed?.name === found.name ? changed : found;
  return (
    <>
      <div class="view-head">
        <h1>Live</h1>
        {list.length > 1 && (
          <div class="segments" role="group" aria-label="Camera">
            {list.map(({ name }) => (
              <button type="button" key={name} aria-pressed={name === camera.name} onClick={() => setChosen(name)}>
                {name}
              </button>
            ))}
          </div>
        )}
      </div>
      <OneCamera key={camera.name} camera={camera} cameras={list.length} scanning={rig?.scanning ?? false} changed={setChanged} />
    </>
  );
}

interface Props {
  camera: CameraInfo;
  cameras: number;
  scanning: boolean;
  changed: (camera: CameraInfo) => void;
}

function OneCamera({ camera, cameras, scanning, changed }: Props) {
  const view = useLive(camera.name);
  const settings = useControls(camera, changed);
  const [peaking, setPeaking] = useState(false);
  const [clipping, setClipping] = useState(false);
  const [turn, setTurn] = useState(0);
  const marked = useRegions(camera.name);
  const [drawing, setDrawing] = useState(false);
  const [selected, setSelected] = useState<number | null>(null);
  const [measured, setMeasured] = useState<number | null>(null);
  // A scan has its own settings.
  const crop = (scanning ? null : settings.chosen.crop) ?? camera.configured.crop ?? WHOLE;
  const inPicture = marked.regions.flatMap((region) => {
    const rect = visible(shownIn(crop, region));
    return rect ? [{ ...region, ...rect }] : [];
  });
  const part = inPicture.find((region) => region.id === measured);

  // Read by the next picture.
  view.screen.shown = { peaking, clipping, part: part ?? WHOLE };
  const { frame } = view;
  const sharpness = part ? (view.measured?.sharpness ?? null) : (frame?.sharpness ?? null);
  const notice = noticeOf(view, status.value?.cameras.find((one) => one.camera === camera.name));

  return (
    <div class="live-grid">
      <div class="stack">
        <div class="card viewer-card">
          <Viewer screen={view.screen} aspect={view.aspect} label={`Live view of ${camera.name}`} notice={notice} stale={notice !== null}>
            <RegionLayer
              regions={inPicture}
              selected={selected}
              drawing={drawing}
              select={setSelected}
              change={(id, rect) => marked.set(marked.regions.map((region) => (region.id === id ? { ...region, ...ofField(crop, rect) } : region)))}
              draw={(rect) => {
                const [regions, region] = added(marked.regions, ofField(crop, rect));
                marked.set(regions);
                setSelected(region.id);
                setMeasured(region.id);
                setDrawing(false);
              }}
            />
          </Viewer>
          <Statistics view={view} />
        </div>
        <CaptureCard camera={camera.name} cameras={cameras} scanning={scanning} kept={() => setTurn((turn) => turn + 1)} />
        <History turn={turn} />
      </div>
      <div class="stack side">
        <FocusPanel
          {...{ camera, settings, sharpness, peaking, setPeaking }}
          disabled={scanning}
          seen={frame?.focus ?? null}
          part={part ? part.name : "whole picture"}
        />
        <ExposurePanel {...{ camera, settings, clipping, setClipping }} disabled={scanning} seen={frame} measured={view.measured} />
        <WhitePanel {...{ camera, settings }} disabled={scanning} />
        <RegionsCard
          {...{ camera, settings, crop, selected, measured, drawing, setDrawing }}
          disabled={scanning}
          regions={marked.regions}
          select={setSelected}
          measure={setMeasured}
          rename={(id, name) => marked.set(marked.regions.map((region) => (region.id === id ? { ...region, name } : region)))}
          remove={(id) => {
            marked.set(marked.regions.filter((region) => region.id !== id));
            if (selected === id) setSelected(null);
            if (measured === id) setMeasured(null);
          }}
        />
        <ForScans {...{ camera, settings }} disabled={scanning} />
        <LightsCard scanning={scanning} />
        <AxesCard scanning={scanning} />
      </div>
    </div>
  );
}

/** Regions of a camera, which this browser keeps. */
function useRegions(camera: string) {
  const key = `scanner-regions-${camera}`;
  const [regions, setRegions] = useState<Region[]>(() => parsed(localStorage.getItem(key)));
  const set = (regions: Region[]) => {
    localStorage.setItem(key, JSON.stringify(regions));
    setRegions(regions);
  };
  return { regions, set };
}

const PAUSES = {
  capture: "Paused for a photograph",
  scan: "Paused for the scan",
  camera: "The camera is being opened",
  out_of_hours: "The cameras are closed at this time of day",
} as const;

function noticeOf({ link, state, frame, again }: LiveView, camera: CameraStatus | undefined) {
  switch (link.name) {
    case "off":
      return null;
    case "connecting":
      return link.spent === 0 ? "Connecting…" : `Connecting again, attempt ${link.spent} of 5…`;
    case "asking":
      return "The live view was closed; asking why…";
    case "capturing":
      return "A photograph is being taken; the live view goes on when it is done.";
    case "delayed":
      return `No connection; attempt ${link.spent + 1} of 5 in ${unit(fixed(link.delay / 1000, 0), "s")}…`;
    case "given_up":
      return (
        <span class="stack tight">
          The live view could not be had again after five attempts.
          <button type="button" onClick={again}>
            <Icon name="again" />
            Try again
          </button>
        </span>
      );
    case "open": {
      if (state?.paused === "camera" && camera?.state.state === "failed") {
        return `The camera cannot be opened, and is tried again: ${camera.state.error.message}`;
      }
      if (state?.paused != null) {
        const expected = state.expected_seconds;
        return `${PAUSES[state.paused]}${expected == null ? "" : `, for about ${about(expected)}`}…`;
      }
      return frame ? null : "Waiting for the first picture…";
    }
  }
}

function Statistics({ view: { stats, frame } }: { view: LiveView }) {
  if (!stats) return <p class="small dim statistics">&nbsp;</p>;
  return (
    <p class="small dim statistics">
      {frame && (
        <span>
          {frame.width} × {frame.height}
        </span>
      )}
      <span>{unit(fixed(stats.fps, 1), "fps")}</span>
      <span>{stats.frame_count} frames</span>
      <span>{stats.dropped_frames} dropped</span>
      <span>{count(stats.capture_count, "photograph")}</span>
      {stats.consecutive_errors > 0 && <span class="warn">{stats.consecutive_errors} failed in a row</span>}
      <span>{count(stats.viewers, "viewer")}</span>
    </p>
  );
}
