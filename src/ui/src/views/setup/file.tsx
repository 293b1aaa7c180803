/** What the answers make, and putting that in force. */

import { useState } from "preact/hooks";

import { get, post, textOf } from "../../api/client";
import type { SetupState } from "../../api/types";
import { Do, Note, useLoaded } from "../../parts/parts";
import { href } from "../../state/route";
import { Ends } from "./setup";
import type { PageProps } from "./setup";

/** How often it is asked whether the configuration is in force. */
const LOOK_MS = 700;

interface Props extends PageProps {
  /** It is in force: a scan is so much. */
  done: (state: SetupState, scan: string | null) => void;
}

export function FilePage({ state, done, back }: Props) {
  const made = useLoaded((signal) => get("/api/v1/setup/drop-in", { signal }), "");
  const [placed, setPlaced] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const axis = made.value?.placed_by_hand ?? null;

  const apply = async () => {
    setFailed(null);
    await post("/api/v1/setup/apply", { body: { placed } });
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      // The connection ends with what was in force before.
      const now = await get("/api/v1/setup").catch(() => null);
      if (now?.in_force === true) {
        if (axis !== null) await post("/api/v1/axes/home", { body: { axes: [axis] } });
        return done(now, made.value?.scan ?? null);
      }
      if (now?.refused != null) return setFailed(now.refused);
    }
  };

  return (
    <section class="card stack" aria-label="The file">
      <h2 class="asked">This is what comes of it</h2>
      {made.error !== null && (
        <Note tone="bad">
          <span class="as-written">{textOf(made.error)}</span>
        </Note>
      )}
      {made.value && (
        <>
          {made.value.scan != null && <p>{made.value.scan}</p>}
          {made.value.notes.map((note) => (
            <Note key={note} tone="warn">
              {note}
            </Note>
          ))}
          <details>
            <summary>The file {made.value.file}</summary>
            <pre class="scroll mono" tabIndex={0} aria-label="The file">
              {made.value.text}
            </pre>
          </details>
          {axis !== null && (
            <label class="check">
              <input type="checkbox" checked={placed} onChange={(event) => setPlaced(event.currentTarget.checked)} />
              The {axis} stands where 0 deg is to be: I have turned it there by hand.
            </label>
          )}
          <p class="small dim">The file is put in place in one piece, and the service reads it at once. Nothing moves by that.</p>
        </>
      )}
      {failed !== null && (
        <Note tone="bad">
          <span class="as-written">{failed}</span>
        </Note>
      )}
      <Ends back={back}>
        <Do kind="main" disabled={made.value === null || (axis !== null && !placed)} doing="Putting it in force…" does={apply}>
          {state.is_set_up ? "Write it anew" : "Write it"}
        </Do>
      </Ends>
    </section>
  );
}

/** The way to the first scan. */
export function DonePage({ scan }: { scan: string | null }) {
  return (
    <section class="card stack" aria-label="The rig is set up">
      <h2 class="asked">The rig is set up.</h2>
      {scan !== null && <p>{scan}</p>}
      <p>Put something on the table, look at it through the cameras, and take the first scan.</p>
      <p class="small dim">
        After that, the rig can find out how its axes swing and measure where its cameras stand:{" "}
        <a href={href({ view: "calibration" })}>Calibration</a>.
      </p>
      <div class="row ends">
        <a class="button" href={href({ view: "live" })}>
          Look at it
        </a>
        <a class="button main" href={href({ view: "scan" })}>
          To the first scan
        </a>
      </div>
    </section>
  );
}
