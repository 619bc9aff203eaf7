/** A misspelling may differ in a third of its characters, and in one at least. */
const CHARACTERS_PER_MISTAKE = 3;

/** The candidate that was probably meant, or null when none is near. Upper and lower case count as equal. */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  const wanted = name.toLowerCase();
  let nearest: string | null = null;
  let fewest = Math.max(1, Math.floor(name.length / CHARACTERS_PER_MISTAKE)) + 1;
  for (const candidate of candidates) {
    const mistakes = countMistakes(wanted, candidate.toLowerCase());
    if (mistakes < fewest) {
      fewest = mistakes;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Optimal string alignment: insertions, deletions, replacements and swapped neighbours cost 1 each. */
function countMistakes(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        last[column] + 1,
        current[column - 1] + 1,
        last[column - 1] + (same ? 0 : 1),
      );
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, beforeLast[column - 2] + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length];
}
