/** The scan that is under way, or the next one. */

import { useEffect, useMemo, useState } from "preact/hooks";

import { get, post, textOf } from "../../api/client";
import type { PlanDetail, RigStatus, ScanDetail, ScanSummary } from "../../api/types";
import { clock, count } from "../../lib/format";
import { amount } from "../../lib/quantity";
import { Bar, Do, Figure, Note, Sure, useLoaded } from "../../parts/parts";
import { events, gaps, status } from "../../state/rig";
import { href } from "../../state/route";
import { mark, softLimits } from "./board";
import { Chooser } from "./chooser";
import { Drawing } from "./drawing";
import { Happenings } from "./happenings";
import { Legend } from "./legend";
import { Matrix } from "./matrix";
import { PointPanel } from "./point";
import { useBoard } from "./use-board";

export function ScanView() {
  const rig = status.value;
  const running = rig?.scanning === true;
  const newest = useLoaded(newestScan, `${running} ${rig?.scan?.scan} ${gaps.value}`);
  const plans = useLoaded((signal) => get("/api/v1/plans", { signal }), gaps.value);
  const [wanted, setWanted] = useState<"new" | "newest" | null>(null);
  // Kept here, since the scan is not shown while the cameras are opened to go on with it.
  const [picked, setPicked] = useState<{ scan: string; shot: number | null } | null>(null);

  // Whoever is about to start a scan wants to see it when it has begun, and what came of it at its end.
  useEffect(() => {
    if (running) setWanted("newest");
  }, [running]);

  if (!rig) return <p class="dim">Waiting for the scanner…</p>;
  const current = running ? (rig.scan?.scan ?? null) : (newest.value?.id ?? null);
  const otherwise = newest.value && canGoOn(newest.value) ? "newest" : "new";
  // A start that came to nothing leaves no scan to show.
  const shown = running ? "newest" : current === null ? "new" : (wanted ?? otherwise);
  return (
    <>
      <div class="view-head">
        <h1>Scan</h1>
        {!running && newest.value && (
          <div class="segments" role="group" aria-label="What is shown">
            <button type="button" aria-pressed={shown === "newest"} onClick={() => setWanted("newest")}>
              Newest scan
            </button>
            <button type="button" aria-pressed={shown === "new"} onClick={() => setWanted("new")}>
              New scan
            </button>
          </div>
        )}
      </div>
      {shown === "new" && plans.value && <NewScan plans={plans.value.plans} />}
      {shown === "newest" && current === null && <Starting rig={rig} />}
      {shown === "newest" && current !== null && (
        <Current
          key={current}
          id={current}
          rig={rig}
          running={running}
          summary={newest.value}
          changed={newest.again}
          selected={picked?.scan === current ? picked.shot : null}
          setSelected={(shot) => setPicked({ scan: current, shot })}
        />
      )}
      {Boolean(plans.error) && <Note tone="bad">{textOf(plans.error)}</Note>}
    </>
  );
}

async function newestScan(signal: AbortSignal): Promise<ScanSummary | null> {
  const { scans } = await get("/api/v1/scans", { query: { limit: 1 }, signal });
  return scans[0] ?? null;
}

/** Whether something of a scan can still be taken. */
export function canGoOn({ in_use, scan }: ScanSummary): boolean {
  return !in_use && scan != null && scan.state !== "complete";
}

function Starting({ rig }: { rig: RigStatus }) {
  return (
    <section class="card stack" aria-busy="true">
      <p>The cameras are being opened{rig.cameras.length > 0 && `: ${rig.cameras.map((camera) => camera.camera).join(", ")}`}…</p>
      <div class="row">
        <Do kind="danger" icon="stop" doing="Cancelling…" does={() => post("/api/v1/rig/cancel")}>
          Cancel
        </Do>
      </div>
    </section>
  );
}

function NewScan({ plans }: { plans: Parameters<typeof Chooser>[0]["plans"] }) {
  const [detail, setDetail] = useState<PlanDetail | null>(null);
  const [selected, setSelected] = useState<number | null>(null);
  const marks = useMemo(() => Array<"pending">(detail?.shots ?? 0).fill("pending"), [detail]);
  return (
    <div class="scan-grid">
      <div class="stack">
        <Chooser plans={plans} detail={detail} made={setDetail} />
        <LastStart />
      </div>
      <section class="card drawing-card" aria-label="The points of the plan">
        {detail && <Drawing plan={detail} marks={marks} selected={selected} select={setSelected} />}
      </section>
    </div>
  );
}

/** Why the last start came to nothing. */
function LastStart() {
  const last = status.value?.last;
  if (last?.outcome !== "failed") return null;
  return <Note tone="warn">The last scan could not be carried out: {last.message}</Note>;
}

interface ProgressProps {
  id: string;
  rig: RigStatus;
  running: boolean;
  summary: ScanSummary | null;
}

interface CurrentProps extends ProgressProps {
  changed: () => void;
  selected: number | null;
  setSelected: (shot: number | null) => void;
}

