/** What happened to a scan that a person wants to know of: faults, recoveries, pauses. */

import type { Numbered } from "../../api/types";
import { fixed, time, unit } from "../../lib/format";

interface Line {
  tone: "good" | "warn" | "bad" | "dim";
  text: string;
}

/** The event in a line; null of the normal course. */
export function lineOf(event: Numbered): Line | null {
  switch (event.event) {
    case "started":
      return { tone: "dim", text: event.stored > 0 ? `goes on: ${event.stored} of ${event.shots} are stored` : `began: ${event.shots} shots` };
    case "held":
      return { tone: "dim", text: `${event.camera} holds its settings` };
    case "attempt_failed":
      return { tone: "warn", text: `${event.shot.camera}/${event.shot.label}, attempt ${event.attempt}: ${event.message}` };
    case "recovering":
      return { tone: "warn", text: `${event.camera}: ${event.rung}${event.after > 0 ? ` in ${unit(fixed(event.after, 1), "s")}` : ""}` };
    case "recovered":
      return { tone: "good", text: `${event.camera} is back: ${event.rung} took ${unit(fixed(event.took, 1), "s")}` };
    case "recovery_failed":
      return { tone: "bad", text: `${event.camera}: ${event.rung} failed: ${event.message}` };
    case "wedged":
      return { tone: "bad", text: event.message };
    case "store_failed":
      return { tone: "bad", text: `${event.shot.camera}/${event.shot.label} could not be stored: ${event.message}` };
    case "shot_failed":
      return { tone: "bad", text: `${event.shot.camera}/${event.shot.label} failed for now: ${event.reason}` };
    case "flagged":
      return { tone: "warn", text: `${event.shot.camera}/${event.shot.label}: ${event.message}${event.again ? "; taken again" : ""}` };
    case "displaced":
      return { tone: "warn", text: `${event.shot.camera}/${event.shot.label}: ${event.message}` };
    case "retake":
      return { tone: "dim", text: `${event.shot.camera}/${event.shot.label} is to be taken again` };
    case "extended":
      return { tone: "dim", text: `${event.added} points were added: ${event.shots} shots now` };
    case "paused":
      return { tone: "warn", text: `paused at ${event.stored} of ${event.shots}: ${event.reason}` };
    case "finished":
      return { tone: event.outcome === "complete" ? "good" : "warn", text: `${event.outcome}: ${event.stored} of ${event.shots} stored` };
    case "not_resumed":
      return { tone: "bad", text: `does not go on by itself: ${event.message}` };
    case "exported":
      return { tone: "dim", text: `exported for ${event.format}: ${event.folder}` };
    case "export_failed":
      return { tone: "bad", text: `not exported for ${event.format}: ${event.message}` };
    case "delivered":
      return { tone: "dim", text: `delivered to ${event.target}: ${event.files} files` };
    case "delivery_failed":
      return { tone: "bad", text: `not delivered to ${event.target}: ${event.message}` };
    case "moving":
    case "captured":
    case "stored":
      return null;
  }
}

export function Happenings({ events, most = 60 }: { events: readonly Numbered[]; most?: number }) {
  const lines = events.flatMap((event) => {
    const line = lineOf(event);
    return line ? [{ ...line, number: event.number, at: event.at }] : [];
  });
  return (
    <div role="log" aria-live="polite" aria-label="What happened">
      <ol class="happenings" tabIndex={0} aria-label="What happened, the newest first">
      {lines.length === 0 && <li class="dim">Nothing out of the ordinary.</li>}
      {lines
        .slice(-most)
        .reverse()
        .map(({ number, at, tone, text }) => (
          <li key={number}>
            <time class="mono dim" dateTime={at}>
              {time(at)}
            </time>
            <span class={tone}>{text}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
