import { describe, expect, it } from 'vitest';
import { nextRunAt } from '../../src/feeds/schedule.ts';
import type { Feed } from '../../src/policy/model.ts';
import { HOUR, MINUTE, PLAIN_FEED } from './feed-scene.ts';

const NOW = Date.UTC(2030, 0, 31, 12);

const next = (
  feed: Partial<Feed>,
  history: { lastRunAt?: number | null; failures?: number } = {},
  random = 0,
) =>
  nextRunAt({
    feed: { ...PLAIN_FEED, ...feed },
    history: { lastRunAt: NOW, failures: 0, ...history },
    now: NOW,
    random,
  });

describe('the schedule of a feed', () => {
  it('runs a new feed at once', () => {
    expect(next({}, { lastRunAt: null })).toBe(NOW);
  });

  it('runs in an interval after the last run', () => {
    expect(next({ schedule: { kind: 'interval', seconds: 600 } })).toBe(NOW + 10 * MINUTE);
  });

  it('reads cron expressions in UTC', () => {
    const schedule = { kind: 'cron', expression: '30 4 * * *' } as const;
    expect(next({ schedule })).toBe(Date.UTC(2030, 1, 1, 4, 30));
  });

  it('runs at once when its time passed while the server was down', () => {
    const lastRunAt = NOW - 48 * HOUR;
    expect(next({}, { lastRunAt })).toBe(NOW);
    const schedule = { kind: 'cron', expression: '30 4 * * *' } as const;
    expect(next({ schedule }, { lastRunAt })).toBe(NOW);
  });

  it('puts a run off by a part of its jitter', () => {
    expect(next({ jitterSeconds: 600 }, {}, 0.5)).toBe(NOW + HOUR + 5 * MINUTE);
  });

  it('comes back soon after a failure, doubles the pause, and ends at the interval', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 7, 8, 1_000].map(
      (failures) => (next({}, { failures })! - NOW) / MINUTE,
    );
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it('backs off up to the next time of a cron expression', () => {
    const schedule = { kind: 'cron', expression: '0 13 * * *' } as const;
    const pauses = [1, 6, 7].map((failures) => (next({ schedule }, { failures })! - NOW) / MINUTE);
    expect(pauses).toEqual([1, 32, 60]);
  });

  it('does not put off a retry for longer than its pause', () => {
    expect(next({ jitterSeconds: 3_600 }, { failures: 1 }, 0.5)).toBe(NOW + 1.5 * MINUTE);
  });

  it('never runs what is paused or takes uploads only', () => {
    expect(next({ enabled: false })).toBeNull();
    expect(next({ source: { kind: 'upload' } })).toBeNull();
  });
});
