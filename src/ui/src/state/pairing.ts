/** A pairing with the rig: it outlives a phone that sleeps on the way there, and a page that is loaded again. */

import { signal } from "@preact/signals";

import { ApiError, post, textOf } from "../api/client";
import { session } from "./session";

const KEY = "pairing";
/** How often it is asked what became of it, in milliseconds. */
const EVERY = 1000;

interface Waiting {
  secret: string;
  name: string;
  /** What the person at the rig tells this browser from others by. */
  code: string;
  /** Whether the start button would let this browser in: not while others ask. */
  button: boolean;
  /** For how many seconds the start button is to be held. */
  hold: number;
  /** For how many seconds it waits yet, as far as is known. */
  left: number | null;
}

/** The one that waits. */
export const pairing = signal<Waiting | null>(kept());

/** Why there is none any more, or was none. */
export const refusal = signal<string | null>(null);

function kept(): Waiting | null {
  const text = sessionStorage.getItem(KEY);
  return text === null ? null : { ...(JSON.parse(text) as Waiting), left: null };
}

function set(waiting: Waiting | null): void {
  pairing.value = waiting;
  if (waiting) sessionStorage.setItem(KEY, JSON.stringify(waiting));
  else sessionStorage.removeItem(KEY);
}

export async function beginPairing(name: string): Promise<void> {
  refusal.value = null;
  try {
    const { secret, code, hold_s: hold } = await post("/api/v1/pair", { body: { name } });
    set({ secret, name, code, button: true, hold, left: null });
  } catch (error) {
    refusal.value = textOf(error);
  }
}

export async function giveUp(): Promise<void> {
  const secret = pairing.value?.secret;
  set(null);
  if (secret !== undefined) await post("/api/v1/pair/give-up", { body: { secret } });
}

/** Asks until it is decided; ends what it began when it is called. */
export function awaitPairing(): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let ended = false;
  const ask = async () => {
    const waiting = pairing.value;
    if (!waiting) return;
    try {
      const answer = await post("/api/v1/pair/collect", { body: { secret: waiting.secret } });
      // Given up meanwhile: its token is not to be had any more, or is ours nevertheless.
      if ("name" in answer) {
        set(null);
        session.value = answer;
      } else if (pairing.value) set({ ...waiting, left: answer.left_s, button: answer.button });
    } catch (error) {
      // What cannot be reached is asked again: a phone has been asleep, or is out of reach for a moment.
      if (error instanceof ApiError && error.status !== 0 && pairing.value) {
        set(null);
        refusal.value = textOf(error);
      }
    }
    if (!ended) timer = setTimeout(() => void ask(), EVERY);
  };
  void ask();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
