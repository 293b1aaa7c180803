/** Who is logged in. */

import { signal } from "@preact/signals";

import { ApiError, get, onUnauthorized, post } from "../api/client";

/** The name of the token in use; null where none is. */
export const session = signal<{ name: string; may: "use" | "look" } | "asking" | null>("asking");

onUnauthorized(() => (session.value = null));

/** Finds out whether the browser's cookie is good; asks again while the daemon cannot be reached. */
export async function resume(): Promise<void> {
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
