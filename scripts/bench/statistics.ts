/** The middle sample, or the mean of the two in the middle; null when there are none. */
export function median(samples: readonly number[]): number | null {
  if (samples.length === 0) return null;
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The sample that so large a share of all lies at or below; null when there are none. */
export function percentile(samples: ArrayLike<number>, share: number): number | null {
  if (samples.length === 0) return null;
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** Three digits or more, whatever the size. */
export function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

/** One digit behind the point, two of what is less than one, none of what is large. */
export function formatRatio(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 0.95 ? 1 : 2);
}

/** A number of things, with commas at the thousands. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
