import type { Row } from './section.ts';

/** A subject that has taken so long in all takes part in no further round of the same row. */
const BUDGET_MS = 8_000;

/**
 * Samples of each subject: they take turns within each round, so that a machine that changes its pace
 * changes it for all. Slow ones give fewer samples, but at least one.
 */
export async function interleave<Subject extends { readonly name: string }>(
  subjects: readonly Subject[],
  rounds: number,
  measure: (subject: Subject, round: number) => Promise<number>,
): Promise<Row['samples']> {
  const samples: Record<string, number[]> = {};
  const spentMs = new Map<Subject, number>();
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      const spent = spentMs.get(subject) ?? 0;
      if (spent > BUDGET_MS) continue;
      const start = performance.now();
      const sample = await measure(subject, round);
      (samples[subject.name] ??= []).push(sample);
      spentMs.set(subject, spent + performance.now() - start);
    }
  }
  return samples;
}
