/** Who is logged in. */

import { signal } from "@preact/signals";

import { ApiError, get, onUnauthorized, post, textOf } from "../api/client";

/** The name of the token in use; null where none is. */
export const session = signal<{ name: string; may: "use" | "look" } | "asking" | null>("asking");

onUnauthorized(() => (session.value = null));

/** A link opened where the page is shown already changes what is behind the # alone. */
window.addEventListener("hashchange", () => void resume());

/** Why the link that the page was opened by does not log in; null where there was none, or it does. */
export const refusedLink = signal<string | null>(null);

const LINK = "#login=";

/** Logs in by the link of `scanner open`, if the page was opened by one. It is good once, so it goes from the address. */
async function comeByLink(): Promise<void> {
  if (!location.hash.startsWith(LINK)) return;
  const secret = location.hash.slice(LINK.length);
  history.replaceState(null, "", location.pathname + location.search);
  try {
    const answer = await post("/api/v1/pair/collect", { body: { secret } });
    if (!("name" in answer)) refusedLink.value = "This is no link of `scanner open`.";
  } catch (error) {
    refusedLink.value = textOf(error);
  }
}

/** Finds out whether the browser's cookie is good; asks again while the daemon cannot be reached. */
export async function resume(): Promise<void> {
  await comeByLink();
  try {
    session.value = await get("/api/v1/session");
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return;
    setTimeout(() => void resume(), 2000);
  }
}

export async function logIn(token: string): Promise<void> {
  session.value = await post("/api/v1/login", { body: { token } });
}

export async function logOut(): Promise<void> {
  await post("/api/v1/logout");
  session.value = null;
}
