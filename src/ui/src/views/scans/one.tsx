/** One scan: its images, how sharp and how bright they are, what happened to it; download, verify, delete. */

import { useMemo, useState } from "preact/hooks";

import { get, pathOf, post, remove, textOf } from "../../api/client";
import type { JournalNote, PlanDetail, RigStatus, ScanDetail, Shot, Verified } from "../../api/types";
import { bytes, count, dateTime, exposure, percent, time, words } from "../../lib/format";
import { amount } from "../../lib/quantity";
import { Icon } from "../../parts/icon";
import { Do, Figure, Note, Sure, useLoaded } from "../../parts/parts";
import { Picture } from "../../parts/picture";
import { Plot } from "../../parts/plot";
import type { Series } from "../../parts/plot";
import { notify } from "../../state/notices";
import { gaps, status } from "../../state/rig";
import { go, href } from "../../state/route";
import { MARK_WORDS, mark, softLimits } from "../scan/board";
import type { Mark } from "../scan/board";
import { Drawing } from "../scan/drawing";
import { Legend } from "../scan/legend";
import { PointPanel } from "../scan/point";
import { GoOn, StateChip } from "../scan/scan";
import { useBoard } from "../scan/use-board";
import { Delivered } from "./delivered";
import { Describe, Described } from "./describe";
import { Masks, maskOf, useMasks } from "./masks";
import { Model } from "./model";
import { Reconstruction } from "./reconstruction";
import { Workshop } from "./workshop";

/** Thumbnails that are shown at once. */
const SHOWN = 96;

export function OneScan({ id }: { id: string }) {
  const rig = status.value;
  const running = rig?.scanning === true && rig.scan?.scan === id;
  const detail = useLoaded((signal) => get("/api/v1/scans/{scan}", { path: { scan: id }, signal }), `${running} ${gaps.value} ${waiting(rig)}`);
  const board = useBoard(id);
  const [selected, setSelected] = useState<number | null>(null);
  const images = board.shots.filter((shot) => shot.state === "done").length;
  const masks = useMasks(id, images);
  const [laid, setLaid] = useState(false);
  const masked = useMemo(() => new Map(masks.value?.masks.map((mask) => [mask.shot, mask])), [masks.value]);
  const mask = (shot: number) => {
    const found = laid ? masked.get(shot) : undefined;
    return found && maskOf(id, found);
  };
  const limits = useMemo(() => softLimits(board.shots), [board.shots]);
  const marks = board.shots.map((shot) => mark(shot, limits, running ? board.point : 0));

  if (detail.error && !detail.value) {
    return (
      <div class="stack">
        <a href={href({ view: "scans" })}>All scans</a>
        <Note tone="bad">{textOf(detail.error)}</Note>
      </div>
    );
  }
  const found = detail.value;
  if (!found) return <p class="dim">Reading the scan…</p>;
  return (
    <div class="stack">
      <Head detail={found} running={running} shots={board.shots} changed={detail.again} />
      {selected !== null && (
        <PointPanel
          scan={id}
          plan={found.plan}
          shots={board.shots}
          marks={marks}
          selected={selected}
          mask={mask}
          select={setSelected}
          changed={() => {
            board.refresh();
            detail.again();
          }}
        />
      )}
      <div class="one-grid">
        <section class="card stack drawing-card" aria-label="The shots of the scan">
          <Drawing plan={found.plan} marks={marks} selected={selected} select={setSelected} />
          <Legend marks={marks} />
        </section>
        <Plots plan={found.plan} shots={board.shots} select={setSelected} />
      </div>
      {images > 0 && found.scan?.reference === false && <Masks id={id} running={running} loaded={masks} laid={laid} lay={setLaid} />}
      {images > 0 && found.scan?.reference === false && <Model id={id} running={running} />}
      <Reconstruction id={id} running={running} images={images} />
      <Workshop id={id} offered={found.deliveries.some(({ to }) => to === "workshop")} />
      <Thumbnails id={id} shots={board.shots} marks={marks} mask={mask} select={setSelected} />
      <Journal notes={found.journal} shots={board.shots} />
    </div>
  );
}

