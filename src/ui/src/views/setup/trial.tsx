/** The parts of the rig, tried one by one: what stops it first. */

import { useEffect, useRef, useState } from "preact/hooks";

import { ApiError, get, post, textOf } from "../../api/client";
import type { TrialPart, TrialResult } from "../../api/types";
import { Icon } from "../../parts/icon";
import type { IconName } from "../../parts/icon";
import { Do, Note } from "../../parts/parts";
import { Ends } from "./setup";
import type { PageProps } from "./setup";

interface Props extends PageProps {
  next: () => void;
  load: () => Promise<unknown>;
}

const BECAME: Record<NonNullable<TrialPart["became"]>, { icon: IconName; tone: string; text: string }> = {
  works: { icon: "check", tone: "good", text: "works" },
  changed: { icon: "again", tone: "warn", text: "changed, not tried again" },
  fails: { icon: "cross", tone: "bad", text: "does not work" },
};

/** How often it is looked how far a try has come. */
const LOOK_MS = 300;

export function TrialPage({ state, back, next, load }: Props) {
  const parts = state.trial?.parts ?? [];
  const [wanted, setWanted] = useState<string | null>(null);
  // One part at a time.
  const [busy, setBusy] = useState(false);
  // What goes on where it was left.
  const first = parts.find(({ part }) => part === state.trial?.at_work?.part) ?? parts.find(({ became }) => became !== "works") ?? parts[0];
  const [begun] = useState(first?.part);
  const part = parts.find(({ part }) => part === (wanted ?? begun)) ?? first;
  // Who leaves leaves nothing on.
  useEffect(() => () => void post("/api/v1/setup/trial/end").catch(() => undefined), []);
  if (!part) return null;
  const index = parts.indexOf(part);
  const following = parts[index + 1];
  const stops = parts.some(({ part }) => part === "emergency_stop");
  const works = parts.some(({ part, became }) => part === "emergency_stop" && became === "works");
  return (
    <>
      {!stops && <Note tone="warn">This rig has no emergency stop: keep a hand at the switch of the motors' supply.</Note>}
      {stops && !works && part.kind === "motor" && <Note tone="warn">Nobody has tried the emergency stop yet: try it first, or keep a hand at the switch of the motors' supply.</Note>}
      <OnePart key={part.part} part={part} asked={state.trial?.at_work?.part === part.part && state.trial.at_work.phase === "asked"} load={load} busy={setBusy}>
        {following ? (
          <button type="button" class={part.became === "works" ? "main" : undefined} onClick={() => setWanted(following.part)}>
            {part.became === null ? "Skip it" : "Next part"}
          </button>
        ) : (
          <button type="button" class={part.became === "works" ? "main" : undefined} onClick={next}>
            To the file
          </button>
        )}
      </OnePart>
      <section class="card stack tight" aria-label="The parts">
        <ul class="parts">
          {parts.map(({ part: id, name, became }) => (
            <li key={id}>
              <button type="button" class="plain" disabled={busy} aria-current={id === part.part ? "step" : undefined} onClick={() => setWanted(id)}>
                {became ? (
                  <span class={BECAME[became].tone}>
                    <Icon name={BECAME[became].icon} />
                  </span>
                ) : (
                  <span class="dim">
                    <Icon name="minus" />
                  </span>
                )}
                <span class="grow">{name}</span>
                <span class="small dim">{became ? BECAME[became].text : "not tried"}</span>
              </button>
            </li>
          ))}
        </ul>
        <Ends back={busy ? null : back}>
          <button type="button" disabled={busy} onClick={next}>
            Leave the rest out
          </button>
        </Ends>
      </section>
    </>
  );
}

interface PartProps {
  part: TrialPart;
  asked: boolean;
  /** Whether something is tried. */
  busy: (busy: boolean) => void;
  load: () => Promise<unknown>;
  children: preact.ComponentChildren;
}

const BEGIN: Record<TrialPart["kind"], string> = { contact: "I am ready to press it", motor: "Yes, move it", lamp: "Switch it on" };

function OnePart({ part, asked, busy: setBusy, load, children }: PartProps) {
  const [phase, setPhase] = useState<"idle" | "preparing" | "press">("idle");
  useEffect(() => setBusy(phase !== "idle"), [phase]);
  const [told, setTold] = useState<TrialResult | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const gone = useRef(false);
  useEffect(() => () => void (gone.current = true), []);

  const heard = async (request: Promise<TrialResult>) => {
    setWrong(null);
    try {
      const result = await request;
      if (!gone.current) setTold(result);
    } catch (error) {
      if (!gone.current) setWrong(error instanceof ApiError && error.status === 422 ? `That does not do: ${error.message}.` : textOf(error));
    }
    await load();
  };
  const begin = async () => {
    setTold(null);
    setPhase("preparing");
    // How far it has come is asked beside it.
    const looking = setInterval(() => {
      get("/api/v1/setup").then(
        (state) => !gone.current && state.trial?.at_work?.phase === "press" && setPhase("press"),
        () => undefined,
      );
    }, LOOK_MS);
    await heard(post("/api/v1/setup/trial", { body: { part: part.part } }));
    clearInterval(looking);
    if (!gone.current) setPhase("idle");
  };
  const busy = phase !== "idle";
  const again = part.became !== null || told !== null;
  return (
    <section class="card stack" aria-label={part.name}>
      <h2 class="asked">{part.name}</h2>
      {!busy && !asked && <p>{part.before}.</p>}
      {busy && (
        <div class="now stack" role="status">
          <p class="big">{part.kind === "contact" ? (phase === "press" ? "Press it now, and let it go again." : "One moment…") : part.kind === "motor" ? "It moves…" : "It is switched on…"}</p>
          <button type="button" class="stop" onClick={() => void post("/api/v1/rig/cancel").catch(() => undefined)}>
            <Icon name="stop" />
            {part.kind === "motor" ? "Stop it" : "Give up"}
          </button>
        </div>
      )}
      {asked && <Question part={part} say={(answer) => heard(post("/api/v1/setup/trial/answer", { body: { answer } }))} />}
      {told?.became && (
        <div role="status">
          {told.became === "works" && <Note tone="good">It works.</Note>}
          {told.became === "changed" && <Note tone="warn">{told.message}. Try it once more.</Note>}
          {told.became === "fails" && <Note tone="bad">{told.message}.</Note>}
        </div>
      )}
      {wrong !== null && <Note tone="bad">{wrong}</Note>}
      {part.kind === "contact" && !busy && <OtherPin part={part} heard={heard} />}
      {!busy && !asked && (
        <div class="row ends">
          <Do kind={part.became === "works" ? undefined : "main"} does={begin}>
            {again ? "Try it again" : BEGIN[part.kind]}
          </Do>
          {children}
        </div>
      )}
    </section>
  );
}

function Question({ part, say }: { part: TrialPart; say: (answer: string) => Promise<void> }) {
  const [text, setText] = useState(part.usual ?? "");
  // What is asked names the words in a terminal; here they are buttons.
  const question = part.answers.length > 0 ? (part.question ?? "").replace(/\?.*$/s, "?") : part.question;
  if (part.answers.length > 0) {
    return (
      <div class="stack">
        <p class="big">{question}</p>
        <div class="answers-of stack tight">
          {part.answers.map(({ answer, about }) => (
            <Do key={answer} does={() => say(answer)}>
              {about}
            </Do>
          ))}
        </div>
      </div>
    );
  }
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void say(text);
      }}
    >
      <label class="field">
        <span class="big">{question}</span>
        <input value={text} onInput={(event) => setText(event.currentTarget.value)} autocomplete="off" autocapitalize="off" spellcheck={false} />
      </label>
      <button type="submit" class="main">
        That far
      </button>
    </form>
  );
}

function OtherPin({ part, heard }: { part: TrialPart; heard: (request: Promise<TrialResult>) => Promise<void> }) {
  const [pin, setPin] = useState("");
  return (
    <details>
      <summary>It is at another pin</summary>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void heard(post("/api/v1/setup/trial/pin", { body: { part: part.part, pin } }));
        }}
      >
        <label class="field grow">
          <span>Broadcom's number, such as 13</span>
          <input value={pin} onInput={(event) => setPin(event.currentTarget.value)} autocomplete="off" autocapitalize="off" spellcheck={false} />
        </label>
        <button type="submit" disabled={pin.trim() === ""}>
          Take that one
        </button>
      </form>
    </details>
  );
}
