/** The board of one scan, kept up to date while it is looked at. */

import { useEffect, useReducer, useRef } from "preact/hooks";

import { get } from "../../api/client";
import type { Numbered } from "../../api/types";
import { complain } from "../../state/notices";
import { gaps, onEvent } from "../../state/rig";
import { EMPTY, apply } from "./board";
import type { Board } from "./board";

export function useBoard(scan: string | null): Board & { refresh: () => void } {
  const board = useRef<Board>(EMPTY);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [turn, refresh] = useReducer((count: number) => count + 1, 0);
  const gap = gaps.value;

  useEffect(() => {
    board.current = EMPTY;
    redraw(undefined);
  }, [scan]);

  useEffect(() => {
    if (scan === null) return;
    let gone = false;
    // What happens while the answer is on its way may or may not be in it: applied again, it changes nothing.
    const meanwhile: Numbered[] = [];
    let answered = false;
    const end = onEvent((event) => {
      if (event.scan !== scan) return;
      if (answered) board.current = apply(board.current, event);
      else meanwhile.push(event);
      redraw(undefined);
    });
    get("/api/v1/scans/{scan}/shots", { path: { scan } }).then(
      ({ shots }) => {
        if (gone) return;
        answered = true;
        board.current = meanwhile.reduce(apply, { shots, point: board.current.point });
        redraw(undefined);
      },
      (error: unknown) => gone || complain(error),
    );
    return () => {
      gone = true;
      end();
    };
  }, [scan, gap, turn]);

  return { ...board.current, refresh: () => refresh(undefined) };
}
