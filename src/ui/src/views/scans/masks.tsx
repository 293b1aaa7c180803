/** Masks of a scan's images: made, given up, laid over the images. */

import { useEffect, useState } from "preact/hooks";

import { ApiError, get, pathOf, post, textOf } from "../../api/client";
import type { MaskList, PlanReference } from "../../api/types";
import { count, dateTime, percent } from "../../lib/format";
import { Bar, Do, Note, useLoaded } from "../../parts/parts";
import type { Loaded } from "../../parts/parts";
import { gaps, status } from "../../state/rig";
import { href } from "../../state/route";
import { reasonsOf } from "./reasons";

/** How often it is looked whether masks are made, while they were under way when last looked at. */
const LOOK_MS = 1_000;

/** The masks of the scan `id`, asked for anew when some were made, or images taken. */
export function useMasks(id: string, images: number): Loaded<MaskList> {
  const making = status.value?.masks?.scan === id;
  const loaded = useLoaded((signal) => get("/api/v1/scans/{scan}/masks", { path: { scan: id }, signal }), `${id} ${making} ${images} ${gaps.value}`);
  // A few masks are made between two words about the rig, which then never says that any are being made.
  const unseen = loaded.value?.making.state === "under_way" && !making;
  useEffect(() => {
    if (!unseen) return undefined;
    const timer = setInterval(loaded.again, LOOK_MS);
    return () => clearInterval(timer);
  }, [unseen]);
  return loaded;
}

/** The address of a mask that is laid over a thumbnail: another one for one that was made again. */
export function maskOf(scan: string, { shot, reference, covered }: MaskList["masks"][number]): string {
  return `${pathOf("/api/v1/scans/{scan}/shots/{shot}/mask/thumbnail", { scan, shot })}#${reference}.${covered}`;
}

interface Props {
  id: string;
  running: boolean;
  loaded: Loaded<MaskList>;
  laid: boolean;
  lay: (laid: boolean) => void;
}

export function Masks({ id, running, loaded: { value, error, again }, laid, lay }: Props) {
  /** The API has nothing to make them by. */
  const [refused, setRefused] = useState(false);
  const making = status.value?.masks ?? null;
  const mine = making?.scan === id ? making : null;
  if (error && !value) return <Note tone="bad">{textOf(error)}</Note>;
  if (!value) return null;
  const { masks, without, notes, making: last } = value;
  const nothingMissing = masks.length > 0 && without.length === 0;
  const make = async (reference?: string) => {
    setRefused(false);
    try {
      const body = { again: nothingMissing, ...(reference === undefined ? {} : { reference }) };
      await post("/api/v1/scans/{scan}/masks", { path: { scan: id }, body });
    } catch (error) {
      if (!(error instanceof ApiError) || error.problem?.type !== "/problems/no_masks") throw error;
      setRefused(true);
    }
    again();
  };
  return (
    <section class="card stack" aria-label="Masks">
      <div class="row spread">
        <h2>Masks</h2>
        {masks.length > 0 && (
          <label class="check">
            <input type="checkbox" checked={laid} onChange={(event) => lay(event.currentTarget.checked)} />
            <span>Lay them over the images</span>
          </label>
        )}
      </div>
      <p class="dim small">
        A mask says where the object is in its image, so that programs that reconstruct look at nothing else. The downloads below take them
        along.
      </p>
      <p aria-live="polite">
        {masks.length === 0 ? "No image has one yet." : `${masks.length} of ${count(masks.length + without.length, "image")} have one${covering(masks)}.`}
      </p>
      {mine && <Progress {...mine} />}
      <div class="row">
        {mine ? (
          <Do icon="stop" doing="Ending…" does={() => post("/api/v1/scans/{scan}/masks/cancel", { path: { scan: id } })}>
            Stop making masks
          </Do>
        ) : (
          <Do
            kind={masks.length === 0 ? "main" : undefined}
            doing="Beginning…"
            disabled={running || making !== null}
            does={() => make()}
          >
            {masks.length === 0 ? "Make masks" : nothingMissing ? "Make them again" : "Make what is missing"}
          </Do>
        )}
        {running && <span class="dim small">They can be made when the scan has ended.</span>}
        {!mine && making && <span class="dim small">Those of {making.scan} are being made.</span>}
      </div>
      {refused && <Nothing make={make} />}
      {!mine && last.state === "failed" && <Note tone="bad">{last.message}</Note>}
      {!mine && last.state === "cancelled" && <Note>The making was stopped. What was made by then is kept.</Note>}
      {!mine &&
        reasonsOf(without).map(({ reason, shots }) => (
          <Note key={reason} tone="warn">
            {count(shots, "image")} without: {reason}
          </Note>
        ))}
      {notes.map((note) => (
        <Note key={note}>{note}</Note>
      ))}
    </section>
  );
}

function covering(masks: MaskList["masks"]): string {
  const parts = masks.map(({ covered }) => covered);
  return `: the object covers ${percent(Math.min(...parts))} to ${percent(Math.max(...parts))} of them`;
}

function Progress({ done, images, waiting }: { done: number; images: number; waiting: boolean }) {
  return (
    <div class="stack tight">
      <Bar name="Masks made" done={done} all={images} text={`${done} of ${images} images done`} />
      <span class="dim small">
        {done} of {images} images done{waiting && "; it goes on when the rig is free"}
      </span>
    </div>
  );
}

/** The empty rig was not scanned before; perhaps it was afterwards. */
function Nothing({ make }: { make: (reference: string) => Promise<void> }) {
  const [later, setLater] = useState<NonNullable<PlanReference["reference"]> | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    const newest = async () => {
      const { plans } = await get("/api/v1/references", { signal: abort.signal });
      const found = plans.flatMap(({ reference }) => reference ?? []).sort((a, b) => b.created.localeCompare(a.created));
      setLater(found[0] ?? null);
    };
    // Without an answer there is nothing to offer.
    newest().catch(() => undefined);
    return () => abort.abort();
  }, []);
  return (
    <Note tone="warn">
      <div class="stack tight">
        <p>
          The empty rig was not scanned before this scan was made, and masks are found by comparing with it.{" "}
          <a href={href({ view: "scan" })}>Scan the empty rig</a> before the next one.
        </p>
        {later && (
          <div class="row">
            <Do doing="Beginning…" does={() => make(later.scan)}>
              Use the empty rig of {dateTime(later.created)}
            </Do>
            <span class="small">if nothing on the rig has changed in between</span>
          </div>
        )}
      </div>
    </Note>
  );
}
