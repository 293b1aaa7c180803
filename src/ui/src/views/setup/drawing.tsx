/** What a distance, an angle or a way is: measured from where, to where. */

import type { ComponentChildren } from "preact";

/** Drawings by their questions, and what they say to who does not see them. */
const DRAWINGS: Record<string, { draw: () => ComponentChildren; text: string }> = {
  distance: { draw: () => <Side shows="distance" />, text: "From the side: the distance goes level from the camera's lens to the axis of the turntable." },
  camera_height: { draw: () => <Side shows="camera_height" />, text: "From the side: the height goes from the turntable's surface up to the camera's lens." },
  look_at_height: { draw: () => <Side shows="look_at_height" />, text: "From the side: the look-at height goes from the turntable's surface up to the point on its axis that is in the middle of the image." },
  azimuth: { draw: () => <Azimuth />, text: "From above: the angle goes counter-clockwise around the axis, from the first camera at 0 degrees to the other." },
  turntable_gear: { draw: () => <Gear />, text: "From above: a belt from the motor's small wheel to the table; the angle is that by which the table turns while the motor turns once." },
  angles: { draw: () => <Around />, text: "From above: the table stops at even steps around a turn, and an image is taken at each." },
  lift_lead: { draw: () => <Lift shows="lift_lead" />, text: "From the side: the lift with its screw; the way is that by which it goes up while the motor turns once." },
  lift_travel: { draw: () => <Lift shows="lift_travel" />, text: "From the side: the way of the lift goes from its switch at the lower end to the highest place." },
  heights: { draw: () => <Lift shows="heights" />, text: "From the side: heights of the lift over its lower end, at each of which the table makes a turn." },
  tilt_gear: { draw: () => <Tilt shows="tilt_gear" />, text: "From the side: the arm over the table; the angle is that by which it tilts while the motor turns once." },
  tilt_travel: { draw: () => <Tilt shows="tilt_travel" />, text: "From the side: the arm tilts between its lowest and its highest angle; level is 0 degrees, straight down from above is 90 degrees." },
  tilts: { draw: () => <Tilt shows="tilts" />, text: "From the side: the points of a scan are between these two tilts of the arm." },
};

export function Drawing({ of }: { of: string }) {
  const drawing = DRAWINGS[of];
  if (!drawing) return null;
  return (
    <svg class="meant" viewBox="0 0 360 232" role="img" aria-label={drawing.text}>
      {drawing.draw()}
    </svg>
  );
}

/** A measure from one point to another, with what it is called. */
function Measure({ from, to, name, at, end = "middle", on = true }: { from: [number, number]; to: [number, number]; name: string; at: [number, number]; end?: "start" | "middle" | "end"; on?: boolean }) {
  const angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
  const head = ([x, y]: [number, number], angle: number) => {
    const side = (turn: number) => `${x + 9 * Math.cos(angle + turn)},${y + 9 * Math.sin(angle + turn)}`;
    return `M${side(0.45)} L${x},${y} L${side(-0.45)}`;
  };
  return (
    <g class={on ? "measure on" : "measure"}>
      <path d={`M${from.join()} L${to.join()} ${head(from, angle)} ${head(to, angle + Math.PI)}`} />
      <text x={at[0]} y={at[1]} text-anchor={end}>
        {name}
      </text>
    </g>
  );
}

/** A part of a circle, in degrees counter-clockwise, with an arrow at its end. */
function Arc({ centre: [x, y], radius, from, to, both = false }: { centre: [number, number]; radius: number; from: number; to: number; both?: boolean }) {
  const point = (degrees: number, radius_ = radius) => [x + radius_ * Math.cos((degrees * Math.PI) / 180), y - radius_ * Math.sin((degrees * Math.PI) / 180)];
  const sweep = Math.abs(to - from) > 180 ? 1 : 0;
  // An arrow's two strokes, a little before its tip on the arc.
  const head = (tip: number, before: number) => `M${point(before, radius + 6).join()} L${point(tip).join()} L${point(before, radius - 6).join()}`;
  const back = (Math.sign(to - from) * 480) / radius;
  return (
    <g class="measure on">
      <path d={`M${point(from).join()} A${radius},${radius} 0 ${sweep} ${to > from ? 0 : 1} ${point(to).join()} ${head(to, to - back)} ${both ? head(from, from + back) : ""}`} />
    </g>
  );
}

function Camera({ x, y, turn = 0 }: { x: number; y: number; turn?: number }) {
  return (
    <g class="thing" transform={`translate(${x} ${y}) rotate(${turn})`}>
      <rect x={-26} y={-12} width={26} height={24} rx={3} />
      <rect x={0} y={-7} width={7} height={14} />
    </g>
  );
}

/** Table, object and axis; its surface, drawn out from `from`. */
function Table({ from = 20 }: { from?: number }) {
  return (
    <>
      <path class="line dashed" d={`M${from},160 H345`} />
      <path class="line dashed" d="M255,30 V205" />
      <g class="thing">
        <rect x={190} y={160} width={130} height={9} rx={2} />
        <rect x={246} y={169} width={18} height={26} />
      </g>
      <path class="object" d="M238,160 C222,140 246,122 244,100 H266 C264,122 288,140 272,160 Z" />
    </>
  );
}

