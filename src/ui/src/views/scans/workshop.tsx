/** What a workshop makes of a scan: how that stands, and what came back. */

import { useEffect, useState } from "preact/hooks";

import { get, pathOf, textOf } from "../../api/client";
import type { WorkshopFile, WorkshopJob } from "../../api/types";
import { bytes, dateTime } from "../../lib/format";
import { Icon } from "../../parts/icon";
import { Bar, Note, useLoaded } from "../../parts/parts";
import { Picture } from "../../parts/picture";
import { gaps } from "../../state/rig";
import { InSpace } from "./in-space";
import type { Form } from "./model-file";
import { isUnderWay, line, stateOf } from "./workshop-words";

/** How often it is looked while something is to be expected, and otherwise. */
const LOOK_MS = 5_000;
const REST_MS = 30_000;
/** A larger model is not shown here, in bytes. */
const MOST = 80e6;

interface Props {
  id: string;
  /** Whether the scan is offered to a workshop by itself. */
  offered: boolean;
}

export function Workshop({ id, offered }: Props) {
  const { value, error, again } = useLoaded((signal) => get("/api/v1/scans/{scan}/workshop", { path: { scan: id }, signal }), `${id} ${gaps.value}`);
  const jobs = value?.jobs ?? [];
  const soon = jobs.length === 0 ? offered : jobs.some(({ state }) => isUnderWay(state));
  useEffect(() => {
    const timer = setInterval(again, soon ? LOOK_MS : REST_MS);
    return () => clearInterval(timer);
  }, [soon]);

  if (error && !value) return <Note tone="bad">What the workshop has made cannot be looked up: {textOf(error)}</Note>;
  if (jobs.length === 0) return null;
  return (
    <section class="card stack" aria-label="Workshop">
      <h2>Workshop</h2>
      {jobs.map((job) => (
        <Job key={job.job} scan={id} job={job} />
      ))}
    </section>
  );
}

function Job({ scan, job: { job, state, offered, changed, failures, files } }: { scan: string; job: WorkshopJob }) {
  const { tone, word } = stateOf(state);
  const url = (file: WorkshopFile) => pathOf("/api/v1/scans/{scan}/workshop/{job}/{file}", { scan, job, file: file.name });
  const picture = files.find(({ kind }) => kind === "picture");
  const model = files.find((file) => formOf(file) !== null && file.bytes <= MOST);
  const log = (name: string | null | undefined) => files.find((file) => file.name === name);
  return (
    <article class="stack tight workshop-job" aria-label={`Job ${job}`}>
      <div class="row spread">
        <h3 class="small">{offered == null ? job : `Offered ${dateTime(offered)}`}</h3>
        <span class={`chip ${tone}`}>{word}</span>
      </div>
      <p class="small" aria-live="polite">
        {line(state, failures)}
      </p>
      {state.is === "fetching" && state.of_bytes > 0 && (
        <Bar name="The scan at the worker" done={state.bytes} all={state.of_bytes} text={`${bytes(state.bytes)} of ${bytes(state.of_bytes)}`} />
      )}
      {failures.length > 0 && (
        <ul class="small">
          {failures.map(({ worker, reason, log: name }, index) => {
            const file = log(name);
            return (
              <li key={index}>
                {worker} failed: {reason}{" "}
                {file && (
                  <a href={url(file)} target="_blank" rel="noopener">
                    Log
                  </a>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {picture && (
        <div class="workshop-picture">
          <Picture src={url(picture)} alt="The workshop’s picture of the model" version={changed == null ? 0 : Date.parse(changed)} />
        </div>
      )}
      {files.length > 0 && (
        <ul class="row workshop-files" aria-label="Files">
          {files
            .filter(({ name }) => !failures.some((failure) => failure.log === name))
            .map((file) => (
              <li key={file.name}>
                <Link file={file} url={url(file)} name={`${scan}-${file.name}`} />
              </li>
            ))}
        </ul>
      )}
      {model && <InBrowser file={model} url={`${url(model)}?of=${encodeURIComponent(changed ?? "")}`} />}
    </article>
  );
}

function Link({ file: { name, kind, bytes: length }, url, name: kept }: { file: WorkshopFile; url: string; name: string }) {
  switch (kind) {
    case "model":
      return (
        <a class="button" href={url} download={kept}>
          <Icon name="download" />
          {name.slice("model.".length).toUpperCase()}, {bytes(length)}
        </a>
      );
    case "log":
    case "picture":
      return (
        <a class="button" href={url} target="_blank" rel="noopener">
          {kind === "log" ? "Log" : "Picture"}, {bytes(length)}
        </a>
      );
    case "other":
      return (
        <a class="button" href={url} download={kept}>
          <Icon name="download" />
          {name}, {bytes(length)}
        </a>
      );
  }
}

function formOf({ name, kind }: WorkshopFile): Form | null {
  if (kind !== "model") return null;
  return name === "model.glb" ? "glb" : name === "model.ply" ? "ply" : null;
}

/** Not before somebody wants it: it may be large. */
function InBrowser({ file, url }: { file: WorkshopFile; url: string }) {
  const [shown, setShown] = useState(false);
  const form = formOf(file);
  if (form === null) return null;
  if (shown) return <InSpace url={url} form={form} label="The model that the workshop has made." />;
  return (
    <div class="row">
      <button type="button" onClick={() => setShown(true)}>
        Show it in 3D
      </button>
      <span class="dim small">Loads {bytes(file.bytes)}.</span>
    </div>
  );
}
