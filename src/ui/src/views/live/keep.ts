/** Puts settings that were found by eye into the configuration, for scans. */

import { get, patch } from "../../api/client";
import type { ConfigEdit, Controls } from "../../api/types";
import { notify } from "../../state/notices";

export async function keep(camera: string, chosen: Controls): Promise<void> {
  const { fingerprint } = await get("/api/v1/configuration");
  const set = Object.entries(chosen).filter(([, value]) => value != null);
  const edits = set.map(([name, value]): ConfigEdit => ({ do: "set", key: `camera.${camera}.controls.${name}`, value }));
  const { waits } = await patch("/api/v1/configuration", { body: { based_on: fingerprint, edits } });
  notify("good", `Kept for scans.${waits ? " It is put in force when the scan has ended." : ""} Settings has them, and takes them back.`);
}
