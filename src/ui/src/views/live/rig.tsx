/** Lights, and axes moved by hand. */

import { useState } from "preact/hooks";

import { get, post } from "../../api/client";
import type { AxisInfo } from "../../api/types";
import { fixed, unit } from "../../lib/format";
import { amount } from "../../lib/quantity";
import { Do, useLoaded } from "../../parts/parts";
import { gaps, status } from "../../state/rig";

/** How far a press moves an axis, in its unit. */
const STRIDES: Record<string, readonly number[]> = { deg: [1, 10, 90], mm: [0.5, 5, 20] };

export function LightsCard({ scanning }: { scanning: boolean }) {
  const switchTo = (on: boolean) => () => post("/api/v1/lights", { body: { on } });
  return (
    <section class="card row spread" aria-label="Lights">
      <h2>Lights</h2>
      <span class="row">
        <Do icon="light" disabled={scanning} does={switchTo(true)}>
          On
        </Do>
        <Do disabled={scanning} does={switchTo(false)}>
          Off
        </Do>
      </span>
    </section>
  );
}

export function AxesCard({ scanning }: { scanning: boolean }) {
  const axes = useLoaded((signal) => get("/api/v1/axes", { signal }), gaps.value).value?.axes ?? [];
  const rig = status.value;
  // One move at a time, of whichever axis.
  const [moving, setMoving] = useState<string | null>(null);
  if (axes.length === 0) return null;
  const move = (name: string, does: () => Promise<unknown>) => async () => {
    setMoving(name);
    try {
      await does();
    } finally {
      setMoving(null);
    }
  };
  return (
    <section class="card stack tight" aria-label="Axes">
      <div class="row spread">
        <h2>Axes</h2>
        <Do icon="home" disabled={scanning || moving !== null} doing="Homing…" does={move("home", () => post("/api/v1/axes/home", { body: {} }))}>
          Home
        </Do>
      </div>
      {axes.map((axis) => (
        <Axis key={axis.axis} axis={axis} at={amount(rig?.pose[axis.axis])} disabled={scanning || moving !== null} moving={moving === axis.axis} move={move} />
      ))}
    </section>
  );
}

interface AxisProps {
  axis: AxisInfo;
  at: number;
  disabled: boolean;
  moving: boolean;
  move: (name: string, does: () => Promise<unknown>) => () => Promise<void>;
}

function Axis({ axis: { axis, unit: name, travel }, at, disabled, moving, move }: AxisProps) {
  const strides = STRIDES[name] ?? [1];
  const jog = (distance: number) => move(axis, () => post("/api/v1/axes/jog", { body: { axis, distance } }));
  const beyond = (distance: number) => travel != null && (at + distance < (travel[0] ?? 0) - 1e-6 || at + distance > (travel[1] ?? 0) + 1e-6);
  const button = (distance: number) => (
    <Do key={distance} disabled={disabled || beyond(distance)} label={`${axis} by ${distance} ${name}`} does={jog(distance)}>
      {distance > 0 ? "+" : "\u2212"}
      {Math.abs(distance)}
    </Do>
  );
  return (
    <div class="axis">
      <span>
        {axis}
        <output class="small dim"> {moving ? "moving…" : unit(fixed(at, 1), name)}</output>
      </span>
      <span class="segments" role="group" aria-label={`${axis}, in ${name}`}>
        {[...strides].reverse().map((stride) => button(-stride))}
        {strides.map((stride) => button(stride))}
      </span>
    </div>
  );
}
