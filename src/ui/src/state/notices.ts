/** Short messages in the corner, which are also read out. */

import { signal } from "@preact/signals";

import { textOf } from "../api/client";

export type Tone = "info" | "good" | "warn" | "bad";

export interface Notice {
  id: number;
  tone: Tone;
  text: string;
}

/** How long a message stays; an error stays until it is put away. */
const SHOWN_MS = 6000;
const MOST = 4;

let last = 0;

export const notices = signal<readonly Notice[]>([]);

export function notify(tone: Tone, text: string): number {
  const id = (last += 1);
  const others = notices.value.filter((notice) => notice.text !== text);
  notices.value = [...others, { id, tone, text }].slice(-MOST);
  if (tone !== "bad") setTimeout(() => dismiss(id), SHOWN_MS);
  return id;
}

export function complain(error: unknown): void {
  notify("bad", textOf(error));
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}
