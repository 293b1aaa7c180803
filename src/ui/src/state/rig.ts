/** How the rig stands and what happens to it: one WebSocket, joined again where it was left. */

import { effect, signal } from "@preact/signals";

import { BASE } from "../api/base";
import { get } from "../api/client";
import type { Numbered, RigStatus, StreamMessage } from "../api/types";
import { eventsRetry } from "../policy/retry";
import { session } from "./session";

/** Events that are kept for what shows them; fewer than the daemon keeps. */
const KEPT = 3000;

export type Link = "joining" | "up" | "lost";

/** Whether the daemon is heard. */
export const link = signal<Link>("joining");
/** The newest status; none before the first. */
export const status = signal<RigStatus | null>(null);
/** The newest events, oldest first. */
export const events = signal<readonly Numbered[]>([]);
/** Counts up whenever events may have been missed, or points were added, of which an event does not say which: what was derived from them is to be asked for anew. */
export const gaps = signal(0);

type Listener = (event: Numbered) => void;
const listeners = new Set<Listener>();

/** Calls `listener` for each event from now on. Returns what ends that. */
export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let socket: WebSocket | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let failures = 0;
let stream = "";
let known = 0;
/** The run of the daemon that was asked for what happened before this page was loaded. */
let recalled = "";

function join(): void {
  if (socket) return;
  const after = stream === "" ? "" : `?after=${encodeURIComponent(`${stream}-${known}`)}`;
  const mine = new WebSocket(`${location.origin.replace(/^http/, "ws")}${BASE}/api/v1/events/ws${after}`);
  socket = mine;
  mine.onmessage = (message) => {
    if (socket === mine) heard(JSON.parse(String(message.data)) as StreamMessage);
  };
  mine.onclose = () => {
    if (socket === mine) void lost();
  };
}

function heard(message: StreamMessage): void {
  switch (message.type) {
    case "snapshot":
      failures = 0;
      if (message.gap) {
        events.value = [];
        gaps.value += 1;
      }
      stream = message.stream;
      known = message.number;
      status.value = message.status;
      link.value = "up";
      if (message.gap && known > 0 && recalled !== stream) recall();
      return;
    case "event":
      known = message.number;
      events.value = [...events.value.slice(1 - KEPT), message];
      for (const listener of listeners) listener(message);
      if (message.event === "extended") gaps.value += 1;
      return;
    case "status":
      status.value = message.status;
  }
}

/** Joins anew behind an earlier event, as if it had been the last one known: so the daemon tells those since. */
function recall(): void {
  recalled = stream;
  known = Math.max(0, known - KEPT);
  const old = socket;
  socket = null;
  old?.close();
  join();
}

async function lost(): Promise<void> {
  socket = null;
  link.value = "lost";
  failures += 1;
  // A browser does not say why a WebSocket was refused: if for want of a token, this request is refused as well.
  await get("/api/v1/session").catch(() => undefined);
  if (socket || session.value === null) return;
  timer = setTimeout(join, eventsRetry(failures));
}

function leave(): void {
  clearTimeout(timer);
  const old = socket;
  socket = null;
  old?.close();
  stream = "";
  status.value = null;
  events.value = [];
  link.value = "joining";
}

effect(() => {
  if (session.value !== null && session.value !== "asking") join();
  else leave();
});

/** A phone that wakes up does not wait for the next attempt. */
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible" || link.value !== "lost" || socket || session.value === null) return;
  clearTimeout(timer);
  join();
});
