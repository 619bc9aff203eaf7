import { describe, expect, it } from 'vitest';
import { retryDelayMs } from '../../src/notify/retry-delay.ts';

const LIMITS = { minMs: 1_000, maxMs: 900_000 };

describe('the delay before the next attempt', () => {
  it('doubles from the minimum to the maximum', () => {
    const delays = [1, 2, 3, 10, 11, 12, 100, 5_000].map((n) => retryDelayMs(n, LIMITS, 0));
    expect(delays).toEqual([1_000, 2_000, 4_000, 512_000, 900_000, 900_000, 900_000, 900_000]);
  });

  it('is up to a quarter shorter by chance', () => {
    expect(retryDelayMs(1, LIMITS, 0.5)).toBe(875);
    expect(retryDelayMs(20, LIMITS, 0.999999)).toBeGreaterThan(675_000);
  });
});
