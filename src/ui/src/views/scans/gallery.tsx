/** The scans on disk. */

import { useState } from "preact/hooks";

import { get, pathOf, textOf } from "../../api/client";
import type { ScanPage, ScanSummary } from "../../api/types";
import { count, dateTime } from "../../lib/format";
import { Do, Note, useLoaded } from "../../parts/parts";
import { Picture } from "../../parts/picture";
import { gaps, status } from "../../state/rig";
import { href } from "../../state/route";
import { StateChip } from "../scan/scan";

const PAGE = 24;

/** Pages behind the first one as it was then: once that is asked for anew, they are those of a list that is no more. */
interface Loaded {
  behind: ScanPage;
  scans: readonly ScanSummary[];
  next: string | null | undefined;
}

export function Gallery() {
  const first = useLoaded((signal) => get("/api/v1/scans", { query: { limit: PAGE }, signal }), `${status.value?.scanning} ${gaps.value}`);
  const [loaded, setLoaded] = useState<Loaded | null>(null);

  if (first.error && !first.value) return <Note tone="bad">{textOf(first.error)}</Note>;
  if (!first.value) return <p class="dim">Reading the scans…</p>;
  const begin = first.value;
  const more = loaded?.behind === begin ? loaded : { behind: begin, scans: [], next: begin.next };
  const scans = [...begin.scans, ...more.scans];
  const next = more.next;
  const load = async () => {
    const page = await get("/api/v1/scans", { query: { limit: PAGE, after: next ?? undefined } as { limit: number } });
    setLoaded({ behind: begin, scans: [...more.scans, ...page.scans], next: page.next });
  };
  return (
    <>
      <div class="view-head">
        <h1>Scans</h1>
        <span class="dim">{count(first.value.total, "scan")}</span>
      </div>
      {scans.length === 0 && (
        <p class="dim">
          There is none yet: <a href={href({ view: "scan" })}>start one</a>.
        </p>
      )}
      <ul class="gallery">
        {scans.map((scan) => (
          <li key={scan.id}>
            <Card summary={scan} />
          </li>
        ))}
      </ul>
      {next && (
        <div class="row more">
          <Do does={load} doing="Reading…">
            Show more
          </Do>
        </div>
      )}
    </>
  );
}

function Card({ summary: { id, in_use, scan, damage } }: { summary: ScanSummary }) {
  const state = !scan ? "damaged" : scan.state === "running" && !in_use ? "interrupted" : scan.state;
  return (
    <a class="card scan-card" href={href({ view: "one", scan: id })}>
      <span class="picture-box">
        {scan && scan.shots.done > 0 ? (
          <Picture src={pathOf("/api/v1/scans/{scan}/thumbnail", { scan: id })} alt={`First image of ${id}`} />
        ) : (
          <span class="missing">{damage ?? "no image yet"}</span>
        )}
      </span>
      <span class="row spread">
        <b class="mono name">{id}</b>
        <StateChip state={state} />
      </span>
      {scan && (
        <span class="row spread small dim">
          <span>{dateTime(scan.created)}</span>
          <span>
            {scan.shots.done}/{scan.shots.planned} · {count(scan.cameras.length, "camera")}
          </span>
        </span>
      )}
    </a>
  );
}
