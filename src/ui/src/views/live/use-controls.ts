/** Settings of a camera while they are being changed: one request at a time, and the newest wish wins. */

import { useEffect, useRef, useState } from "preact/hooks";

import { put } from "../../api/client";
import type { CameraInfo, Controls } from "../../api/types";
import { complain } from "../../state/notices";

export interface Settings {
  /** What is set over the configuration, with what is on its way to the camera. */
  chosen: Controls;
  choose: (controls: Controls) => void;
}

export function useControls(camera: CameraInfo, changed: (camera: CameraInfo) => void): Settings {
  const [wish, setWish] = useState<Controls | null>(null);
  const next = useRef<Controls | null>(null);
  const busy = useRef(false);
  useEffect(() => {
    next.current = null;
    setWish(null);
  }, [camera.name]);

  const send = async () => {
    if (busy.current) return;
    busy.current = true;
    while (next.current) {
      const body = next.current;
      next.current = null;
      try {
        changed(await put("/api/v1/cameras/{camera}/controls", { path: { camera: camera.name }, body }));
      } catch (error) {
        complain(error);
      }
    }
    busy.current = false;
    setWish(null);
  };
  const choose = (controls: Controls) => {
    next.current = controls;
    setWish(controls);
    void send();
  };
  return { chosen: wish ?? camera.chosen, choose };
}
