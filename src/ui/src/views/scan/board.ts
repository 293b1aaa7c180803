/** How the shots of a scan stand: what the daemon says, and what has happened since. Pure. */

import type { Numbered, Shot } from "../../api/types";

/** An image of less than this part of what is usual for its camera is called soft. */
export const SOFT = 0.5;
/** Fewer images than this do not make anything usual. */
const ENOUGH = 6;

/** How a shot is drawn. */
export type Mark = "pending" | "active" | "done" | "retried" | "soft" | "flagged" | "failed";

export const MARKS: readonly Mark[] = ["done", "retried", "soft", "flagged", "failed", "active", "pending"];

export const MARK_WORDS: Record<Mark, string> = {
  done: "stored",
  retried: "stored at a later attempt",
  soft: "stored, but soft",
  flagged: "stored, but not like its neighbours",
  failed: "failed",
  active: "being taken",
  pending: "pending",
};

export interface Board {
  /** In the order of the plan. */
  shots: readonly Shot[];
  /** The point being shot, from 1. */
  point: number;
}

export const EMPTY: Board = { shots: [], point: 0 };

/** What `event` changes. */
export function apply(board: Board, event: Numbered): Board {
  switch (event.event) {
    case "moving":
      return { ...board, point: event.point };
    case "attempt_failed":
      return change(board, event.shot.shot, (shot) => ({ ...shot, attempts: Math.max(shot.attempts, event.attempt) }));
    case "captured":
      return change(board, event.shot.shot, (shot) => ({ ...shot, attempts: Math.max(shot.attempts, event.attempt) }));
    case "shot_failed":
      return change(board, event.shot.shot, (shot) =>
        shot.state === "done" ? shot : { ...identity(shot), state: "failed", reason: event.reason },
      );
    case "stored": {
      const { image, bytes, sharpness } = event;
      return change(board, event.shot.shot, (shot) => ({
        ...identity(shot),
        state: "done",
        image,
        bytes,
        facts: { ...(shot.state === "done" ? shot.facts : UNKNOWN), sharpness, taken_at: event.at, verdict: null },
      }));
    }
    case "flagged":
      return change(board, event.shot.shot, (shot) =>
        shot.state === "done" ? { ...shot, facts: { ...shot.facts, verdict: { neighbours: 0, ...shot.facts.verdict, findings: event.findings } } } : shot,
      );
    case "retake":
      return change(board, event.shot.shot, (shot) => ({ ...identity(shot), state: "pending" }));
    case "paused":
    case "finished":
      return { ...board, point: 0 };
    case "started":
    case "held":
    case "recovering":
    case "recovered":
    case "recovery_failed":
    case "wedged":
    case "displaced":
    case "store_failed":
    case "extended":
    case "not_resumed":
    case "exported":
    case "export_failed":
    case "delivered":
    case "delivery_failed":
      return board;
  }
}

/** Until the daemon is asked for the whole of it. */
const UNKNOWN = { sensor_timestamp_ns: 0, exposure: "0 s", gain: 0, sequence: 0, clipped_dark: 0, clipped_bright: 0 };

function identity({ shot, point, label, camera, attempts }: Shot) {
  return { shot, point, label, camera, attempts };
}

function change(board: Board, index: number, to: (shot: Shot) => Shot): Board {
  const shot = board.shots[index];
  if (!shot) return board;
  return { ...board, shots: board.shots.with(index, to(shot)) };
}

/** Half of what is usual for each camera: images below are soft. */
export function softLimits(shots: readonly Shot[]): ReadonlyMap<string, number> {
  const found = new Map<string, number[]>();
  for (const shot of shots) {
    if (shot.state !== "done") continue;
    const list = found.get(shot.camera);
    if (list) list.push(shot.facts.sharpness);
    else found.set(shot.camera, [shot.facts.sharpness]);
  }
  const limits = [...found].filter(([, list]) => list.length >= ENOUGH).map(([camera, list]) => [camera, SOFT * median(list)] as const);
  return new Map(limits);
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** How `shot` is drawn. */
export function mark(shot: Shot, limits: ReadonlyMap<string, number>, point: number): Mark {
  switch (shot.state) {
    case "pending":
      return shot.point === point ? "active" : "pending";
    case "failed":
      return shot.point === point ? "active" : "failed";
    case "done":
      if (shot.facts.verdict?.findings?.length) return "flagged";
      if (shot.facts.sharpness < (limits.get(shot.camera) ?? -1)) return "soft";
      return shot.attempts > 1 ? "retried" : "done";
  }
}
