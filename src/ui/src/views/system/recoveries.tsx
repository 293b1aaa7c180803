/** When cameras had to be brought back. */

import type { Numbered } from "../../api/types";
import { time } from "../../lib/format";
import { useWidth } from "../../parts/plot";
import { binned } from "./bins";

const BINS = 60;
/** A quiet minute is not drawn as if it were long. */
const LEAST_MS = 10 * 60_000;
const [HIGH, FOOT] = [90, 18];

export function Recoveries({ events, now }: { events: readonly Numbered[]; now: number }) {
  const { element, width: wide } = useWidth();
  const found = events.flatMap((event) => (event.event === "recovering" ? [{ at: Date.parse(event.at), kind: event.rung }] : []));
  const first = events[0] ? Date.parse(events[0].at) : now;
  const from = Math.min(first, now - LEAST_MS);
  const bins = binned(found, from, now, BINS);
  const most = Math.max(2, ...bins.map((bin) => bin.restart + bin.respawn + bin.reset));
  const width = wide / BINS;
  const high = (count: number) => (count / most) * (HIGH - FOOT);
  const total = (rung: "restart" | "respawn" | "reset") => found.filter(({ kind }) => kind === rung).length;
  return (
    <figure class="plot" ref={element}>
      <figcaption class="row spread">
        <h2>Recoveries over time</h2>
        <ul class="row small">
          <li class="key series-1">restart {total("restart")}</li>
          <li class="key series-2">respawn {total("respawn")}</li>
          {total("reset") > 0 && <li class="key series-3">reset {total("reset")}</li>}
        </ul>
      </figcaption>
      <svg viewBox={`0 0 ${wide} ${HIGH}`} role="img" aria-label={`${total("restart")} restarts, ${total("respawn")} respawns and ${total("reset")} resets since ${time(new Date(from))}`}>
        <line class="grid" x1={0} x2={wide} y1={HIGH - FOOT} y2={HIGH - FOOT} />
        {bins.map((bin, index) => (
          <g key={index}>
            <rect class="bar-1" x={index * width + 1} width={width - 2} y={HIGH - FOOT - high(bin.restart)} height={high(bin.restart)} />
            <rect
              class="bar-2"
              x={index * width + 1}
              width={width - 2}
              y={HIGH - FOOT - high(bin.restart) - high(bin.respawn)}
              height={high(bin.respawn)}
            />
            <rect
              class="bar-3"
              x={index * width + 1}
              width={width - 2}
              y={HIGH - FOOT - high(bin.restart) - high(bin.respawn) - high(bin.reset)}
              height={high(bin.reset)}
            />
          </g>
        ))}
        <text class="tick" x={0} y={HIGH - 3}>
          {time(new Date(from))}
        </text>
        <text class="tick" x={wide} y={HIGH - 3} text-anchor="end">
          now
        </text>
      </svg>
    </figure>
  );
}
