/** Why images have no mask, each reason once. */

export interface Without {
  shot: number;
  reason?: string | null | undefined;
}

/** Those that most images share first; images of which no reason is known are left out. */
export function reasonsOf(without: readonly Without[]): { reason: string; shots: number }[] {
  const found = new Map<string, number>();
  for (const { reason } of without) {
    if (reason != null) found.set(reason, (found.get(reason) ?? 0) + 1);
  }
  return [...found].map(([reason, shots]) => ({ reason, shots })).sort((a, b) => b.shots - a.shots);
}
