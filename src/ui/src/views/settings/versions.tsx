/** What was before the last changes, to be taken back; and the whole in one file. */

import { useRef } from "preact/hooks";

import { get, pathOf, post, put } from "../../api/client";
import type { ConfigChanged } from "../../api/types";
import { dateTime } from "../../lib/format";
import { Icon } from "../../parts/icon";
import { Sure, useLoaded } from "../../parts/parts";
import { complain, notify } from "../../state/notices";

interface VersionsProps {
  fingerprint: string;
  mayChange: boolean;
  changed: (changed: ConfigChanged) => void;
}

export function Versions({ fingerprint, mayChange, changed }: VersionsProps) {
  const { value } = useLoaded((signal) => get("/api/v1/configuration/versions", { signal }), fingerprint);
  const back = async (version: number) => changed(await post("/api/v1/configuration/versions/{version}/restore", { path: { version } }));
  const versions = value?.versions ?? [];
  return (
    <section class="card stack" aria-label="Earlier versions">
      <h2>Earlier versions</h2>
      {versions.length === 0 && <p class="dim small">Nothing has been changed yet.</p>}
      <ul class="stack" role="list">
        {versions.map((version) => (
          <li key={version.number} class="row spread version">
            <span class="stack tight grow">
              <span>Before {dateTime(version.until)}</span>
              <span class="small dim">
                {version.by}: {version.change}
              </span>
            </span>
            <Sure
              label={`Take back version ${version.number}`}
              text={`Have ${version.drop_in} as it was before this change? That can be taken back, too.`}
              yes="Take it back"
              yesKind="main"
              disabled={!mayChange}
              does={() => back(version.number)}
            >
              Take back
            </Sure>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Backup({ fingerprint, mayChange, changed }: VersionsProps) {
  const file = useRef<HTMLInputElement>(null);
  const restore = async (chosen: File) => {
    const text = await chosen.text();
    const done = await put("/api/v1/configuration/backup.toml", { body: { based_on: fingerprint, text } });
    for (const name of done.left_out ?? []) notify("warn", `${name} is left out: its address is a secret, which no backup has. Write it again.`);
    changed(done);
  };
  return (
    <section class="card stack" aria-label="Backup">
      <h2>Backup</h2>
      <p class="small dim">The whole configuration in one file, without secrets. It is checked as a whole before it changes anything.</p>
      <div class="row">
        <a class="button" href={pathOf("/api/v1/configuration/backup.toml")} download="scanner-backup.toml">
          <Icon name="download" />
          Download
        </a>
        <label class="field grow">
          <span>Restore from a backup</span>
          <input
            ref={file}
            type="file"
            accept=".toml"
            disabled={!mayChange}
            onChange={(event) => {
              const chosen = event.currentTarget.files?.[0];
              if (chosen) {
                restore(chosen)
                  .catch(complain)
                  .finally(() => file.current && (file.current.value = ""));
              }
            }}
          />
        </label>
      </div>
    </section>
  );
}
