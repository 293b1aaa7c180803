/** Chooses a plan, or makes one up, and starts it. */

import { useEffect, useState } from "preact/hooks";

import { get, post, textOf } from "../../api/client";
import type { InlinePlan, PlanDetail, PlanInfo } from "../../api/types";
import { about } from "../../lib/format";
import { Do, Figure, Note, useLoaded } from "../../parts/parts";
import { gaps } from "../../state/rig";
import { FIELDS, FRESH, draftOf, fieldsOf, mayBeEmpty, planOf } from "./draft";
import type { Draft, Field } from "./draft";
import { EmptyRig } from "./empty-rig";

/** What is to be scanned: a plan of the configuration as it stands, or one that was changed. */
type Choice = { name: string } | { draft: Draft };

/** Keys that were pressed a moment ago may not be the last ones. */
const PAUSE_MS = 300;
/** The name of no plan: names have letters, digits, `-` and `_`. */
const OWN = "*";

interface Props {
  plans: readonly PlanInfo[];
  detail: PlanDetail | null;
  /** Called with the plan made out, or null while there is none. */
  made: (detail: PlanDetail | null) => void;
}

export function Chooser({ plans, detail, made }: Props) {
  const [choice, setChoice] = useState<Choice>(() => (plans[0] ? { name: plans[0].name } : { draft: FRESH }));
  const [error, setError] = useState<string | null>(null);
  const named = "name" in choice ? plans.find((plan) => plan.name === choice.name) : undefined;
  const draft = "draft" in choice ? choice.draft : named ? draftOf(named.plan) : null;
  const own: InlinePlan | string | null = "draft" in choice ? planOf(choice.draft) : null;

  useEffect(() => {
    const abort = new AbortController();
    if (typeof own === "string") {
      setError(own);
      made(null);
      return;
    }
    const ask = () =>
      "name" in choice
        ? get("/api/v1/plans/{name}", { path: { name: choice.name }, signal: abort.signal })
        : post("/api/v1/plans/preview", { body: own ?? { shape: "cylinder" }, signal: abort.signal });
    const timer = setTimeout(
      () =>
        ask().then(
          (detail) => {
            setError(null);
            made(detail);
          },
          (error: unknown) => {
            if (abort.signal.aborted) return;
            setError(textOf(error));
            made(null);
          },
        ),
      "name" in choice ? 0 : PAUSE_MS,
    );
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [JSON.stringify(choice)]);

  const references = useLoaded((signal) => get("/api/v1/references", { signal }), gaps.value);
  const start = (reference: boolean) => {
    if ("name" in choice) return post("/api/v1/scans", { body: { plan: choice.name, reference } });
    if (own === null || typeof own === "string") return Promise.reject(new Error(own ?? "no plan"));
    return post("/api/v1/scans", { body: { inline: own, reference } });
  };
  const change = (part: Partial<Draft>) => setChoice({ draft: { ...(draft ?? FRESH), ...part } });

  return (
    <section class="card stack" aria-label="New scan">
      <label class="field">
        <span>Plan</span>
        <select
          value={"name" in choice ? choice.name : OWN}
          onChange={(event) => {
            const name = event.currentTarget.value;
            setChoice(name === OWN ? { draft: draft ?? FRESH } : { name });
          }}
        >
          {plans.map((plan) => (
            <option key={plan.name} value={plan.name}>
              {plan.name}
            </option>
          ))}
          <option value={OWN}>of your own</option>
        </select>
      </label>
      {draft ? <Editor draft={draft} change={change} /> : <p class="dim">A list of points, from a file of the configuration.</p>}
      {error && <Note tone="warn">{error}</Note>}
      {detail && (
        <dl class="figures">
          <Figure name="Points">{detail.points.length}</Figure>
          <Figure name="Images">{detail.shots}</Figure>
          <Figure name="Travel">{about(detail.travel_s)}</Figure>
          <Figure name="Estimate">{about(detail.estimate_s)}</Figure>
        </dl>
      )}
      <Do kind="main" icon="play" doing="Starting…" disabled={!detail} does={() => start(false)}>
        Start the scan
      </Do>
      <EmptyRig
        found={"name" in choice ? (references.value?.plans.find(({ plan }) => plan === choice.name) ?? null) : null}
        disabled={!detail}
        start={() => start(true)}
      />
    </section>
  );
}

function Editor({ draft, change }: { draft: Draft; change: (part: Partial<Draft>) => void }) {
  return (
    <fieldset class="editor" aria-label="The plan's shape">
      <label class="field">
        <span>Shape</span>
        <select value={draft.shape} onChange={(event) => change({ shape: event.currentTarget.value as Draft["shape"] })}>
          <option value="cylinder">cylinder</option>
          <option value="ring">ring</option>
          <option value="sphere">sphere</option>
        </select>
      </label>
      {draft.shape === "sphere" && (
        <label class="field">
          <span>Spread</span>
          <select
            value={draft.distribution}
            onChange={(event) => change({ distribution: event.currentTarget.value as Draft["distribution"] })}
          >
            <option value="fibonacci">evenly</option>
            <option value="rings">in rings</option>
          </select>
        </label>
      )}
      {fieldsOf(draft).map((field) => (
        <label class="field" key={field}>
          <span>
            {captionOf(field)}
          </span>
          <input
            inputMode={FIELDS[field].of === "list" ? "text" : "decimal"}
            value={draft[field]}
            placeholder={mayBeEmpty(field) ? "as configured" : undefined}
            onInput={(event) => change({ [field]: event.currentTarget.value })}
          />
        </label>
      ))}
      <label class="field">
        <span>Order</span>
        <select value={draft.order} onChange={(event) => change({ order: event.currentTarget.value as Draft["order"] })}>
          <option value="fastest">least travel</option>
          <option value="given">as written</option>
        </select>
      </label>
    </fieldset>
  );
}

function captionOf(field: Field): string {
  const kind = FIELDS[field];
  const unit = kind.of === "count" ? kind.hint : kind.unit;
  return unit === "" ? kind.label : `${kind.label}, ${unit}`;
}
