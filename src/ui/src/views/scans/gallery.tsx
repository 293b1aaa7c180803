/** The scans on disk. */

import { useEffect, useState } from "preact/hooks";

import { get, pathOf, textOf } from "../../api/client";
import type { ScanPage, ScanSummary } from "../../api/types";
import { count, dateTime } from "../../lib/format";
import { Note, useLoaded } from "../../parts/parts";
import { Picture } from "../../parts/picture";
import { gaps, status } from "../../state/rig";
import { href } from "../../state/route";
import { StateChip } from "../scan/scan";
import { missingAt } from "./delivered";

const PAGE = 24;
/** As the API has it. */
const LONGEST_SEARCH = 200;
/** Keys that were pressed a moment ago may not be the last ones. */
const PAUSE_MS = 250;

/** The newest `wanted` scans, as they are now: what was shown stays shown when the list is asked for anew. */
async function newest(wanted: number, search: string, signal: AbortSignal): Promise<ScanPage> {
  const all: ScanPage = { scans: [], total: 0, next: null };
  do {
    const query = { limit: Math.min(PAGE, wanted - all.scans.length), ...(all.next ? { after: all.next } : {}), ...(search ? { search } : {}) };
    const page = await get("/api/v1/scans", { query, signal });
    all.scans.push(...page.scans);
    all.total = page.total;
    all.next = page.next ?? null;
  } while (all.next && all.scans.length < wanted);
  return all;
}

export function Gallery() {
  const [wanted, setWanted] = useState(PAGE);
  const [typed, setTyped] = useState("");
  const search = useSettled(typed.trim());
  const { value, error } = useLoaded((signal) => newest(wanted, search, signal), `${status.value?.scanning} ${gaps.value} ${wanted} ${search}`);

  if (error && !value) return <Note tone="bad">{textOf(error)}</Note>;
  if (!value) return <p class="dim">Reading the scans…</p>;
  const { scans, total, next } = value;
  return (
    <>
      <div class="view-head">
        <h1>Scans</h1>
        <div class="row">
          <input
            type="search"
            aria-label="Search"
            placeholder="name, note, tag or id"
            maxLength={LONGEST_SEARCH}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
          <span class="dim" aria-live="polite">
            {count(total, "scan")}
            {search && " found"}
          </span>
        </div>
      </div>
      {scans.length === 0 && search && <p class="dim">No scan has all of these words.</p>}
      {scans.length === 0 && !search && (
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
          <button type="button" onClick={() => setWanted(wanted + PAGE)}>Show more</button>
        </div>
      )}
    </>
  );
}

/** `value` once it has not changed for a moment. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

function Card({ summary: { id, in_use, name, tags, scan, damage, deliveries } }: { summary: ScanSummary }) {
  const state = !scan ? "damaged" : scan.state === "running" && !in_use ? "interrupted" : scan.state;
  const missing = missingAt(deliveries);
  return (
    <a class="card scan-card" href={href({ view: "one", scan: id })}>
      <span class="picture-box">
        {scan && scan.shots.done > 0 ? (
          <Picture src={pathOf("/api/v1/scans/{scan}/thumbnail", { scan: id })} alt={`First image of ${id}`} />
        ) : (
          <span class="missing">{damage ?? "no image yet"}</span>
        )}
      </span>
      {name != null && <b class="called">{name}</b>}
      <span class="row spread">
        <b class="mono name">{id}</b>
        <StateChip state={state} />
      </span>
      {scan && (
        <span class="row spread small dim">
          <span>{dateTime(scan.created)}</span>
          <span>
            {scan.reference && "empty rig · "}
            {scan.shots.done}/{scan.shots.planned} · {count(scan.cameras.length, "camera")}
          </span>
        </span>
      )}
      {missing !== null && <span class="small dim">{missing}</span>}
      {tags.length > 0 && <span class="small dim">{tags.join(", ")}</span>}
    </a>
  );
}
