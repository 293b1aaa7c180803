/** The machines whose cameras are this rig's. */

import { useEffect, useState } from "preact/hooks";

import { get, textOf } from "../../api/client";
import type { RigNode } from "../../api/types";
import { about, fixed, unit } from "../../lib/format";
import { Figure, Note, useLoaded } from "../../parts/parts";

/** It takes seconds to look, and nodes seldom change. */
const AGAIN_MS = 15_000;

/** Nothing, where no camera is another machine's. */
export function NodesCard() {
  const [turn, setTurn] = useState(0);
  const found = useLoaded((signal) => get("/api/v1/nodes", { signal }), turn);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && setTurn((turn) => turn + 1), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const { nodes, not_seen } = found.value ?? { nodes: [], not_seen: [] };
  if (nodes.length === 0 && not_seen.length === 0 && !found.error) return null;
  return (
    <section class="card stack" aria-label="Nodes">
      <h2>Nodes</h2>
      {Boolean(found.error) && <Note tone="warn">{textOf(found.error)}</Note>}
      {not_seen.map((reason) => (
        <Note key={reason} tone="warn">
          It could not be looked for nodes: {reason}
        </Note>
      ))}
      {nodes.map((node) => (
        <NodeLine key={node.node} node={node} />
      ))}
    </section>
  );
}

function NodeLine({ node }: { node: RigNode }) {
  return (
    <article class="stack tight">
      <div class="row spread">
        <h3 class="mono">{node.node}</h3>
        <span class={`chip ${node.state === "silent" ? "bad" : node.what_to_do == null ? "good" : "warn"}`}>
          {node.state === "silent" ? "silent" : "there"}
        </span>
      </div>
      {node.state === "here" && (
        <>
          <dl class="figures">
            <Figure name="Version">{node.program}</Figure>
            <Figure name="Up">{about(node.up_s)}</Figure>
            <Figure name="Clock ahead">{node.clock_ahead_ms == null ? "not known" : unit(fixed(node.clock_ahead_ms, 2), "ms")}</Figure>
            <Figure name="Known to">{node.clock_uncertainty_ms == null ? "not known" : unit(fixed(node.clock_uncertainty_ms, 2), "ms")}</Figure>
          </dl>
          <p class="small dim">
            {node.cameras.map(({ name, driver, holder }) => `${node.node}/${name} (${driver}, ${holder == null ? "free" : `used by ${holder}`})`).join(" · ")}
          </p>
        </>
      )}
      {node.what_to_do != null && <Note tone={node.state === "silent" ? "bad" : "warn"}>{node.what_to_do}</Note>}
    </article>
  );
}
