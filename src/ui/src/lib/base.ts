/** Under which path the daemon is reached: a proxy in front of it may have put one before its own. */

/**
 * The path before those of the views, without a slash at its end: empty where there is no such proxy. The views' own paths
 * are known, and what stands before them is the proxy's.
 */
export function baseOf(path: string): string {
  const shapes = [/^(.*)\/(?:scans|setup)\/[^/]+$/, /^(.*)\/docs\/$/, /^(.*)\/[^/]*$/];
  for (const shape of shapes) {
    const base = shape.exec(path)?.[1];
    if (base !== undefined) return base;
  }
  return "";
}
