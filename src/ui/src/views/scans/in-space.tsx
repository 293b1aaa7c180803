/** A model in 3D, which is turned by hand and by keys. */

import { useEffect, useRef, useState } from "preact/hooks";

import { Icon } from "../../parts/icon";
import { Note } from "../../parts/parts";
import type { Form } from "./model-file";
import type { Shown } from "./model-scene";
import type { Painted } from "./model-space";

interface Props {
  url: string;
  form: Form;
  painted?: Painted;
  cameras?: boolean;
  label: string;
}

/** Loaded once it is on the screen. */
export function InSpace({ url, form, painted = "photographs", cameras = false, label }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = useRef<Shown | null>(null);
  const [near, setNear] = useState(false);
  const [state, setState] = useState<"loading" | "there" | "no-webgl" | "failed">("loading");

  useEffect(() => {
    if (!canvas.current) return;
    const seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setNear(true), { rootMargin: "200px" });
    seen.observe(canvas.current);
    return () => seen.disconnect();
  }, []);

  useEffect(() => {
    if (!near) return;
    let gone = false;
    const load = async () => {
      const { show } = await import("./model-scene");
      if (gone || !canvas.current) return;
      try {
        shown.current ??= show(canvas.current);
      } catch {
        setState("no-webgl");
        return;
      }
      await shown.current.load(url, form);
      if (gone) return;
      shown.current.paint(painted);
      shown.current.cameras(cameras);
      setState("there");
    };
    load().catch(() => !gone && setState((before) => (before === "there" ? before : "failed")));
    return () => void (gone = true);
  }, [near, url]);

  useEffect(() => shown.current?.paint(painted), [painted]);
  useEffect(() => shown.current?.cameras(cameras), [cameras]);
  useEffect(() => {
    const restyle = () => shown.current?.restyle();
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", restyle);
    const theme = new MutationObserver(restyle);
    theme.observe(document.documentElement, { attributes: true });
    return () => {
      scheme.removeEventListener("change", restyle);
      theme.disconnect();
      shown.current?.dispose();
      shown.current = null;
    };
  }, []);

  const key = (event: KeyboardEvent) => {
    const scene = shown.current;
    const turn = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.12], ArrowDown: [0, -0.12] }[event.key];
    if (!scene) return;
    if (turn) scene.turn(turn[0] ?? 0, turn[1] ?? 0);
    else if (event.key === "+" || event.key === "=") scene.zoom(1.15);
    else if (event.key === "-") scene.zoom(1 / 1.15);
    else if (event.key === "0") scene.reset();
    else return;
    event.preventDefault();
  };
  const there = state === "there";
  return (
    <div class="stack tight">
      {state === "no-webgl" && <Note tone="warn">This browser shows no 3D (WebGL): download the model, and open it elsewhere.</Note>}
      {state === "failed" && <Note tone="bad">The model cannot be read: load the page again.</Note>}
      <div class="model-box" hidden={state === "no-webgl" || state === "failed"}>
        <canvas
          ref={canvas}
          class="model"
          tabIndex={0}
          role="img"
          aria-busy={!there}
          aria-label={`${label} Arrow keys turn it, plus and minus change its size, 0 puts it back.`}
          onKeyDown={key}
        />
        {there && (
          <div class="model-buttons">
            <button type="button" class="square" aria-label="Nearer" onClick={() => shown.current?.zoom(1.25)}>
              <Icon name="plus" />
            </button>
            <button type="button" class="square" aria-label="Farther" onClick={() => shown.current?.zoom(1 / 1.25)}>
              <Icon name="minus" />
            </button>
            <button type="button" class="square" aria-label="As at first" onClick={() => shown.current?.reset()}>
              <Icon name="fit" />
            </button>
          </div>
        )}
        {state === "loading" && <p class="dim small model-late">Loading the model…</p>}
      </div>
    </div>
  );
}
