/** Light or dark: as the system has it, unless somebody chose. */

import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const KEY = "scanner-theme";
const THEMES: readonly Theme[] = ["system", "light", "dark"];

function stored(): Theme {
  const found = THEMES.find((theme) => theme === localStorage.getItem(KEY));
  return found ?? "system";
}

export const theme = signal<Theme>(stored());

effect(() => {
  localStorage.setItem(KEY, theme.value);
  if (theme.value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
});

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

export function nextTheme(): void {
  theme.value = NEXT[theme.value];
}
