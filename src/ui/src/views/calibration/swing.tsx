/** How the axes swing: what was found and when, what it gains, drawn; finding it anew, watched and given up. */

import { useEffect, useRef } from "preact/hooks";

import { get, pathOf, post, textOf } from "../../api/client";
import type { TuningAxis, TuningState } from "../../api/types";
import { dateTime, fixed, percent, unit } from "../../lib/format";
import { Bar, Do, Note, Sure, useLoaded } from "../../parts/parts";
import { link, status } from "../../state/rig";

const AGAIN_MS = 1000;

export function Swing({ mayChange }: { mayChange: boolean }) {
  const stands = useLoaded((signal) => get("/api/v1/tuning/progress", { signal }), link.value);
  const found = useLoaded((signal) => get("/api/v1/tuning", { signal }), link.value);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && stands.again(), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  // What came of one is asked for once it has ended; where it is put in force, the connection ends, and all is asked for anew.
  const moving = stands.value?.state === "moving";
  const moved = useRef(moving);
  useEffect(() => {
    if (moved.current && !moving) found.again();
    moved.current = moving;
  }, [moving]);
  const busy = status.value?.scanning ?? false;
  const axes = found.value?.axes ?? [];
  const newest = axes.map((axis) => axis.at ?? "").sort().at(-1);
  return (
    <section class="card stack" aria-label="Swing">
      <h2>Swing</h2>
      <p class="small">
        What an axis carries swings for a while after each move. Once the rig knows how, it moves in a way that undoes the swing, and waits
        less. It finds that out by its cameras.
      </p>
      {Boolean(found.error) && <Note tone="warn">{textOf(found.error)}</Note>}
      {axes.length > 0 && <Axes axes={axes} />}
      {newest && (
        <img class="swing-drawn" src={pathOf("/api/v1/tuning/picture", {}) + `?of=${encodeURIComponent(newest)}`} alt="What was seen after moves of each axis, and the swing that fits it" />
      )}
      <div aria-live="polite">{stands.value && <Stands stands={stands.value} />}</div>
      <div class="row">
        {moving ? (
          <Do
            icon="stop"
            doing="Braking…"
            disabled={!mayChange}
            does={async () => {
              await post("/api/v1/tuning/cancel");
              stands.again();
            }}
          >
            Stop tuning
          </Do>
        ) : (
          <Sure
            kind="main"
            disabled={!mayChange || busy || axes.length === 0}
            text="Something with texture stands on the turntable, as heavy as what is scanned, and lit as in a scan? Each axis moves to and fro, near both of its ends, for some two minutes."
            yes="It is there: tune"
            yesKind="main"
            doing="Starting…"
            does={async () => {
              await post("/api/v1/tuning", { body: {} });
              stands.again();
            }}
          >
            Tune the rig
          </Sure>
        )}
      </div>
    </section>
  );
}

function Axes({ axes }: { axes: readonly TuningAxis[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="How each axis swings">
      <table class="small">
        <caption class="away">How each axis swings</caption>
        <thead>
          <tr>
            <th scope="col">axis</th>
            <th scope="col">swings</th>
            <th scope="col">damping</th>
            <th scope="col">tuned</th>
            <th scope="col">a usual move rests</th>
          </tr>
        </thead>
        <tbody>
          {axes.map((axis) => (
            <tr key={axis.axis}>
              <th scope="row">{axis.axis}</th>
              <td title={axis.places.map(({ at, found }) => `at ${fixed(at, 1)} ${axis.unit}: ${found}`).join("\n")}>
                {swings(axis)}
              </td>
              <td>{axis.swing ? percent(axis.swing.damping) : ""}</td>
              <td>{axis.at ? dateTime(axis.at) : "never"}</td>
              <td>{axis.gain ? gains(axis.gain, axis.unit) : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function swings({ swing, in_force, at, places }: TuningAxis): string {
  if (swing) return unit(fixed(swing.frequency_hz, 2), "Hz") + (in_force ? "" : ", not in force");
  if (!at) return "not known";
  return places.some(({ camera }) => camera != null) ? "no swing is seen" : "nothing is seen to move";
}

/** "after 0.52 s, not 1.31 s (10.0 deg)". */
function gains({ distance, unshaped_s, shaped_s, shaper }: NonNullable<TuningAxis["gain"]>, of: string): string {
  const after = (seconds: number | null | undefined) => (seconds == null ? "never" : `after ${unit(fixed(seconds, 2), "s")}`);
  const way = unit(fixed(distance, 1), of);
  if (shaper === "off") return `${after(unshaped_s)} (${way}); nothing makes that sooner`;
  return `${after(shaped_s)}, else ${after(unshaped_s)} (${way})`;
}

function Stands({ stands }: { stands: TuningState }) {
  switch (stands.state) {
    case "idle":
      return null;
    case "moving":
      return <Moving {...stands} />;
    case "made":
      return <Note tone="good">Tuned: scans go by it from now on.</Note>;
    case "cancelled":
      return <Note>It was given up: nothing has changed.</Note>;
    case "failed":
      return <Note tone="bad">{stands.message}</Note>;
  }
}

function Moving({ axis, done, moves }: { axis?: string | null; done: number; moves: number }) {
  return (
    <div class="stack tight">
      <Bar name="Moves looked at" done={done} all={moves} text={`${done} of ${moves} moves looked at`} />
      <span class="dim small">{axis ? `The ${axis} moves to and fro: ${done} of ${moves} moves` : "Cameras are opened, or what was seen is written"}</span>
    </div>
  );
}