/** Changes when a scan has arrived somewhere. */
function waiting(rig: RigStatus | null): string {
  return rig?.deliveries.map((delivery) => delivery.waiting).join() ?? "";
}

interface HeadProps {
  detail: ScanDetail;
  running: boolean;
  shots: readonly Shot[];
  changed: () => void;
}

function Head({ detail, running, shots, changed }: HeadProps) {
  const { id, scan, in_use } = detail;
  const length = shots.reduce((sum, shot) => sum + (shot.state === "done" ? shot.bytes : 0), 0);
  const state = running ? "running" : scan?.state === "running" && !in_use ? "interrupted" : (scan?.state ?? "damaged");
  const drop = async () => {
    await remove("/api/v1/scans/{scan}", { path: { scan: id } });
    notify("good", `${id} is deleted.`);
    go({ view: "scans" });
  };
  return (
    <>
      <div class="view-head">
        <div class="row">
          <a class="button plain square" href={href({ view: "scans" })} aria-label="All scans">
            <Icon name="left" />
          </a>
          <h1 class="name">{detail.name ?? id}</h1>
          {detail.name != null && <span class="mono dim small">{id}</span>}
          <StateChip state={state} />
        </div>
        <div class="row">
          {scan && <Describe summary={detail} changed={changed} />}
          {!running && <GoOn id={id} summary={detail} />}
          <a class="button" href={pathOf("/api/v1/scans/{scan}/report", { scan: id })} target="_blank" rel="noopener">
            <Icon name="system" />
            Report
          </a>
          {!in_use && (
            <a class="button" href={pathOf("/api/v1/scans/{scan}/archive.zip", { scan: id })} download={`${id}.zip`}>
              <Icon name="download" />
              ZIP
            </a>
          )}
          {!in_use && (
            <Sure
              kind="danger"
              icon="trash"
              text={`Delete ${id} with ${count(scan?.shots.done ?? 0, "image")}? This cannot be undone.`}
              yes="Delete for good"
              doing="Deleting…"
              does={drop}
            >
              Delete
            </Sure>
          )}
        </div>
      </div>
      <section class="card stack">
        <Described summary={detail} />
        {scan && (
          <dl class="figures wide">
            <Figure name="Stored">
              {scan.shots.done} <span class="dim">/ {scan.shots.planned}</span>
            </Figure>
            <Figure name="Failed" tone={scan.shots.failed > 0 ? "bad" : undefined}>
              {scan.shots.failed}
            </Figure>
            <Figure name="Images">{bytes(length)}</Figure>
            <Figure name="Cameras">{scan.cameras.join(", ")}</Figure>
            {scan.shutter_spread && (
              <Figure name="Shutter spread">
                {exposure(scan.shutter_spread.median_us / 1e6)}, at most {exposure(scan.shutter_spread.most_us / 1e6)}
              </Figure>
            )}
            <Figure name="Begun">{dateTime(scan.created)}</Figure>
            <Figure name="Changed">{dateTime(scan.updated)}</Figure>
            <Delivered deliveries={detail.deliveries} />
          </dl>
        )}
        {scan?.reference && <Note>This is a scan of the empty rig: masks of later scans are made by it. It is not removed by itself.</Note>}
        {detail.damage && <Note tone="bad">{detail.damage}</Note>}
        {detail.began_as && <Note>It began as {detail.began_as}: its folder has been renamed since.</Note>}
        {!running && <Verify id={id} />}
      </section>
    </>
  );
}