function Current({ id, rig, running, summary, changed, selected, setSelected }: CurrentProps) {
  const detail = useLoaded((signal) => get("/api/v1/scans/{scan}", { path: { scan: id }, signal }), `${running} ${gaps.value}`);
  const board = useBoard(id);
  const limits = useMemo(() => softLimits(board.shots), [board.shots]);
  const marks = board.shots.map((shot) => mark(shot, limits, running ? board.point : 0));
  const happened = events.value.filter((event) => event.scan === id);
  const plan = detail.value?.plan;

  const choose = (shot: number | null) => {
    setSelected(shot);
    // Events tell of sharpness only: the rest is asked for when somebody looks.
    const chosen = shot === null ? undefined : board.shots[shot];
    if (chosen?.state === "done" && amount(chosen.facts.exposure) === 0) board.refresh();
  };

  return (
    <div class="scan-grid">
      <div class="stack">
        <ProgressCard id={id} rig={rig} running={running} summary={summary} />
        <section class="card stack tight">
          <h2>Recoveries and faults</h2>
          <Happenings events={happened} />
          {happened.length === 0 && detail.value && <Earlier detail={detail.value} />}
        </section>
      </div>
      <div class="stack">
        <section class="card stack drawing-card" aria-label="The shots of the scan">
          {plan && <Drawing plan={plan} marks={marks} selected={selected} select={choose} />}
          <Legend marks={marks} />
          {plan && <Matrix shots={board.shots} marks={marks} cameras={plan.cameras} selected={selected} select={choose} />}
        </section>
        {Boolean(detail.error) && <Note tone="bad">{textOf(detail.error)}</Note>}
        {plan && selected !== null && (
          <PointPanel
            scan={id}
            plan={plan}
            shots={board.shots}
            marks={marks}
            selected={selected}
            select={choose}
            changed={() => {
              board.refresh();
              changed();
            }}
          />
        )}
      </div>
    </div>
  );
}

/** What the journal says of a scan of which this page has heard nothing. */
function Earlier({ detail }: { detail: ScanDetail }) {
  const failures = detail.journal.filter((note) => note.what === "attempt_failed").length;
  if (failures === 0) return null;
  return (
    <p class="dim small">
      Its journal tells of {count(failures, "failed attempt")}: <a href={href({ view: "one", scan: detail.id })}>see the scan</a>.
    </p>
  );
}

function ProgressCard({ id, rig, running, summary }: ProgressProps) {
  const live = running ? rig.scan : null;
  const shots = summary?.scan?.shots;
  const { stored, failed, planned } = live
    ? { stored: live.stored, failed: live.failed, planned: live.shots }
    : { stored: shots?.done ?? 0, failed: shots?.failed ?? 0, planned: shots?.planned ?? 0 };
  const state = running ? (live?.stopping ? "stopping" : "running") : (summary?.scan?.state ?? "unknown");
  return (
    <section class="card stack" aria-label="Progress">
      <div class="row spread">
        <a class="mono" href={href({ view: "one", scan: id })}>
          {id}
        </a>
        {(live?.name ?? summary?.name) != null && <b class="called">{live?.name ?? summary?.name}</b>}
        <StateChip state={!running && state === "running" ? "interrupted" : state} />
      </div>
      <div>
        <Bar name="Images stored" done={stored} all={planned} failed={failed} text={`${stored} of ${planned} images stored, ${failed} failed`} />
      </div>
      <dl class="figures">
        <Figure name="Stored">
          {stored} <span class="dim">/ {planned}</span>
        </Figure>
        {live && (
          <Figure name="Point">
            {live.point} <span class="dim">/ {live.points}</span>
          </Figure>
        )}
        <Figure name="Failed" tone={failed > 0 ? "bad" : undefined}>
          {failed}
        </Figure>
        {running && <Figure name="Left">{rig.left_s == null ? <span class="dim">not known yet</span> : clock(rig.left_s)}</Figure>}
      </dl>
      {!running && rig.scan?.scan === id && <Reason rig={rig} />}
      <div class="row">{running ? <StopButtons id={id} stopping={live?.stopping ?? false} /> : summary && <GoOn id={id} summary={summary} />}</div>
    </section>
  );
}

function Reason({ rig }: { rig: RigStatus }) {
  const last = rig.last;
  if (!last) return null;
  const text = last.outcome === "failed" ? last.message : last.reason;
  return text ? <Note tone={last.outcome === "ended" && last.end === "paused" ? "info" : "warn"}>{text}</Note> : null;
}

function StopButtons({ id, stopping }: { id: string; stopping: boolean }) {
  return (
    <>
      <Do icon="pause" disabled={stopping} doing="Pausing…" does={() => post("/api/v1/rig/pause", { body: { scan: id } })}>
        {stopping ? "Stopping…" : "Pause"}
      </Do>
      <Sure
        kind="danger"
        icon="stop"
        disabled={stopping}
        text="End this scan? What is stored stays, and it can still be resumed."
        yes="End the scan"
        doing="Ending…"
        does={() => post("/api/v1/rig/cancel", { body: { scan: id } })}
      >
        Cancel
      </Sure>
    </>
  );
}

/** Goes on with a scan, where something of it is left. */
export function GoOn({ id, summary }: { id: string; summary: ScanSummary }) {
  if (!canGoOn(summary)) return null;
  const resume = () => post("/api/v1/scans/{scan}/resume", { path: { scan: id } });
  const failed = summary.scan?.shots.failed ?? 0;
  return (
    <Do kind="main" icon="play" doing="Resuming…" does={resume}>
      {summary.scan?.state === "incomplete" && failed > 0 ? `Try the ${count(failed, "failed shot")} again` : "Resume"}
    </Do>
  );
}

const STATE_TONES: Record<string, string> = {
  running: "busy",
  stopping: "busy",
  complete: "good",
  paused: "warn",
  interrupted: "warn",
  incomplete: "warn",
  aborted: "bad",
  cancelled: "quiet",
  damaged: "bad",
};

export function StateChip({ state }: { state: string }) {
  return <span class={`chip ${STATE_TONES[state] ?? "quiet"}`}>{state}</span>;
}
