import type { Row } from './section.ts';

/** Measures something that has a name, once. */
export type Measure<Subject> = (subject: Subject) => Promise<number>;

/**
 * Samples of each subject: they take turns within each round, so that a machine that changes its pace
 * changes it for all.
 */
export async function interleave<Subject extends { readonly name: string }>(
  subjects: readonly Subject[],
  rounds: number,
  measure: Measure<Subject>,
): Promise<Row['samples']> {
  const samples: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      const sample = await measure(subject);
      (samples[subject.name] ??= []).push(sample);
    }
  }
  return samples;
}
