/** The rig set up: one question at a time, its parts tried, and what comes of it put in force. */

import { useEffect, useRef, useState } from "preact/hooks";

import { get, post, remove, textOf } from "../../api/client";
import type { SetupState } from "../../api/types";
import { Icon } from "../../parts/icon";
import { Do, Note } from "../../parts/parts";
import { go, href } from "../../state/route";
import { learnt } from "../../state/setup";
import { DonePage, FilePage } from "./file";
import { QuestionPage } from "./question";
import { FILE, MACHINE, TRY, after, before, open, shown } from "./stages";
import { TrialPage } from "./trial";

/** What every page of the setup has. */
export interface PageProps {
  state: SetupState;
  changed: (state: SetupState) => void;
  back: (() => void) | null;
}

const goTo = (at: string) => go({ view: "setup", at });

export function Setup({ at }: { at: string }) {
  const [state, setState] = useState<SetupState | null>(null);
  const [error, setError] = useState<unknown>(null);
  // What was just put in force, until somebody goes elsewhere in the setup.
  const [done, setDone] = useState<{ scan: string | null } | null>(null);
  const changed = (state: SetupState) => {
    setState(state);
    learnt(state);
  };
  const load = () => get("/api/v1/setup").then((state) => (changed(state), setError(null)), setError);
  useEffect(() => void load(), []);
  useEffect(() => setDone((done) => (at === FILE ? done : null)), [at]);

  const place = state ? (done ? FILE : shown(state, at)) : MACHINE;
  // Who reads with a screen reader is told of the next question.
  const heading = useRef<HTMLHeadingElement>(null);
  const known = useRef(place);
  useEffect(() => {
    if (known.current !== place) heading.current?.focus();
    known.current = place;
  }, [place]);

  if (!state) {
    if (!error) return <p class="dim">Waiting for the scanner…</p>;
    return (
      <>
        <div class="view-head">
          <h1>Setup</h1>
        </div>
        <Note tone="bad">
          <span class="as-written">{textOf(error)}</span>
        </Note>
        <Do does={load}>Try again</Do>
      </>
    );
  }
  const previous = before(state, place);
  const page = { state, changed, back: previous === null ? null : () => goTo(previous) };
  const { step, title } = stepOf(state, place);
  return (
    <div class="setup stack">
      <div class="setup-head stack tight">
        <h1 ref={heading} tabIndex={-1}>
          Setup <span class="dim">· {title}</span>
        </h1>
        <progress max={state.steps} value={step} aria-label={`Step ${step} of ${state.steps}: ${title}`} />
        {!done && (
          <p class="small dim">
            Step {step} of {state.steps}. Leave whenever you like: what you answered is kept.
          </p>
        )}
      </div>
      {place === MACHINE && <MachinePage {...page} />}
      {place === TRY && <TrialPage {...page} next={() => goTo(FILE)} load={load} />}
      {place === FILE && (done ? <DonePage {...done} /> : <FilePage {...page} done={(state, scan) => (changed(state), setDone({ scan }))} />)}
      {state.questions
        .filter(({ key }) => key === place)
        .map((question) => (
          <QuestionPage
            key={question.key}
            {...page}
            question={question}
            next={(state) => {
              changed(state);
              goTo(after(state, question.key));
            }}
          />
        ))}
      <Answers state={state} at={place} changed={changed} />
    </div>
  );
}

function stepOf(state: SetupState, place: string): { step: number; title: string } {
  const question = state.questions.find(({ key }) => key === place);
  if (question) return { step: question.step, title: question.step_title };
  if (place === MACHINE) return { step: 1, title: "this machine" };
  return place === TRY ? { step: state.steps - 1, title: "the parts, tried" } : { step: state.steps, title: "the file" };
}

function MachinePage({ state, changed }: PageProps) {
  const look = async () => {
    const found = await post("/api/v1/setup/look");
    changed(found);
    goTo(open(found));
  };
  const goesOn = state.questions.some(({ answer }) => answer != null);
  return (
    <section class="card stack" aria-label="This machine">
      <h2 class="asked">{state.is_set_up ? "Describe the rig anew" : "Describe your rig"}</h2>
      <p>
        {state.machine === null ? "This machine is no Raspberry Pi, by its device tree." : `This machine is a ${state.machine}.`} Some questions follow: which
        cameras, which rig, which pins, distances, the plan of a scan, and where scans go.
      </p>
      <p>
        Nothing moves before you agree. Before you try motors, you try the emergency stop. At the end you see the file that comes of it, {state.file}, and decide.
      </p>
      <div class="row ends">
        <span />
        <Do kind="main" doing="Looking for cameras and disks…" does={look}>
          {goesOn ? "Go on where it was left" : "Begin"}
        </Do>
      </div>
      <p class="small dim">First cameras and disks are looked for. To see how fast a disk is, some megabytes are written to it, and removed.</p>
    </section>
  );
}

/** What was answered so far, to be gone back to. */
function Answers({ state, at, changed }: { state: SetupState; at: string; changed: (state: SetupState) => void }) {
  const answered = state.questions.filter(({ answer }) => answer != null);
  if (answered.length === 0) return null;
  const forget = async () => {
    changed(await remove("/api/v1/setup/answers"));
    goTo(MACHINE);
  };
  return (
    <details class="card answers">
      <summary>What you answered so far</summary>
      <dl class="pairs">
        {answered.map(({ key, title, answer }) => (
          <>
            <dt key={key}>
              <a href={href({ view: "setup", at: key })} aria-current={key === at ? "step" : undefined}>
                {title}
              </a>
            </dt>
            <dd>{answer}</dd>
          </>
        ))}
      </dl>
      <Do kind="plain" icon="again" does={forget}>
        Forget it all, and begin anew
      </Do>
    </details>
  );
}

/** Back, and whatever leads on. */
export function Ends({ back, children }: { back: (() => void) | null; children: preact.ComponentChildren }) {
  return (
    <div class="row ends">
      {back ? (
        <button type="button" onClick={back}>
          <Icon name="left" />
          Back
        </button>
      ) : (
        <span />
      )}
      {children}
    </div>
  );
}
