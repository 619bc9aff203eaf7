import { median } from '../../../scripts/bench/statistics.ts';

/**
 * How many times as long `subject` takes as `yardstick`, by the medians of runs that take turns, so
 * that whatever else the machine does slows both. The first rounds do not count: what runs for the
 * first time is compiled.
 */
export async function ratioOf(
  given: { readonly rounds: number; readonly warmup: number },
  subject: (round: number) => number | Promise<number>,
  yardstick: (round: number) => number | Promise<number>,
): Promise<number> {
  const samples: [number[], number[]] = [[], []];
  for (let round = -given.warmup; round < given.rounds; round++) {
    for (const [index, measure] of [subject, yardstick].entries()) {
      const ms = await measure(given.warmup + round);
      if (round >= 0) samples[index].push(ms);
    }
  }
  const [own, other] = samples.map((each) => median(each) ?? 0);
  if (other === 0) throw new Error('the yardstick takes no time at all');
  return own / other;
}

/** The time that something takes, in milliseconds. */
export function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
