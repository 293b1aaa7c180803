/** What the page's own file says, as a text. */

import { useState } from "preact/hooks";

import { patch } from "../../api/client";
import type { ConfigChanged, Configuration } from "../../api/types";
import { Do } from "../../parts/parts";
import { useCheck } from "./use-check";

interface AsTextProps {
  configuration: Configuration;
  mayChange: boolean;
  changed: (changed: ConfigChanged) => void;
}

export function AsText({ configuration: { text, file, fingerprint }, mayChange, changed }: AsTextProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const now = draft ?? text ?? "";
  const edited = draft !== null && draft !== text;
  const checked = useCheck(edited ? { text: now, edits: [] } : null);
  if (text == null) {
    return <p class="note warn">There is a secret in {file}, which somebody wrote on the machine: it is changed there.</p>;
  }
  const save = async () => {
    changed(await patch("/api/v1/configuration", { body: { based_on: fingerprint, text: now, edits: [] } }));
    setDraft(null);
  };
  const fine = checked !== null && checked.problems.length === 0 && checked.refused == null;
  return (
    <section class="card stack" aria-label="As text">
      <label class="field">
        <span>
          {file}: what is here overrides the other files, key by key; <code>[camera.cam0]</code> changes the camera of that name
        </span>
        <textarea
          class="mono"
          rows={18}
          spellcheck={false}
          value={now}
          disabled={!mayChange}
          aria-describedby="text-problems"
          onInput={(event) => setDraft(event.currentTarget.value)}
        />
      </label>
      <ul id="text-problems" class="stack tight" role="list" aria-live="polite">
        {checked?.problems.map((problem) => (
          <li key={`${problem.file}${problem.line}${problem.message}`} class="small bad">
            {problem.file === file ? `line ${problem.line}` : `${problem.file}, line ${problem.line}`}: {problem.message}
            {problem.hint != null && `: ${problem.hint}`}
          </li>
        ))}
        {checked?.refused != null && <li class="small bad">{checked.refused}</li>}
      </ul>
      <div class="row">
        <Do kind="main" doing="Saving…" disabled={!mayChange || !edited || !fine} does={save}>
          Save
        </Do>
        <button type="button" disabled={!edited} onClick={() => setDraft(null)}>
          Discard
        </button>
      </div>
    </section>
  );
}
