/** Whether there is a rig yet: who opens the page for the first time is led to the setup. */

import { effect, signal } from "@preact/signals";

import { get } from "../api/client";
import type { SetupState } from "../api/types";
import { go, route } from "./route";
import { session } from "./session";

/** What the configuration in force describes; null where it is not known, or none of this browser's business. */
export const described = signal<SetupState["described"] | null>(null);

/** Where it is remembered that somebody wants no setup. */
const LATER = "scanner-setup-later";

export const putOff = signal(localStorage.getItem(LATER) !== null);

export function later(): void {
  localStorage.setItem(LATER, "1");
  putOff.value = true;
}

export function learnt(state: SetupState): void {
  described.value = state.described;
}

effect(() => {
  const who = session.value;
  if (who === null || who === "asking" || who.may !== "use") {
    described.value = null;
    return;
  }
  get("/api/v1/setup").then(
    (state) => {
      learnt(state);
      // There is nothing to look at yet.
      if (state.described === "nothing" && route.peek().view === "live") go({ view: "setup", at: "" });
    },
    () => undefined,
  );
});
