/** How the machine does: whether a scan can start, what the cameras did, what happened. */

import { BASE } from "../../api/base";
import { pathOf } from "../../api/client";
import type { CameraStatus, RigStatus } from "../../api/types";
import { words } from "../../lib/format";
import { Icon } from "../../parts/icon";
import { Figure } from "../../parts/parts";
import { events, link, status } from "../../state/rig";
import { href } from "../../state/route";
import { session } from "../../state/session";
import { Happenings } from "../scan/happenings";
import { Deliveries } from "./deliveries";
import { LogCard } from "./log";
import { NodesCard } from "./nodes";
import { PreflightCard } from "./preflight";
import { Recoveries } from "./recoveries";

export function System() {
  const rig = status.value;
  if (!rig) return <p class="dim">Waiting for the scanner…</p>;
  return (
    <>
      <div class="view-head">
        <h1>System</h1>
        <span class="row">
          {session.value !== null && session.value !== "asking" && session.value.may === "use" && (
            <a class="button" href={href({ view: "setup", at: "" })} title="Which cameras, motors, pins, distances: some questions, and the parts tried">
              Set up
            </a>
          )}
          <a class="button" href={href({ view: "calibration" })} title="The rig measures itself: by a printed board, and how its axes swing">
            Calibration
          </a>
          <a class="button" href={`${BASE}/docs`} title="Every route of the API, to be read and tried">
            API
          </a>
          <a class="button" href={pathOf("/api/v1/support.zip")} download="scanner-support.zip" title="Status, log, findings, configuration and the newest scan's journal: no images, no tokens">
            <Icon name="download" />
            Support bundle
          </a>
        </span>
      </div>
      <div class="system-grid">
        <div class="stack">
          <PreflightCard scanning={rig.scanning} />
          <Facts rig={rig} />
          <Deliveries deliveries={rig.deliveries} />
        </div>
        <div class="stack">
          <Cameras cameras={rig.cameras} />
          <NodesCard />
          <section class="card stack">
            <Recoveries events={events.value} now={Date.now()} />
            <Happenings events={events.value} most={200} />
          </section>
          <LogCard />
        </div>
      </div>
    </>
  );
}

function Facts({ rig }: { rig: RigStatus }) {
  const user = session.value;
  return (
    <section class="card">
      <dl class="pairs">
        <dt>Version</dt>
        <dd>scanner {rig.version}</dd>
        <dt>Rig</dt>
        <dd>{rig.scanning ? "scanning" : "idle"}</dd>
        {rig.led != null && (
          <>
            <dt>Status LED</dt>
            <dd>{words(rig.led)}</dd>
          </>
        )}
        <dt>Connection</dt>
        <dd>{link.value}</dd>
        {user !== null && user !== "asking" && (
          <>
            <dt>Logged in with</dt>
            <dd>
              token {user.name}
              {user.may === "look" && ", which may only look"}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}

function Cameras({ cameras }: { cameras: readonly CameraStatus[] }) {
  return (
    <section class="card stack" aria-label="Cameras">
      <h2>Cameras</h2>
      {cameras.map((camera) => (
        <Camera key={camera.camera} camera={camera} />
      ))}
    </section>
  );
}

const TONES: Record<CameraStatus["state"]["state"], string> = {
  closed: "quiet",
  opening: "busy",
  streaming: "good",
  capturing: "busy",
  recovering: "warn",
  closing: "quiet",
  wedged: "bad",
  failed: "bad",
};

function Camera({ camera: { camera, state, counters, holder } }: { camera: CameraStatus }) {
  const failed = Object.entries(counters.failed).filter(([, count]) => count > 0);
  return (
    <article class="stack tight">
      <div class="row spread">
        <h3 class="mono">{camera}</h3>
        <span class="row">
          {holder != null && <span class="small dim">taken by the {holder.name}</span>}
          <span class={`chip ${TONES[state.state]}`}>{state.state}</span>
        </span>
      </div>
      <dl class="figures">
        <Figure name="Captured">{counters.captured}</Figure>
        <Figure name="Failed" tone={failed.length > 0 ? "warn" : undefined}>
          {failed.reduce((sum, [, count]) => sum + count, 0)}
        </Figure>
        <Figure name="Restarts">{counters.restarts}</Figure>
        <Figure name="Respawns">{counters.respawns}</Figure>
        {counters.resets > 0 && <Figure name="Resets">{counters.resets}</Figure>}
        <Figure name="Late frames">{counters.late}</Figure>
        <Figure name="Live frames">{counters.live}</Figure>
      </dl>
      {failed.length > 0 && <p class="small dim">{failed.map(([kind, count]) => `${words(kind)}: ${count}`).join(" · ")}</p>}
    </article>
  );
}
