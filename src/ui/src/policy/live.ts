/**
 * What a live view does when its connection ends. Pure: inputs in, the next state and what to do out.
 *
 * A closed live view is asked for its reason before anything else: while a capture runs, it waits for its end, which
 * costs none of the attempts to reconnect. Then there are five of them, with growing delays. The count starts afresh
 * with the first picture (or notice) that arrives, not with the connection: one that opens and closes at once would
 * otherwise be opened for ever.
 */

/** Delays before the attempts to reconnect, in milliseconds. */
export const RECONNECT_MS: readonly number[] = [1000, 2000, 4000, 8000, 16000];
/** How often the capture status is asked for while a capture runs, ... */
export const POLL_MS = 500;
/** ... and for how long. */
export const POLL_LIMIT_MS = 30_000;

export type LiveState =
  /** Nobody looks. */
  | { name: "off" }
  /** A connection is being made. `spent`: attempts since the last success. */
  | { name: "connecting"; spent: number }
  /** Connected; pictures come, or are about to. */
  | { name: "open"; spent: number }
  /** Closed; the capture status was asked for. `waited`: how long it has been polled for already. */
  | { name: "asking"; spent: number; waited: number }
  /** A capture runs: its status is asked for again after a while. */
  | { name: "capturing"; spent: number; waited: number }
  /** Before the next attempt. */
  | { name: "delayed"; spent: number; delay: number }
  /** All attempts were in vain. */
  | { name: "given_up" };

export type LiveInput =
  | { type: "start" }
  | { type: "stop" }
  | { type: "opened" }
  /** A picture, or a notice of the other end. */
  | { type: "heard" }
  | { type: "closed" }
  /** The answer to `ask`; none could be had where `capturing` is null. */
  | { type: "status"; capturing: boolean | null }
  /** The time of the last `wait` has passed. */
  | { type: "timer" };

export type LiveAction = { type: "connect" } | { type: "close" } | { type: "ask" } | { type: "wait"; ms: number };

export type Step = readonly [LiveState, readonly LiveAction[]];

const CONNECT: LiveAction = { type: "connect" };
const ASK: LiveAction = { type: "ask" };

export const OFF: LiveState = { name: "off" };

export function step(state: LiveState, input: LiveInput): Step {
  switch (input.type) {
    case "start":
      return state.name === "off" || state.name === "given_up" || state.name === "delayed"
        ? [{ name: "connecting", spent: 0 }, [CONNECT]]
        : [state, []];
    case "stop":
      return [OFF, state.name === "connecting" || state.name === "open" ? [{ type: "close" }] : []];
    case "opened":
      return state.name === "connecting" ? [{ name: "open", spent: state.spent }, []] : [state, []];
    case "heard":
      return state.name === "open" ? [{ name: "open", spent: 0 }, []] : [state, []];
    case "closed":
      return state.name === "connecting" || state.name === "open"
        ? [{ name: "asking", spent: state.spent, waited: 0 }, [ASK]]
        : [state, []];
    case "status":
      return state.name === "asking" ? answered(state, input.capturing) : [state, []];
    case "timer":
      return timer(state);
  }
}

function answered(state: { spent: number; waited: number }, capturing: boolean | null): Step {
  const { spent, waited } = state;
  if (capturing === true && waited < POLL_LIMIT_MS) {
    return [{ name: "capturing", spent, waited }, [{ type: "wait", ms: POLL_MS }]];
  }
  // It has been waited for and is over: this is what was waited for, not an attempt.
  if (capturing === false && waited > 0) return [{ name: "connecting", spent }, [CONNECT]];
  const delay = RECONNECT_MS[spent];
  if (delay === undefined) return [{ name: "given_up" }, []];
  return [{ name: "delayed", spent, delay }, [{ type: "wait", ms: delay }]];
}

function timer(state: LiveState): Step {
  switch (state.name) {
    case "capturing":
      return [{ name: "asking", spent: state.spent, waited: state.waited + POLL_MS }, [ASK]];
    case "delayed":
      return [{ name: "connecting", spent: state.spent + 1 }, [CONNECT]];
    case "off":
    case "connecting":
    case "open":
    case "asking":
    case "given_up":
      return [state, []];
  }
}
