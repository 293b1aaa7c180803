/** Small parts that many views use. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { ApiError } from "../api/client";
import { loadRetry } from "../policy/retry";
import { complain } from "../state/notices";
import { Icon } from "./icon";
import type { IconName } from "./icon";

export type Tone = "info" | "good" | "warn" | "bad";

export function Figure({ name, children, tone }: { name: string; children: ComponentChildren; tone?: Tone | undefined }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd class={tone}>{children}</dd>
    </div>
  );
}

export function Note({ tone = "info", children }: { tone?: Tone; children: ComponentChildren }) {
  return (
    <div class={`note ${tone}`} role={tone === "bad" ? "alert" : undefined}>
      {children}
    </div>
  );
}

interface DoProps {
  icon?: IconName;
  /** What it says while it is at work. */
  doing?: string;
  kind?: "main" | "danger" | "plain" | undefined;
  disabled?: boolean;
  title?: string;
  /** For those who do not see the icon, where there is no text. */
  label?: string;
  does: () => Promise<unknown>;
  children?: ComponentChildren;
}

/** A button that does something that takes time, and cannot be pressed twice meanwhile. */
export function Do({ icon, doing, kind, disabled, title, label, does, children }: DoProps) {
  const [busy, setBusy] = useState(false);
  // The state is seen by the next drawing only; a second press may come before that.
  const taken = useRef(false);
  const gone = useRef(false);
  useEffect(() => () => void (gone.current = true), []);
  const press = () => {
    if (taken.current) return;
    taken.current = true;
    setBusy(true);
    does()
      .catch(complain)
      .finally(() => {
        taken.current = false;
        if (!gone.current) setBusy(false);
      });
  };
  return (
    <button type="button" class={kind} disabled={disabled || busy} aria-busy={busy} aria-label={label} title={title} onClick={press}>
      {icon && <Icon name={icon} />}
      {busy && doing ? doing : children}
    </button>
  );
}

/** Asks before something that cannot be undone, or wants something done first. */
export function Sure({ text, yes, yesKind = "danger", does, children, ...rest }: DoProps & { text: string; yes: string; yesKind?: "main" | "danger" }) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" class={rest.kind} disabled={rest.disabled} aria-label={rest.label} onClick={() => dialog.current?.showModal()}>
        {rest.icon && <Icon name={rest.icon} />}
        {children}
      </button>
      <dialog ref={dialog} aria-label={yes}>
        <div class="stack">
          <p>{text}</p>
          <div class="row">
            <Do
              kind={yesKind}
              doing={rest.doing ?? yes}
              does={async () => {
                await does();
                dialog.current?.close();
              }}
            >
              {yes}
            </Do>
            <button type="button" onClick={() => dialog.current?.close()}>
              Leave it
            </button>
          </div>
        </div>
      </dialog>
    </>
  );
}

/** How far something is, of which `done` of `all` are there and some have failed; `text` is for who cannot see it. */
export function Bar({ name, done, all, failed = 0, text }: { name: string; done: number; all: number; failed?: number; text: string }) {
  const part = (count: number) => `${all === 0 ? 0 : (count / all) * 100}%`;
  return (
    <div class="bar" role="progressbar" aria-label={name} aria-valuemin={0} aria-valuemax={all} aria-valuenow={done} aria-valuetext={text}>
      <i style={{ width: part(done) }} />
      {failed > 0 && <i class="failed" style={{ width: part(failed) }} />}
    </div>
  );
}

/**
 * Asks `load` for something, and again whenever `key` changes or `again` is called. One question at a time: what is asked again
 * and again would otherwise break off each question of a slow line. What fails for a reason that passes is asked for again by
 * itself: a change of the configuration ends the API for a moment, and nothing else would ask.
 */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, key: unknown): Loaded<T> {
  const [found, setFound] = useState<{ value: T | null; error: unknown }>({ value: null, error: null });
  const latest = useRef(load);
  latest.current = load;
  const ask = useRef<() => void>(() => undefined);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let open = false;
    let onceMore = false;
    ask.current = () => {
      if (open) {
        onceMore = true;
        return;
      }
      clearTimeout(timer);
      open = true;
      void latest.current(abort.signal).then(
        (value) => {
          if (abort.signal.aborted) return;
          failures = 0;
          setFound({ value, error: null });
        },
        (error: unknown) => {
          if (abort.signal.aborted) return;
          failures += 1;
          setFound((before) => ({ value: before.value, error }));
          const wait = error instanceof ApiError ? loadRetry(failures, error.status, error.problem?.retry_after ?? undefined) : null;
          if (wait !== null) timer = setTimeout(() => ask.current(), wait);
        },
      ).finally(() => {
        open = false;
        if (!onceMore || abort.signal.aborted) return;
        onceMore = false;
        ask.current();
      });
    };
    ask.current();
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key]);
  return { ...found, again: () => ask.current() };
}

export interface Loaded<T> {
  value: T | null;
  error: unknown;
  again: () => void;
}
