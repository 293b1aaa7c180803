/** Values of settings as a person writes them into a field, and as the daemon takes them. Pure. */

import type { ConfigEdit, Setting } from "../../api/types";

/** What is written, as it stands in a field. */
export function shown({ value, form }: Pick<Setting, "value" | "form">): string {
  if (value === null || value === undefined) return "";
  return form.kind === "list" || form.kind === "table" || typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A default, as it would stand in a field. */
export function shownDefault(written: string | null | undefined): string {
  return (written ?? "").replace(/^"(.*)"$/, "$1");
}

/** What is typed, as a value: numbers and lists as such, where they are any. What they are instead, the daemon says. */
export function valueOf(text: string, form: Setting["form"]): unknown {
  switch (form.kind) {
    case "text":
    case "word":
      return text;
    case "truth":
      return text === "true" ? true : text === "false" ? false : text;
    case "number":
    case "whole_number": {
      const number = Number(text);
      return text.trim() !== "" && Number.isFinite(number) ? number : text;
    }
    case "list":
    case "table":
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return text;
      }
  }
}

/** What makes the daemon's setting that which stands in its field; null if it is so already. */
export function editOf(setting: Setting, text: string): ConfigEdit | null {
  const { key, form } = setting;
  if (text === shown(setting)) return null;
  if (text !== "") return { do: "set", key, value: valueOf(text, form) };
  // By default: what this page has said is taken back; what another file says is taken away.
  return setting.changed_here || form.kind === "truth" ? { do: "unset", key } : { do: "take_away", key };
}

/** The table that a key stands in. */
export function tableOf(key: string): string {
  return key.split(".").slice(0, -1).join(".");
}

/** The key within its table. */
export function nameOf(key: string): string {
  return key.split(".").at(-1) ?? key;
}

const MANY = new Set(["camera", "light", "plan", "notify", "deliver"]);
const AXES = new Set(["turntable", "lift", "rail", "tilt"]);

/** A key with names left open, as explanations have it. */
export function generic(key: string): string {
  const parts = key.split(".");
  const [first = "", second = ""] = parts;
  if (MANY.has(first) && parts.length > 1) parts[1] = "NAME";
  if (first === "motion" && AXES.has(second)) parts[1] = "AXIS";
  return parts.join(".");
}

/** Whether a setting is one of those that are looked for. */
export function isFound(setting: Setting, words: string): boolean {
  const text = `${setting.key} ${setting.explanation}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
