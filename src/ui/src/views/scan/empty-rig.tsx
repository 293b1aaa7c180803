/** The scan of the empty rig, by which masks of later scans are made. */

import type { PlanReference } from "../../api/types";
import { dateTime } from "../../lib/format";
import { Note, Sure } from "../../parts/parts";
import { href } from "../../state/route";

interface Props {
  /** What there is for the plan; none of a plan of one's own. */
  found: PlanReference | null;
  disabled: boolean;
  start: () => Promise<unknown>;
}

export function EmptyRig({ found, disabled, start }: Props) {
  const reference = found?.reference ?? null;
  return (
    <section class="stack tight empty-rig" aria-label="The empty rig">
      <h2>Masks</h2>
      <p class="dim small">
        For masks, which show programs where the object is, scan the empty rig once with the same plan, before the object. Scan it again
        when a camera, a light or the table has changed.
      </p>
      {reference && (
        <Note tone={reference.fits ? "good" : "warn"}>
          {reference.fits ? "It was scanned on " : "It is to be scanned again. It was on "}
          <a href={href({ view: "one", scan: reference.scan })}>{dateTime(reference.created)}</a>
          {reference.fits ? ", and fits this plan." : ":"}
          <ul>
            {[...reference.lacking, ...reference.notes].map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </Note>
      )}
      {found && !reference && found.unknown == null && <Note>It was not scanned with this plan yet.</Note>}
      <div class="row">
        <Sure
          disabled={disabled}
          text="Take everything off the table: the object, its stand, targets and scale bars that are not always there. Leave cameras, lights and the background as they will be. What is on the table now counts as background from now on."
          yes="The table is empty: scan it"
          yesKind="main"
          doing="Starting…"
          does={start}
        >
          Scan the empty rig
        </Sure>
      </div>
    </section>
  );
}
