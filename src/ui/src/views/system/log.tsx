/** The end of the daemon's log. */

import { useEffect, useState } from "preact/hooks";

import { get, textOf } from "../../api/client";
import { time } from "../../lib/format";
import { Note, useLoaded } from "../../parts/parts";

const LINES = 300;
const AGAIN_MS = 2000;
const TONES: Record<string, string> = { error: "bad", warn: "warn" };

export function LogCard() {
  const [turn, setTurn] = useState(0);
  const [loud, setLoud] = useState(false);
  const found = useLoaded((signal) => get("/api/v1/log", { query: { limit: LINES }, signal }), turn);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && setTurn((turn) => turn + 1), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const lines = (found.value?.lines ?? []).filter((line) => !loud || line.level === "warn" || line.level === "error");
  return (
    <section class="card stack tight" aria-label="Log">
      <div class="row spread">
        <h2>Log</h2>
        <label class="check small">
          <input type="checkbox" checked={loud} onChange={(event) => setLoud(event.currentTarget.checked)} />
          warnings and errors only
        </label>
      </div>
      {Boolean(found.error) && <Note tone="warn">{textOf(found.error)}</Note>}
      <ol class="log mono" tabIndex={0} aria-label="Lines of the log, the newest first">
        {lines.reverse().map((line) => (
          <li key={`${line.at} ${line.message}`}>
            <time class="dim" dateTime={line.at}>
              {time(line.at)}
            </time>
            <span class={TONES[line.level]}>
              {TONES[line.level] && <span class="away">{line.level}: </span>}
              {line.message}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