function Verify({ id }: { id: string }) {
  const [found, setFound] = useState<Verified | null>(null);
  const verify = async () => setFound(await post("/api/v1/scans/{scan}/verify", { path: { scan: id } }));
  return (
    <div class="stack tight" aria-live="polite">
      <div class="row">
        <Do icon="check" doing="Reading every image…" does={verify}>
          Verify
        </Do>
        {!found && <span class="dim small">Reads every image and compares it with the journal.</span>}
      </div>
      {found && (
        <Note tone={found.sound ? "good" : "bad"}>
          {found.sound ? `Sound: ${found.shots.done} of ${found.shots.planned} images are there, as the journal says.` : "Not sound:"}
          <ul>
            {[...found.violations, ...found.notes].map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </Note>
      )}
    </div>
  );
}

/** Less than this of an image is noise. */
const CLIPPED = [0, 0.02] as const;

function Plots({ plan, shots, select }: { plan: PlanDetail; shots: readonly Shot[]; select: (shot: number) => void }) {
  const series = (value: (shot: Extract<Shot, { state: "done" }>) => number): Series[] =>
    plan.cameras.map((name, camera) => ({
      name,
      values: plan.points.map((_, point) => {
        const shot = shots[point * plan.cameras.length + camera];
        return shot?.state === "done" ? value(shot) : null;
      }),
    }));
  if (!shots.some((shot) => shot.state === "done")) return null;
  const at = (point: number) => select(point * plan.cameras.length);
  return (
    <section class="card stack" aria-label="Measurements">
      <Plot label="Sharpness" across="point" series={series((shot) => shot.facts.sharpness)} select={at} />
      <Plot label="Exposure" across="point" series={series((shot) => amount(shot.facts.exposure))} format={exposure} select={at} />
      <Plot
        label="Clipped, dark and bright"
        across="point"
        series={series((shot) => shot.facts.clipped_dark + shot.facts.clipped_bright)}
        format={(part) => percent(part)}
        range={CLIPPED}
        select={at}
      />
    </section>
  );
}

interface ThumbnailsProps {
  id: string;
  shots: readonly Shot[];
  marks: readonly Mark[];
  mask: (shot: number) => string | undefined;
  select: (shot: number) => void;
}

function Thumbnails({ id, shots, marks, mask, select }: ThumbnailsProps) {
  const [most, setMost] = useState(SHOWN);
  const done = shots.filter((shot) => shot.state === "done");
  if (done.length === 0) return null;
  const choose = (shot: number) => {
    select(shot);
    document.getElementById("main")?.scrollIntoView({ block: "start" });
  };
  return (
    <section class="stack tight" aria-label="Images">
      <h2>{count(done.length, "image")}</h2>
      <ul class="thumbnails">
        {done.slice(0, most).map((shot) => {
          const found = marks[shot.shot] ?? "done";
          return (
            <li key={shot.shot}>
              <button type="button" class="plain thumbnail" onClick={() => choose(shot.shot)} title={`${shot.camera}/${shot.label}`}>
                <span class="picture-box">
                  <Picture
                    src={pathOf("/api/v1/scans/{scan}/shots/{shot}/thumbnail", { scan: id, shot: shot.shot })}
                    alt={`${shot.camera}, ${shot.label}, ${MARK_WORDS[found]}${mask(shot.shot) === undefined ? "" : ", with its mask"}`}
                    version={shot.attempts}
                    mask={mask(shot.shot)}
                  />
                </span>
                <span class="small mono">
                  {found !== "done" && <i class={`cell ${found}`} />} {shot.camera}/{shot.label}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      {done.length > most && (
        <div class="row more">
          <button type="button" onClick={() => setMost(most + 2 * SHOWN)}>
            Show more
          </button>
        </div>
      )}
    </section>
  );
}

const NOTE_TONES: Record<string, string> = { attempt_failed: "warn", shot_failed: "bad", lost: "bad", paused: "warn" };

function Journal({ notes, shots }: { notes: readonly JournalNote[]; shots: readonly Shot[] }) {
  if (notes.length === 0) return null;
  const name = (index: number | null | undefined) => {
    const shot = index == null ? undefined : shots[index];
    return shot ? `${shot.camera}/${shot.label}: ` : "";
  };
  return (
    <section class="card stack tight">
      <h2>Journal</h2>
      <ol class="happenings">
        {notes.map((note, index) => (
          <li key={index}>
            <time class="mono dim" dateTime={note.at}>
              {time(note.at)}
            </time>
            <span class={NOTE_TONES[note.what]}>
              {name(note.shot)}
              {words(note.what)}
              {note.reason != null && `: ${note.reason}`}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
