/** Which cameras: those that were found, each with its picture, simulated ones, and others by their driver. */

import { useEffect, useState } from "preact/hooks";

import { pathOf, post, textOf } from "../../api/client";
import type { Problem, SetupState } from "../../api/types";
import { Do, Note } from "../../parts/parts";
import { camerasOf } from "./stages";

const SIMULATED = "scanner-sim";
const isSimulated = (camera: string) => camera.startsWith(`${SIMULATED}:`);

interface Props {
  state: SetupState;
  changed: (state: SetupState) => void;
  text: string;
  said: (text: string) => void;
}

export function CameraChoice({ state, changed, text, said }: Props) {
  const found = state.found?.cameras ?? [];
  const known = found.map(({ camera }) => camera);
  const chosen = camerasOf(text, known, SIMULATED);
  const simulated = chosen.filter(isSimulated).length;
  const others = chosen.filter((camera) => !isSimulated(camera) && !known.includes(camera));
  const choose = (real: readonly string[], simulated: number, others: readonly string[]) =>
    said([...real, ...Array.from({ length: simulated }, (_, index) => `${SIMULATED}:${index}`), ...others].join(" "));
  const real = known.filter((camera) => chosen.includes(camera));
  const look = async () => changed(await post("/api/v1/setup/look"));
  return (
    <>
      {state.found === null ? (
        <p>Nobody has looked for cameras yet.</p>
      ) : (
        found.length === 0 && <p>No camera was found by a driver that is installed (libcamera, gphoto2).</p>
      )}
      {state.found?.failed.map((failed) => (
        <Note key={failed} tone="warn">
          {failed}
        </Note>
      ))}
      <div class="choices">
        {found.map(({ camera, model }) => (
          <div key={camera} class="choice with-picture">
            <label class="check">
              <input
                type="checkbox"
                checked={real.includes(camera)}
                onChange={(event) => choose(event.currentTarget.checked ? known.filter((other) => other === camera || real.includes(other)) : real.filter((other) => other !== camera), simulated, others)}
              />
              <span>
                <b>{model}</b>
                <span class="dim">{camera}</span>
              </span>
            </label>
            <CameraPicture camera={camera} name={model} />
          </div>
        ))}
        <div class="choice with-picture">
          <label class="check">
            <input type="checkbox" checked={simulated > 0} onChange={(event) => choose(real, event.currentTarget.checked ? 1 : 0, others)} />
            <span>
              <b>Simulated</b>
              <span class="dim">computes images of an object</span>
            </span>
          </label>
          {simulated > 0 && (
            <>
              <label class="field">
                <span>How many</span>
                <input
                  type="number"
                  min={1}
                  max={64}
                  value={simulated}
                  onInput={(event) => choose(real, Math.max(1, Math.min(64, Math.trunc(event.currentTarget.valueAsNumber) || 1)), others)}
                />
              </label>
              <CameraPicture camera={`${SIMULATED}:0`} name="the first simulated camera" />
            </>
          )}
        </div>
      </div>
      <details open={others.length > 0}>
        <summary>A camera that is not in this list</summary>
        <label class="field">
          <span>Its driver and its id, such as libcamera:0</span>
          <input
            value={others.join(" ")}
            onChange={(event) => choose(real, simulated, event.currentTarget.value.split(/\s+/).filter((word) => word !== ""))}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
          />
        </label>
      </details>
      <Do icon="again" doing="Looking…" does={look}>
        Look for cameras again
      </Do>
    </>
  );
}

/** One camera at a time takes a picture: the others wait for it here. */
let pictures: Promise<unknown> = Promise.resolve();

function takePicture(camera: string): Promise<string> {
  const taken = pictures.then(async () => {
    const response = await fetch(pathOf("/api/v1/setup/picture.jpg", {}, { camera }));
    if (!response.ok) throw new Error(((await response.json()) as Problem).detail);
    return URL.createObjectURL(await response.blob());
  });
  pictures = taken.catch(() => undefined);
  return taken;
}

function CameraPicture({ camera, name }: { camera: string; name: string }) {
  const [turn, setTurn] = useState(0);
  const [source, setSource] = useState<string | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  useEffect(() => {
    let gone = false;
    let made: string | null = null;
    setFailed(null);
    takePicture(camera).then(
      (address) => {
        made = address;
        if (gone) URL.revokeObjectURL(address);
        else setSource(address);
      },
      (error: unknown) => !gone && setFailed(textOf(error)),
    );
    return () => {
      gone = true;
      setSource(null);
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [camera, turn]);
  const busy = source === null && failed === null;
  return (
    <figure class="stack tight">
      <div class="picture-box" aria-busy={busy}>
        {source !== null && <img class="picture" src={source} alt={`What ${name} sees`} />}
        {failed !== null && <span class="missing">{failed}</span>}
        {busy && <span class="missing">Taking a picture…</span>}
      </div>
      <button type="button" disabled={busy} onClick={() => setTurn(turn + 1)}>
        Another picture
      </button>
    </figure>
  );
}
