/** The live view of one camera: its picture, its state, what is measured on it. */

import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";

import type { LiveMessage, LiveStats, ViewState } from "../../api/types";
import { pathOf } from "../../api/client";
import { OFF } from "../../policy/live";
import type { LiveState } from "../../policy/live";
import type { Measured } from "./analysis";
import { parse } from "./frame";
import type { Frame } from "./frame";
import { LiveLink } from "./link";
import { Screen } from "./viewer";

/** How often numbers are drawn anew: faster ones cannot be read. */
const DRAW_MS = 200;

export interface LiveView {
  screen: Screen;
  /** Of the connection. */
  link: LiveState;
  /** Of the camera's live view, as the other end says. */
  state: ViewState | null;
  stats: LiveStats | null;
  frame: Omit<Frame, "jpeg"> | null;
  measured: Measured | null;
  aspect: number;
  again: () => void;
}

export function useLive(camera: string): LiveView {
  const [link, setLink] = useState<LiveState>(OFF);
  const [state, setState] = useState<ViewState | null>(null);
  const [stats, setStats] = useState<LiveStats | null>(null);
  const [aspect, setAspect] = useState(16 / 9);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const newest = useRef<{ frame: Omit<Frame, "jpeg"> | null; measured: Measured | null }>({ frame: null, measured: null });
  const connection = useRef<LiveLink | null>(null);
  const screen = useMemo(
    () =>
      new Screen(
        (measured) => void (newest.current.measured = measured),
        (width, height) => setAspect(width / height),
      ),
    [camera],
  );

  useEffect(() => {
    newest.current = { frame: null, measured: null };
    setState(null);
    setStats(null);
    const told = (message: LiveMessage) => {
      switch (message.type) {
        case "state":
          return setState(message);
        case "stats":
          return setStats(message);
      }
    };
    const made = new LiveLink(pathOf("/api/v1/live/{camera}", { camera }), camera, {
      state: setLink,
      message: (data) => {
        if (typeof data === "string") return told(JSON.parse(data) as LiveMessage);
        const frame = parse(data);
        if (!frame) return;
        const { jpeg, ...facts } = frame;
        newest.current.frame = facts;
        screen.put(jpeg);
      },
    });
    connection.current = made;
    // Nobody looks at a page in the background: its camera can rest.
    const look = () => (document.visibilityState === "visible" ? made.start() : made.stop());
    look();
    document.addEventListener("visibilitychange", look);
    const timer = setInterval(() => redraw(undefined), DRAW_MS);
    return () => {
      document.removeEventListener("visibilitychange", look);
      clearInterval(timer);
      made.stop();
    };
  }, [camera]);

  const { frame, measured } = newest.current;
  return { screen, link, state, stats, frame, measured, aspect, again: () => connection.current?.start() };
}
