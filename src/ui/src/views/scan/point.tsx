/** One shot and the others of its point: pictures and numbers. */

import { pathOf, post } from "../../api/client";
import type { FrameFacts, PlanDetail, Shot } from "../../api/types";
import { bytes, exposure, figures, fixed, percent, time, unit } from "../../lib/format";
import { amount } from "../../lib/quantity";
import { Icon } from "../../parts/icon";
import { Do, Note } from "../../parts/parts";
import { Picture } from "../../parts/picture";
import { MARK_WORDS } from "./board";
import type { Mark } from "./board";

interface Props {
  scan: string;
  plan: PlanDetail;
  shots: readonly Shot[];
  marks: readonly Mark[];
  selected: number;
  /** The address of the mask that is laid over the picture of a shot, if one is. */
  mask?: (shot: number) => string | undefined;
  select: (shot: number | null) => void;
  /** Called when a shot is to be taken again. */
  changed: () => void;
}

export function PointPanel({ scan, plan, shots, marks, selected, mask, select, changed }: Props) {
  const width = plan.cameras.length;
  const point = Math.floor(selected / width);
  const at = plan.points[point];
  if (!at) return null;
  const { turntable, lift, rail, tilt } = at.pose;
  const retake = async (shot: number) => {
    await post("/api/v1/scans/{scan}/retake", { path: { scan }, body: { shots: [shot] } });
    changed();
  };
  const go = (step: number) => select(selected + step * width);
  return (
    <section class="card stack point" aria-label={`Point ${point + 1}`}>
      <div class="row spread">
        <h2>
          Point {point + 1} of {plan.points.length} <span class="mono">{at.label}</span>
        </h2>
        <div class="row">
          <button type="button" class="plain square" aria-label="Point before" disabled={point === 0} onClick={() => go(-1)}>
            <Icon name="left" />
          </button>
          <button type="button" class="plain square" aria-label="Next point" disabled={point + 1 >= plan.points.length} onClick={() => go(1)}>
            <Icon name="right" />
          </button>
          <button type="button" class="plain square" aria-label="Close" onClick={() => select(null)}>
            <Icon name="close" />
          </button>
        </div>
      </div>
      <p class="dim small">
        turntable {unit(fixed(amount(turntable), 1), "deg")} · lift {unit(fixed(amount(lift), 1), "mm")}
        {amount(rail) !== 0 && <> · rail {unit(fixed(amount(rail), 1), "mm")}</>}
        {amount(tilt) !== 0 && <> · tilt {unit(fixed(amount(tilt), 1), "deg")}</>}
        {at.focus != null && <> · focus {unit(fixed(amount(at.focus), 2), "dpt")}</>}
        {at.bracket != null && <> · exposure {unit(fixed(amount(at.bracket), 1), "EV")}</>}
      </p>
      <div class="shots">
        {plan.cameras.map((camera, index) => {
          const shot = shots[point * width + index];
          return shot && <OneShot key={camera} scan={scan} shot={shot} mark={marks[shot.shot] ?? "pending"} mask={mask?.(shot.shot)} retake={retake} />;
        })}
      </div>
    </section>
  );
}

interface ShotProps {
  scan: string;
  shot: Shot;
  mark: Mark;
  mask: string | undefined;
  retake: (shot: number) => Promise<void>;
}

function OneShot({ scan, shot, mark, mask, retake }: ShotProps) {
  const address = pathOf("/api/v1/scans/{scan}/shots/{shot}/image", { scan, shot: shot.shot });
  return (
    <article class="stack tight">
      <div class="row spread">
        <h3 class="mono">{shot.camera}</h3>
        <span class="small row mark-word">
          <i class={`cell ${mark}`} />
          {MARK_WORDS[mark]}
        </span>
      </div>
      {shot.state === "done" ? (
        <>
          <a class="picture-box" href={address} target="_blank" rel="noopener" title="The whole image">
            <Picture src={pathOf("/api/v1/scans/{scan}/shots/{shot}/thumbnail", { scan, shot: shot.shot })} alt={`${shot.camera}, ${shot.label}${mask === undefined ? "" : ", with its mask"}`} version={shot.attempts} mask={mask} eager />
          </a>
          {(shot.facts.verdict?.findings ?? []).map(({ kind, message }) => (
            <Note key={kind} tone="warn">
              {message}
            </Note>
          ))}
          <Facts facts={shot.facts} length={shot.bytes} attempts={shot.attempts} />
        </>
      ) : (
        <Note tone={shot.state === "failed" ? "bad" : "info"}>
          {shot.state === "failed" ? `Failed after ${shot.attempts} attempts: ${shot.reason}` : "Not taken yet."}
        </Note>
      )}
      {shot.state !== "pending" && (
        <div class="row">
          <Do
            icon="again"
            doing="Asking…"
            label={`Take again: ${shot.camera}`}
            title="The image that there is is kept in the folder of the scan"
            does={() => retake(shot.shot)}
          >
            Take again
          </Do>
        </div>
      )}
    </article>
  );
}

function Facts({ facts, length, attempts }: { facts: FrameFacts; length: number; attempts: number }) {
  return (
    <dl class="pairs small">
      <dt>Sharpness</dt>
      <dd>{figures(facts.sharpness)}</dd>
      {amount(facts.exposure) > 0 && (
        <>
          <dt>Exposure</dt>
          <dd>
            {exposure(amount(facts.exposure))}, gain {fixed(facts.gain, 2)}
          </dd>
          <dt>Clipped</dt>
          <dd>
            {percent(facts.clipped_dark)} dark, {percent(facts.clipped_bright)} bright
          </dd>
        </>
      )}
      {facts.white_balance != null && (
        <>
          <dt>White balance</dt>
          <dd>{facts.white_balance.map((gain) => fixed(gain ?? 0, 2)).join(" / ")}</dd>
        </>
      )}
      {facts.focus != null && (
        <>
          <dt>Focus</dt>
          <dd>{unit(fixed(amount(facts.focus), 2), "dpt")}</dd>
        </>
      )}
      <dt>Taken</dt>
      <dd>
        {time(facts.taken_at)}
        {attempts > 1 && `, attempt ${attempts}`}
      </dd>
      <dt>File</dt>
      <dd>{bytes(length)}</dd>
    </dl>
  );
}
