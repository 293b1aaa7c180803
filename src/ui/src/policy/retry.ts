/** What is tried again, and when. Pure. */

/** Waits before an image that failed to load is asked for again, in milliseconds. */
export const IMAGE_RETRY_MS: readonly number[] = [1000, 2000, 4000];

/** How long to wait after so many failures of an image; null if it is not asked for again. */
export function imageRetry(failures: number): number | null {
  return IMAGE_RETRY_MS[failures - 1] ?? null;
}

/** Where a rig that is busy does not say when it will be free. */
const RETRY_AFTER_S = 1;
/** Longer than this nobody waits in front of a button. */
const MAX_RETRY_AFTER_S = 60;

/** How long to wait, in seconds, before a request that was answered by 429 is made again; null if it is not. */
export function busyRetry(refusals: number, retryAfter: number | undefined): number | null {
  if (refusals !== 1) return null;
  const wait = retryAfter ?? RETRY_AFTER_S;
  return wait > MAX_RETRY_AFTER_S ? null : Math.max(0.1, wait);
}

/** How long to wait before the stream of events is joined again, after so many failures, in milliseconds. */
export function eventsRetry(failures: number): number {
  return Math.min(500 * 2 ** Math.max(0, failures - 1), 10_000);
}

/** Answers of a daemon that is being restarted or reloaded, of one that is busy, and of a proxy before it; 0 is none at all. */
const PASSING: readonly number[] = [0, 429, 502, 503, 504];

/** How long to wait before what could not be loaded is asked for again, in milliseconds; null if asking again is of no use. */
export function loadRetry(failures: number, status: number, retryAfter: number | undefined): number | null {
  if (!PASSING.includes(status)) return null;
  return Math.max(eventsRetry(failures), (retryAfter ?? 0) * 1000);
}
