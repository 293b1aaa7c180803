/** Whether the rig is fit for a scan, and why not. */

import { useEffect, useState } from "preact/hooks";

import { post, textOf } from "../../api/client";
import type { Finding, Preflight } from "../../api/types";
import { Icon } from "../../parts/icon";
import type { IconName } from "../../parts/icon";
import { Do, Note } from "../../parts/parts";

const ICONS: Record<Finding["verdict"], { icon: IconName; tone: string; word: string }> = {
  fine: { icon: "check", tone: "good", word: "fine" },
  unknown: { icon: "minus", tone: "dim", word: "not known" },
  advice: { icon: "warn", tone: "warn", word: "advice" },
  problem: { icon: "cross", tone: "bad", word: "problem" },
};
/** What asks for something comes first. */
const ORDER: readonly Finding["verdict"][] = ["problem", "advice", "unknown", "fine"];

export function PreflightCard({ scanning }: { scanning: boolean }) {
  const [found, setFound] = useState<Preflight | null>(null);
  const [error, setError] = useState<string | null>(null);
  const look = async () => {
    setError(null);
    try {
      setFound(await post("/api/v1/preflight"));
    } catch (error) {
      setError(textOf(error));
    }
  };
  useEffect(() => {
    if (!scanning) void look();
  }, []);
  const findings = [...(found?.findings ?? [])].sort((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict));
  return (
    <section class={`card stack verdict ${found ? (found.go ? "go" : "no-go") : ""}`} aria-label="Preflight">
      <div class="row spread">
        <div>
          <h2>Fit for a scan</h2>
          <p class="word" role="status">
            {found ? (found.go ? "Go" : "No go") : scanning ? "Scanning" : "…"}
          </p>
        </div>
        <Do icon="again" disabled={scanning} doing="Looking…" does={look}>
          Look again
        </Do>
      </div>
      {error && <Note tone="warn">{error}</Note>}
      <ul class="findings">
        {findings.map((finding, index) => (
          <li key={index}>
            <span class={ICONS[finding.verdict].tone} title={ICONS[finding.verdict].word}>
              <Icon name={ICONS[finding.verdict].icon} />
              <span class="away">{ICONS[finding.verdict].word}</span>
            </span>
            <span>
              <b>{finding.check}</b> {finding.found}
              {"what_to_do" in finding && <span class={`advice ${ICONS[finding.verdict].tone}`}>{finding.what_to_do}</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
