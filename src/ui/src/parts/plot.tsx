/** Small plots, drawn as SVG. */

import { useEffect, useRef, useState } from "preact/hooks";

import { figures } from "../lib/format";

export interface Series {
  name: string;
  /** Values by place; null where there is none. */
  values: readonly (number | null)[];
}

interface Props {
  label: string;
  unit?: string;
  series: readonly Series[];
  /** What the places are. */
  across: string;
  format?: (value: number) => string;
  /** What the scale shows at least. */
  range?: readonly [number, number];
  select?: (index: number) => void;
}

const HIGH = 150;
const [LEFT, BOTTOM, TOP, RIGHT] = [46, 20, 8, 6];

/** How wide an element is shown, so that what is drawn in it has letters of one size. */
export function useWidth() {
  const element = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(600);
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.max(120, Math.round(entry.contentRect.width))));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return { element, width };
}

/** Dots of some series over their places, with the scale that all of them fit in. */
export function Plot({ label, series, across, format = figures, range, select }: Props) {
  const { element, width: wide } = useWidth();
  const known = series.flatMap(({ values }) => values.filter((value) => value !== null));
  const places = Math.max(1, ...series.map(({ values }) => values.length));
  const [least, most] = known.length === 0 ? [0, 1] : [Math.min(...known), Math.max(...known)];
  const ticks = scale(Math.min(least, range?.[0] ?? least), Math.max(most, range?.[1] ?? most));
  const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const x = (index: number) => LEFT + ((index + 0.5) / places) * (wide - LEFT - RIGHT);
  const y = (value: number) => TOP + (1 - (value - low) / (high - low)) * (HIGH - TOP - BOTTOM);
  return (
    <figure class="plot" ref={element}>
      <figcaption class="row spread">
        <h2>{label}</h2>
        {series.length > 1 && (
          <ul class="row small">
            {series.map(({ name }, index) => (
              <li key={name} class={`key series-${index % 4}`}>
                {name}
              </li>
            ))}
          </ul>
        )}
      </figcaption>
      <svg viewBox={`0 0 ${wide} ${HIGH}`} role="img" aria-label={`${label}: ${format(least)} to ${format(most)} over ${places} ${across}`}>
        {ticks.map((tick) => (
          <g key={tick}>
            <line class="grid" x1={LEFT} x2={wide - RIGHT} y1={y(tick)} y2={y(tick)} />
            <text class="tick" x={LEFT - 6} y={y(tick) + 3.5} text-anchor="end">
              {format(tick)}
            </text>
          </g>
        ))}
        <text class="tick" x={LEFT} y={HIGH - 5}>
          {across} 1
        </text>
        <text class="tick" x={wide - RIGHT} y={HIGH - 5} text-anchor="end">
          {places}
        </text>
        {series.map(({ name, values }, line) => (
          <g key={name} class={`series-${line % 4}`}>
            {values.map((value, index) =>
              value === null ? null : (
                <circle key={index} cx={x(index)} cy={y(value)} r={2.4} onClick={select && (() => select(index))}>
                  <title>{`${name}, ${across} ${index + 1}: ${format(value)}`}</title>
                </circle>
              ),
            )}
          </g>
        ))}
      </svg>
    </figure>
  );
}

/** Three to six round numbers around all values. */
export function scale(low: number, high: number): number[] {
  // What hardly differs is shown as hardly differing, in the middle.
  const spread = Math.max(high - low, Math.abs(high) * 0.05, 1e-9);
  if (spread > high - low) [low, high] = [(low + high - spread) / 2, (low + high + spread) / 2];
  const rough = spread / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= rough) ?? rough;
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}
