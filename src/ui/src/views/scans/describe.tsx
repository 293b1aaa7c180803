/** What a person calls a scan: shown, and changed. */

import { useRef, useState } from "preact/hooks";

import { patch } from "../../api/client";
import type { DescriptionChanges, ScanSummary } from "../../api/types";
import { Do } from "../../parts/parts";
import { tagsOf } from "./tags";

/** As the API has them. */
const LONGEST_NAME = 100;
const LONGEST_NOTE = 2000;

export function Described({ summary: { note, tags } }: { summary: ScanSummary }) {
  if (note == null && tags.length === 0) return null;
  return (
    <div class="stack tight">
      {note != null && <p class="said">{note}</p>}
      {tags.length > 0 && (
        <ul class="row" aria-label="Tags">
          {tags.map((tag) => (
            <li key={tag} class="tag">
              {tag}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

interface Draft {
  name: string;
  note: string;
  tags: string;
}

export function Describe({ summary, changed }: { summary: ScanSummary; changed: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [draft, setDraft] = useState<Draft>({ name: "", note: "", tags: "" });
  const begin = () => {
    setDraft({ name: summary.name ?? "", note: summary.note ?? "", tags: summary.tags.join(", ") });
    dialog.current?.showModal();
  };
  const change = (part: Partial<Draft>) => setDraft((draft) => ({ ...draft, ...part }));
  const save = async () => {
    const body: DescriptionChanges = { name: draft.name, note: draft.note, tags: tagsOf(draft.tags) };
    await patch("/api/v1/scans/{scan}", { path: { scan: summary.id }, body });
    dialog.current?.close();
    changed();
  };
  return (
    <>
      <button type="button" onClick={begin}>
        {summary.name == null ? "Name it" : "Rename"}
      </button>
      <dialog ref={dialog} aria-label="What the scan is called">
        <div class="stack describe">
          <label class="field">
            <span>Name</span>
            <input value={draft.name} maxLength={LONGEST_NAME} onInput={(event) => change({ name: event.currentTarget.value })} />
          </label>
          <label class="field">
            <span>Note</span>
            <textarea rows={4} value={draft.note} maxLength={LONGEST_NOTE} onInput={(event) => change({ note: event.currentTarget.value })} />
          </label>
          <label class="field">
            <span>Tags, with commas between them</span>
            <input value={draft.tags} onInput={(event) => change({ tags: event.currentTarget.value })} />
          </label>
          <div class="row">
            <Do kind="main" doing="Saving…" does={save}>
              Save
            </Do>
            <button type="button" onClick={() => dialog.current?.close()}>
              Leave it
            </button>
          </div>
        </div>
      </dialog>
    </>
  );
}
