/** Where a scan is brought, and whether it is there. */

import type { ScanSummary } from "../../api/types";
import { dateTime } from "../../lib/format";
import { Figure } from "../../parts/parts";

type Delivery = ScanSummary["deliveries"][number];

/** Nothing, where it is brought nowhere. */
export function Delivered({ deliveries }: { deliveries: readonly Delivery[] }) {
  return (
    <>
      {deliveries.map(({ target, to, state, at }) => (
        <Figure key={target} name={`${to === "workshop" ? "Offered" : "Delivered"} to ${target}`} tone={state === "unknown" ? "warn" : undefined}>
          {state === "delivered" ? (at == null ? "yes" : dateTime(at)) : state === "waiting" ? "not yet" : "not known"}
        </Figure>
      ))}
    </>
  );
}

/** What is missing of it, in a few words; null if nothing is. */
export function missingAt(deliveries: readonly Delivery[]): string | null {
  // Nobody waits for an offer: what comes of it is in the scan's view.
  const missing = deliveries.filter(({ to, state }) => to !== "workshop" && state !== "delivered").map(({ target }) => target);
  return missing.length === 0 ? null : `not at ${missing.join(", ")} yet`;
}
