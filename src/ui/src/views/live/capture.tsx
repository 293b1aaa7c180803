/** Photographs between scans: kept, tried, or only looked at; and the last ones that were kept. */

import { useEffect, useRef, useState } from "preact/hooks";

import { ApiError, get, pathOf, post, textOf, whenFree } from "../../api/client";
import type { Capture, Problem } from "../../api/types";
import { bytes, dateTime, exposure, figures, fixed, percent, unit } from "../../lib/format";
import { amount } from "../../lib/quantity";
import { Icon } from "../../parts/icon";
import type { IconName } from "../../parts/icon";
import { Note, useLoaded } from "../../parts/parts";
import type { Tone } from "../../parts/parts";
import { Picture } from "../../parts/picture";

type Kind = "capture" | "test" | "preview";

const BUTTONS: readonly { kind: Kind; text: string; icon: IconName; title: string }[] = [
  { kind: "capture", text: "Capture", icon: "shutter", title: "Take a photograph and keep it" },
  { kind: "test", text: "Test capture", icon: "check", title: "Take a photograph, measure it, keep nothing" },
  { kind: "preview", text: "Preview", icon: "live", title: "Take a photograph and look at it, keep nothing" },
];

interface Said {
  tone: Tone;
  text: string;
}

interface Props {
  camera: string;
  cameras: number;
  scanning: boolean;
  /** Called with the number of photographs kept, each time that there is a new one. */
  kept: () => void;
}

export function CaptureCard({ camera, cameras, scanning, kept }: Props) {
  const [doing, setDoing] = useState<Kind | null>(null);
  const [said, setSaid] = useState<Said | null>(null);
  const [all, setAll] = useState(false);
  const [preview, setPreview] = useState<string | null>(null);
  // The state is seen by the next drawing only; a second press may come before that.
  const taken = useRef(false);
  useEffect(() => () => void (preview && URL.revokeObjectURL(preview)), [preview]);

  const take = async (kind: Kind): Promise<Said> => {
    const waiting = (seconds: number) =>
      setSaid({ tone: "warn", text: `The camera is taken; trying again in ${unit(fixed(seconds, 1), "s")}…` });
    const body = all ? {} : { camera };
    switch (kind) {
      case "capture": {
        const { captures, count } = await whenFree(() => post("/api/v1/capture", { body }), waiting);
        kept();
        return { tone: "good", text: `Kept: ${captures.map((capture) => capture.path).join(", ")}. ${count} so far.` };
      }
      case "test": {
        const { captures } = await whenFree(() => post("/api/v1/capture/test", { body }), waiting);
        const line = ({ camera, metadata, width, height, bytes: length }: (typeof captures)[number]) =>
          `${camera}: ${width} × ${height}, ${bytes(length)}, sharpness ${figures(metadata.sharpness)}, ` +
          `${exposure(amount(metadata.exposure))}, clipped ${percent(metadata.clipped_dark)} dark and ${percent(metadata.clipped_bright)} bright`;
        return { tone: "good", text: `${captures.map(line).join("; ")}. Nothing was kept.` };
      }
      case "preview": {
        const blob = await whenFree(() => previewOf(camera), waiting);
        setPreview(URL.createObjectURL(blob));
        return { tone: "good", text: "The preview is shown; nothing was kept." };
      }
    }
  };
  const press = (kind: Kind) => {
    if (taken.current) return;
    taken.current = true;
    setDoing(kind);
    setSaid(null);
    take(kind)
      .then(setSaid, (error: unknown) => setSaid({ tone: "bad", text: textOf(error) }))
      .finally(() => {
        taken.current = false;
        setDoing(null);
      });
  };

  return (
    <section class="card stack tight" aria-label="Photographs">
      <div class="row">
        {BUTTONS.map(({ kind, text, icon, title }) => (
          <button
            type="button"
            key={kind}
            class={kind === "capture" ? "main" : undefined}
            title={title}
            disabled={doing !== null || scanning}
            aria-busy={doing === kind}
            onClick={() => press(kind)}
          >
            <Icon name={icon} />
            {doing === kind ? "Capturing…" : text}
          </button>
        ))}
        {cameras > 1 && (
          <label class="check">
            <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
            all cameras
          </label>
        )}
      </div>
      <div aria-live="polite">
        {scanning && <p class="dim small">A scan has the cameras.</p>}
        {said && <Note tone={said.tone}>{said.text}</Note>}
      </div>
      {preview && <PreviewDialog src={preview} camera={camera} close={() => setPreview(null)} />}
    </section>
  );
}

/** A preview is an image, or a problem. */
async function previewOf(camera: string): Promise<Blob> {
  const response = await fetch(pathOf("/api/v1/preview.jpg", {}, { camera })).catch(() => null);
  if (!response) throw new ApiError("The scanner cannot be reached.", 0, null);
  if (response.ok) return response.blob();
  const problem = (await response.json().catch(() => null)) as Problem | null;
  throw new ApiError(problem?.detail ?? response.statusText, response.status, problem);
}

function PreviewDialog({ src, camera, close }: { src: string; camera: string; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="preview" aria-label={`Preview of ${camera}`} onClose={close}>
      <div class="stack tight">
        <div class="row spread">
          <h2>Preview of {camera}</h2>
          <button type="button" class="plain square" aria-label="Close" onClick={() => dialog.current?.close()}>
            <Icon name="close" />
          </button>
        </div>
        <img src={src} alt={`What ${camera} sees`} />
      </div>
    </dialog>
  );
}

const SHOWN = 10;

export function History({ turn }: { turn: number }) {
  const found = useLoaded((signal) => get("/api/v1/captures", { query: { limit: SHOWN }, signal }), turn);
  const captures = found.value?.captures ?? [];
  if (captures.length === 0) return null;
  return (
    <section class="stack tight" aria-label="The last photographs">
      <h2>
        The last {captures.length} of {found.value?.count} photographs
      </h2>
      <ul class="thumbnails">
        {captures.map((capture) => (
          <li key={capture.id}>
            <Kept capture={capture} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Kept({ capture: { id, camera, metadata, width, height } }: { capture: Capture }) {
  return (
    <a
      class="thumbnail"
      href={pathOf("/api/v1/captures/{id}/image", { id })}
      target="_blank"
      rel="noopener"
      title={`${width} × ${height}, sharpness ${figures(metadata.sharpness)}`}
    >
      <span class="picture-box">
        <Picture src={pathOf("/api/v1/captures/{id}/thumbnail", { id })} alt={`Photograph ${id} of ${camera}`} />
      </span>
      <span class="small mono">
        {id} · {camera}
      </span>
      <span class="small dim">{dateTime(metadata.taken_at)}</span>
    </a>
  );
}
