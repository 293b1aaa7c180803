/** The configuration: every setting with its default and what it is for, changed, checked and taken back. */

import { useEffect, useState } from "preact/hooks";

import { get, patch } from "../../api/client";
import type { ConfigChanged, ConfigEdit, Configuration, Setting } from "../../api/types";
import { count } from "../../lib/format";
import { Do, useLoaded } from "../../parts/parts";
import { notify } from "../../state/notices";
import { link, status } from "../../state/rig";
import { session } from "../../state/session";
import { AsText } from "./as-text";
import { Row } from "./row";
import { useCheck } from "./use-check";
import { editOf, generic, isFound, nameOf, shown, tableOf } from "./value";
import { Backup, Versions } from "./versions";

type Drafts = ReadonlyMap<string, string>;

export function Settings() {
  // A reload ends the connection, and the end of a scan may put in force what was written during it.
  const { value, error, again } = useLoaded((signal) => get("/api/v1/configuration", { signal }), `${link.value} ${status.value?.scanning}`);
  const [drafts, setDrafts] = useState<Drafts>(new Map());
  const [words, setWords] = useState("");
  const [mode, setMode] = useState<"form" | "text">("form");
  const user = session.value;
  const mayChange = user !== null && user !== "asking" && user.may === "use";
  if (!value) return <p class="dim">{error === null ? "Waiting for the scanner…" : "The configuration cannot be had: the scanner is asked again."}</p>;
  const changed = (done: ConfigChanged) => {
    setDrafts(new Map());
    again();
    const when = done.waits ? "It is put in force when the scan has ended." : "It is put in force.";
    notify("good", done.changed ? `Saved. ${when}` : "It says so already.");
  };
  const common = { mayChange, changed, fingerprint: value.fingerprint };
  return (
    <>
      <div class="view-head">
        <h1>Settings</h1>
        <span class="segments" role="group" aria-label="How it is changed">
          {(["form", "text"] as const).map((one) => (
            <button key={one} type="button" aria-pressed={mode === one} onClick={() => setMode(one)}>
              {one === "form" ? "Form" : "Text"}
            </button>
          ))}
        </span>
      </div>
      <Standing configuration={value} again={again} />
      <div class="settings-grid">
        <div class="stack">
          {mode === "form" ? (
            <Form {...{ configuration: value, drafts, setDrafts, words, setWords, mayChange, changed }} />
          ) : (
            <AsText key={value.fingerprint} configuration={value} {...{ mayChange, changed }} />
          )}
        </div>
        <div class="stack">
          <Versions {...common} />
          <Backup {...common} />
        </div>
      </div>
    </>
  );
}

/** Whether what is written is in force, and if not, why. */
function Standing({ configuration: { in_force, refused, waits, problems }, again }: { configuration: Configuration; again: () => void }) {
  const pending = !in_force && refused == null && !waits && problems.length === 0;
  useEffect(() => {
    if (!pending) return;
    const timer = setTimeout(again, 1000);
    return () => clearTimeout(timer);
  });
  return (
    <div role="status" aria-live="polite">
      {problems.length > 0 && (
        <p class="note bad">
          The files do not load, so that what was read before is in force: {problems[0]?.file}, line {problems[0]?.line}: {problems[0]?.message}
        </p>
      )}
      {waits && <p class="note">What is written is put in force when the scan under way has ended.</p>}
      {refused != null && <p class="note warn">What is written is not in force: {refused}</p>}
      {pending && <p class="note">What is written is being put in force…</p>}
    </div>
  );
}

interface FormProps {
  configuration: Configuration;
  drafts: Drafts;
  setDrafts: (drafts: Drafts) => void;
  words: string;
  setWords: (words: string) => void;
  mayChange: boolean;
  changed: (changed: ConfigChanged) => void;
}

function Form({ configuration, drafts, setDrafts, words, setWords, mayChange, changed }: FormProps) {
  const edits = configuration.settings.flatMap((setting): ConfigEdit[] => {
    const edit = editOf(setting, drafts.get(setting.key) ?? shown(setting));
    return edit ? [edit] : [];
  });
  const checked = useCheck(edits.length > 0 ? { edits } : null);
  const found = configuration.settings.filter((setting) => isFound(setting, words));
  const groups = new Map<string, Setting[]>();
  for (const setting of found) {
    const table = tableOf(setting.key);
    groups.set(table, [...(groups.get(table) ?? []), setting]);
  }
  const problems = checked?.problems ?? [];
  const keys = new Set(found.map((setting) => setting.key));
  const elsewhere = problems.filter((problem) => problem.key == null || !keys.has(problem.key));
  const fine = checked !== null && problems.length === 0 && checked.refused == null;
  const save = async () => changed(await patch("/api/v1/configuration", { body: { based_on: configuration.fingerprint, edits } }));
  const changedHere = (settings: readonly Setting[]) => settings.filter((setting) => setting.changed_here || drafts.has(setting.key)).length;
  return (
    <>
      <label class="field">
        <span>Look for a setting</span>
        <input type="search" value={words} placeholder="settle, lens, free space…" onInput={(event) => setWords(event.currentTarget.value)} />
      </label>
      {found.length === 0 && <p class="dim">There is no such setting.</p>}
      {[...groups].map(([table, settings]) => (
        <details key={table} class="card settings-group" open={words !== "" || undefined}>
          <summary class="row spread">
            <span class="grow">
              <h2 class="mono">{table}</h2>
              <span class="small dim one-line">{settings.map((setting) => nameOf(setting.key)).join(", ")}</span>
            </span>
            {changedHere(settings) > 0 && <span class="chip busy">{changedHere(settings)} changed</span>}
          </summary>
          <div class="stack">
            <p class="small dim">{configuration.tables.find((one) => [generic(table), `${generic(table)}.NAME`].includes(one.key))?.explanation}</p>
            {settings.map((setting) => (
              <Row
                key={setting.key}
                setting={setting}
                text={drafts.get(setting.key) ?? shown(setting)}
                problems={problems.filter((problem) => problem.key === setting.key)}
                disabled={!mayChange}
                type={(text) => setDrafts(new Map(drafts).set(setting.key, text))}
              />
            ))}
          </div>
        </details>
      ))}
      {edits.length > 0 && (
        <div class="card stack tight save-bar" role="region" aria-label="Changes">
          <ul class="stack tight" role="list" aria-live="polite">
            {elsewhere.map((problem) => (
              <li key={problem.message} class="small bad">
                {problem.message}
                {problem.hint != null && `: ${problem.hint}`}
              </li>
            ))}
            {checked?.refused != null && <li class="small bad">{checked.refused}</li>}
          </ul>
          <div class="row spread">
            <span>{checked === null ? "Checking…" : fine ? `${count(edits.length, "change")}, all in order` : `${count(edits.length, "change")}, to be corrected`}</span>
            <span class="row">
              <button type="button" onClick={() => setDrafts(new Map())}>
                Discard
              </button>
              <Do kind="main" doing="Saving…" disabled={!fine} does={save}>
                Save
              </Do>
            </span>
          </div>
        </div>
      )}
    </>
  );
}
