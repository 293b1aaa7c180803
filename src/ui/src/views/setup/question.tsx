/** One question. */

import { useState } from "preact/hooks";

import { ApiError, put } from "../../api/client";
import type { SetupChoice, SetupQuestion, SetupState } from "../../api/types";
import { complain } from "../../state/notices";
import { CameraChoice } from "./cameras";
import { Drawing } from "./drawing";
import { Ends } from "./setup";
import type { PageProps } from "./setup";

interface Props extends PageProps {
  question: SetupQuestion;
  next: (state: SetupState) => void;
}

/** Whether a text has columns. */
const isTable = (text: string) => text.includes("\n  ");
/** Whether this browser is on the machine itself. */
const isHere = () => ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

export function QuestionPage({ state, changed, back, question, next }: Props) {
  const { key, title, about, more, form, choices } = question;
  const [text, setText] = useState(question.answer ?? question.usual);
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const said = (text: string) => {
    setText(text);
    setWrong(null);
  };
  const answer = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      next(await put("/api/v1/setup/answers/{key}", { path: { key }, body: { answer: text } }));
    } catch (error) {
      if (error instanceof ApiError && (error.status === 422 || error.status === 403)) setWrong(error.message);
      else complain(error);
    } finally {
      setBusy(false);
    }
  };
  const heading = `asked-${key}`;
  return (
    <form class="card stack" onSubmit={(event) => void answer(event)} aria-labelledby={heading} noValidate>
      <h2 class="asked" id={heading}>
        {title}
      </h2>
      {about !== "" && form !== "several" && (isTable(about) ? <p class="as-written mono">{about}</p> : <p>{about}</p>)}
      <Drawing of={key} />
      {form === "one" && <Radios name={key} choices={choices} text={text} said={said} labelledby={heading} />}
      {form === "several" && <CameraChoice state={state} changed={changed} text={text} said={said} />}
      {form === "open" && (
        <>
          {key === "directory" && choices.length > 0 && <Radios name={key} choices={choices} text={text} said={said} labelledby={heading} />}
          <label class="field">
            <span>{key === "directory" ? "Folder" : "Answer"}</span>
            <input
              value={text}
              onInput={(event) => said(event.currentTarget.value)}
              aria-invalid={wrong !== null}
              aria-describedby={wrong === null ? undefined : "wrong"}
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              enterkeyhint="next"
            />
          </label>
          <div class="row offered">
            {key !== "directory" &&
              choices.map(({ answer }) => (
                <button type="button" key={answer} aria-pressed={text === answer} onClick={() => said(answer)}>
                  {answer === "none" ? "There is none" : answer}
                </button>
              ))}
            {text !== question.usual && (
              <button type="button" onClick={() => said(question.usual)}>
                Usual: {question.usual}
              </button>
            )}
          </div>
        </>
      )}
      {key === "page" && text === "here" && !isHere() && (
        <p class="note warn">You look at this page from another machine: with this answer, it cannot be opened from there any more.</p>
      )}
      {wrong !== null && (
        <p class="note bad" id="wrong" role="alert">
          That does not do: {wrong}.
        </p>
      )}
      <details>
        <summary>More about this</summary>
        <p class="as-written">{more}</p>
      </details>
      <Ends back={back}>
        <button type="submit" class="main" disabled={busy || text.trim() === ""} aria-busy={busy}>
          Next
        </button>
      </Ends>
    </form>
  );
}

interface RadiosProps {
  name: string;
  choices: readonly SetupChoice[];
  text: string;
  said: (text: string) => void;
  labelledby: string;
}

function Radios({ name, choices, text, said, labelledby }: RadiosProps) {
  return (
    <div class="choices" role="radiogroup" aria-labelledby={labelledby}>
      {choices.map(({ answer, about }) => (
        <label key={answer} class="choice">
          <input type="radio" name={name} value={answer} checked={text === answer} onChange={() => said(answer)} />
          <span>
            <b>{answer}</b>
            {about !== "" && <span class="dim">{about}</span>}
          </span>
        </label>
      ))}
    </div>
  );
}
