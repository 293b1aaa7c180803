/** Counts of recoveries in equal spans of time. Pure. */

export interface Bin {
  restart: number;
  respawn: number;
  reset: number;
}

/** What happened from `from` to `to`, in milliseconds, in `count` spans; what was before or is after is in none. */
export function binned(list: readonly { at: number; kind: keyof Bin }[], from: number, to: number, count: number): Bin[] {
  const bins = Array.from({ length: count }, (): Bin => ({ restart: 0, respawn: 0, reset: 0 }));
  for (const { at, kind } of list) {
    if (at < from || at > to) continue;
    const bin = bins[Math.min(count - 1, Math.floor(((at - from) / (to - from)) * count))];
    if (bin) bin[kind] += 1;
  }
  return bins;
}
