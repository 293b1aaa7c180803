/** Further points of a scan, where its surface was seen too little: looked for, and added by one press. */

import { useState } from "preact/hooks";

import { get, post } from "../../api/client";
import type { Proposal } from "../../api/types";
import { count } from "../../lib/format";
import { Do } from "../../parts/parts";

interface Props {
  id: string;
  running: boolean;
}

export function More({ id, running }: Props) {
  const [proposal, setProposal] = useState<Proposal | null>(null);
  const [added, setAdded] = useState(0);
  const look = async () => {
    setAdded(0);
    setProposal(await get("/api/v1/scans/{scan}/proposal", { path: { scan: id } }));
  };
  const add = async ({ points }: Proposal) => {
    await post("/api/v1/scans/{scan}/extend", { path: { scan: id }, body: { points } });
    setProposal(null);
    setAdded(points.length);
    // A scan under way visits them by itself.
    if (!running) await post("/api/v1/scans/{scan}/resume", { path: { scan: id } });
  };
  const points = proposal?.points.length ?? 0;
  return (
    <div class="stack tight" role="group" aria-label="What to shoot next">
      <div class="row">
        {proposal && points > 0 ? (
          <Do kind="main" doing="Adding…" does={() => add(proposal)}>
            Take {count(points, "more point")} now
          </Do>
        ) : (
          <Do doing="Looking…" does={look}>
            Look for points that show more
          </Do>
        )}
      </div>
      <p class="small" aria-live="polite">
        {proposal &&
          (points > 0
            ? `${count(points, "point")} more would have ${proposal.expected_percent} % of the surface well covered, not ${proposal.well_covered_percent} %.`
            : "No further point within the axes’ reach shows clearly more.")}
        {added > 0 && `${count(added, "point")} were added, and are being visited.`}
      </p>
    </div>
  );
}
