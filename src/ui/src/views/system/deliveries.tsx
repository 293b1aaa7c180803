/** Where finished scans are brought: what waits, what is under way, and what is in the way. */

import type { RigStatus } from "../../api/types";
import { bytes, count } from "../../lib/format";
import { Note } from "../../parts/parts";
import { href } from "../../state/route";

type Delivery = RigStatus["deliveries"][number];

/** Nothing, where scans are brought nowhere. */
export function Deliveries({ deliveries }: { deliveries: readonly Delivery[] }) {
  if (deliveries.length === 0) return null;
  return (
    <section class="card stack" aria-label="Delivery">
      <h2>Delivery</h2>
      {deliveries.map((delivery) => (
        <Target key={delivery.target} delivery={delivery} />
      ))}
    </section>
  );
}

/** What is done, and what has been. */
const WORDS = {
  folder: { doing: "delivering", done: "all there", open: "to be brought there" },
  s3: { doing: "delivering", done: "all there", open: "to be brought there" },
  workshop: { doing: "offering", done: "all offered", open: "to be offered there" },
} as const;

function Target({ delivery: { target, to, waiting, under_way, trouble } }: { delivery: Delivery }) {
  const { doing, done, open } = WORDS[to];
  const state = trouble != null ? { tone: "bad", word: "fails" } : under_way != null ? { tone: "busy", word: doing } : waiting > 0 ? { tone: "quiet", word: "waits" } : { tone: "good", word: done };
  return (
    <article class="stack tight">
      <div class="row spread">
        <h3 class="mono">{target}</h3>
        <span class={`chip ${state.tone}`}>{state.word}</span>
      </div>
      {under_way != null && (
        <p class="small">
          <a href={href({ view: "one", scan: under_way.scan })}>{under_way.scan}</a>: {under_way.files} of {count(under_way.of_files, "file")},{" "}
          {bytes(under_way.bytes)} of {bytes(under_way.of_bytes)}
        </p>
      )}
      {waiting > 0 && <p class="small dim">
          {count(waiting, "scan")} {open}
        </p>}
      {trouble != null && <Note tone="bad">{trouble}</Note>}
    </article>
  );
}
