/** How a job of the workshop stands, in words. */

import type { WorkshopJob } from "../../api/types";
import { about, bytes } from "../../lib/format";

type State = WorkshopJob["state"];

/** Whether it will stand otherwise by itself. */
export function isUnderWay(state: State): boolean {
  switch (state.is) {
    case "waiting":
    case "fetching":
    case "working":
    case "putting":
      return true;
    case "done":
    case "failed":
    case "unknown":
      return false;
  }
}

export function stateOf(state: State): { tone: string; word: string } {
  switch (state.is) {
    case "waiting":
      return { tone: "quiet", word: "waits" };
    case "fetching":
    case "working":
    case "putting":
      return { tone: "busy", word: "in work" };
    case "done":
      return { tone: "good", word: "done" };
    case "failed":
      return { tone: "bad", word: "failed" };
    case "unknown":
      return { tone: "warn", word: "not known" };
  }
}

/** A line about it. */
export function line(state: State, failures: WorkshopJob["failures"]): string {
  switch (state.is) {
    case "waiting":
      return "It waits for a worker.";
    case "fetching":
      return state.of_bytes > 0 ? `${state.worker} fetches the scan: ${bytes(state.bytes)} of ${bytes(state.of_bytes)}.` : `${state.worker} fetches the scan.`;
    case "working":
      return state.said === "" ? `${state.worker} reconstructs.` : `${state.worker} reconstructs: ${state.said}`;
    case "putting":
      return `${state.worker} puts the result back.`;
    case "done":
      return state.took_s == null ? `${state.worker} has made it.` : `${state.worker} has made it, in ${about(state.took_s)}.`;
    case "failed":
      // Once, where it is told with its log.
      return failures.some(({ reason }) => reason === state.reason) ? "It has failed as often as it may." : `It has failed: ${state.reason}`;
    case "unknown":
      return state.message;
  }
}
