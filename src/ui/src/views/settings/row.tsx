/** One setting: its field, what it is for, and what is wrong with it. */

import type { ConfigProblem, Setting } from "../../api/types";
import { nameOf, shown, shownDefault } from "./value";

interface RowProps {
  setting: Setting;
  /** What stands in its field. */
  text: string;
  problems: readonly ConfigProblem[];
  disabled: boolean;
  type: (text: string) => void;
}

export function Row({ setting, text, problems, disabled, type }: RowProps) {
  const id = `setting-${setting.key}`;
  const changed = text !== shown(setting);
  const off = disabled || setting.reserved != null;
  return (
    <div class={`setting ${changed ? "edited" : ""} ${problems.length > 0 ? "wrong" : ""}`}>
      <div class="setting-head">
        <label for={id} class="mono">
          {nameOf(setting.key)}
        </label>
        <Field {...{ setting, text, type, id }} disabled={off} wrong={problems.length > 0} />
      </div>
      <div class="stack tight">
        <p class="small" id={`${id}-for`}>
          {setting.explanation}
        </p>
        <div id={`${id}-wrong`} aria-live="polite">
          {problems.map((problem) => (
            <p key={problem.message} class="small bad">
              {problem.message}
              {problem.hint != null && `: ${problem.hint}`}
            </p>
          ))}
        </div>
        <p class="small dim">
          {changed ? "Changed, and not saved. " : ""}
          {from(setting)}
          {setting.reserved != null && ` Not changed over the network: ${setting.reserved}.`}
        </p>
      </div>
    </div>
  );
}

function from({ file, line, changed_here, secret, wanted }: Setting): string {
  if (file == null) return `By default. Write ${wanted}.`;
  const place = changed_here ? "Set in the page" : `Set in ${file}, line ${line}`;
  return secret ? `${place}; a secret, which is not shown.` : `${place}. Write ${wanted}.`;
}

interface FieldProps {
  setting: Setting;
  text: string;
  type: (text: string) => void;
  id: string;
  disabled: boolean;
  wrong: boolean;
}

function Field({ setting: { form, ...setting }, text, type, id, disabled, wrong }: FieldProps) {
  const common = { id, disabled, "aria-describedby": `${id}-for ${id}-wrong`, "aria-invalid": wrong };
  const words = form.kind === "truth" ? ["true", "false"] : form.kind === "word" ? form.words : null;
  const otherwise = setting.default == null ? "none" : shownDefault(setting.default);
  if (words) {
    return (
      <select {...common} value={text} onChange={(event) => type(event.currentTarget.value)}>
        <option value="">by default: {otherwise}</option>
        {words.map((word) => (
          <option key={word} value={word}>
            {word}
          </option>
        ))}
      </select>
    );
  }
  return (
    <input
      {...common}
      value={text}
      placeholder={setting.secret ? "(secret)" : `by default: ${otherwise}`}
      autocomplete="off"
      autocapitalize="off"
      spellcheck={false}
      inputMode={form.kind === "whole_number" ? "numeric" : "text"}
      onInput={(event) => type(event.currentTarget.value)}
    />
  );
}