function Side({ shows }: { shows: string }) {
  return (
    <>
      <Table />
      <path class="line" d="M80,92 V195 M60,195 H100" />
      <path class="line dashed" d="M95,80 L255,122" />
      <Camera x={88} y={80} turn={14} />
      <text x={255} y={24} text-anchor="middle">
        axis
      </text>
      <text x={98} y={176}>
        surface: 0 mm
      </text>
      <circle class="point" cx={255} cy={122} r={4} />
      <Measure on={shows === "distance"} from={[95, 208]} to={[255, 208]} name="distance" at={[175, 224]} />
      <Measure on={shows === "camera_height"} from={[36, 160]} to={[36, 80]} name="height" at={[6, 62]} end="start" />
      <path class="line dashed" d="M30,80 H62 M258,122 H338" />
      <Measure on={shows === "look_at_height"} from={[332, 160]} to={[332, 122]} name="look at" at={[356, 190]} end="end" />
    </>
  );
}

function TopTable({ x = 180, y = 115, r = 42 }: { x?: number; y?: number; r?: number }) {
  return (
    <>
      <g class="thing">
        <circle cx={x} cy={y} r={r} />
      </g>
      <circle class="point" cx={x} cy={y} r={3.5} />
    </>
  );
}

function Azimuth() {
  return (
    <>
      <TopTable y={135} />
      <path class="line dashed" d="M180,135 H300 M180,135 L248,40" />
      <Camera x={304} y={135} turn={180} />
      <Camera x={252} y={36} turn={125} />
      <Arc centre={[180, 135]} radius={74} from={0} to={54} />
      <text x={318} y={172} text-anchor="middle">
        0 deg
      </text>
      <text x={262} y={98} class="called">
        azimuth
      </text>
      <text x={10} y={20}>
        from above
      </text>
    </>
  );
}

function Gear() {
  return (
    <>
      <path class="line" d="M127,43 L294,93 M127,187 L294,137" />
      <TopTable x={130} r={72} />
      <g class="thing">
        <circle cx={300} cy={115} r={23} />
      </g>
      <circle class="point" cx={300} cy={115} r={3.5} />
      <Arc centre={[300, 115]} radius={34} from={-150} to={190} />
      <Arc centre={[130, 115]} radius={50} from={10} to={90} />
      <text x={300} y={172} text-anchor="middle">
        motor: once
      </text>
      <text x={124} y={138} text-anchor="middle" class="called">
        table: this far
      </text>
      <text x={10} y={20}>
        from above
      </text>
    </>
  );
}

function Around() {
  const stops = Array.from({ length: 12 }, (_, index) => (index * Math.PI) / 6);
  return (
    <>
      <TopTable r={40} />
      {stops.map((angle) => (
        <circle key={angle} class="point" cx={180 + 88 * Math.cos(angle)} cy={115 - 88 * Math.sin(angle)} r={5} />
      ))}
      <Arc centre={[180, 115]} radius={62} from={0} to={300} />
      <text x={10} y={20}>
        from above
      </text>
    </>
  );
}

function Lift({ shows }: { shows: string }) {
  const heights = [160, 128, 96, 64];
  return (
    <>
      <Table from={118} />
      <path class="line" d="M110,40 V200 M80,200 H140" />
      <g class="thing">
        <rect x={98} y={196} width={24} height={18} rx={2} />
      </g>
      <Camera x={150} y={shows === "heights" ? 128 : 112} />
      <path class="line" d={shows === "heights" ? "M110,128 H124" : "M110,112 H124"} />
      {shows === "lift_lead" && (
        <>
          <Measure from={[60, 132]} to={[60, 112]} name="this far" at={[60, 102]} />
          <path class="line dashed" d="M50,132 H108 M50,112 H108" />
          <text x={128} y={224}>
            motor: once
          </text>
        </>
      )}
      {shows === "lift_travel" && (
        <>
          <Measure from={[60, 172]} to={[60, 48]} name="way" at={[60, 38]} />
          <path class="line dashed" d="M50,172 H108 M50,48 H108" />
          <text x={4} y={192}>
            switch: 0 mm
          </text>
        </>
      )}
      {shows === "heights" && (
        <g class="measure on">
          {heights.map((y) => (
            <path key={y} d={`M72,${y} H108`} />
          ))}
          <text x={64} y={165} text-anchor="end">
            0 mm
          </text>
          <text x={64} y={69} text-anchor="end">
            60 mm
          </text>
        </g>
      )}
    </>
  );
}

function Tilt({ shows }: { shows: string }) {
  const centre: [number, number] = [255, 130];
  const at = (degrees: number, radius: number) => [centre[0] - radius * Math.cos((degrees * Math.PI) / 180), centre[1] - radius * Math.sin((degrees * Math.PI) / 180)] as const;
  const [x, y] = at(38, 150);
  return (
    <>
      <Table />
      <path class="line dashed" d={`M${centre.join()} H70 M${centre.join()} L${at(80, 110).join()}`} />
      <path class="line" d={`M${centre.join()} L${x},${y}`} />
      <Camera x={x} y={y} turn={38} />
      {shows === "tilt_gear" ? <Arc centre={centre} radius={100} from={150} to={134} /> : <Arc centre={centre} radius={100} from={180} to={100} both />}
      <text x={66} y={124} text-anchor="end">
        0 deg
      </text>
      <text x={shows === "tilt_gear" ? 170 : 180} y={shows === "tilt_gear" ? 110 : 24} text-anchor="end" class="called">
        {shows === "tilt_gear" ? "this far" : "highest"}
      </text>
      {shows !== "tilt_gear" && (
        <text x={148} y={148} text-anchor="end" class="called">
          lowest
        </text>
      )}
    </>
  );
}
