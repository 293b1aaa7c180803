import { expect, it } from "vitest";

import { baseOf } from "./base";

it.each(["", "/rig", "/api/hassio_ingress/token"])("what stands before a view is the base: %j", (base) => {
  for (const view of ["/", "/live", "/scan", "/scans", "/scans/owl", "/scans/scan", "/settings", "/system", "/setup", "/setup/camera_height", "/docs", "/docs/"]) {
    expect(baseOf(`${base}${view}`), `${base}${view}`).toBe(base);
  }
});
