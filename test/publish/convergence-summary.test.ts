import { describe, expect, it } from 'vitest';
import type { Device } from '../../src/policy/model.ts';
import { BEHIND_REASONS, type BehindReason } from '../../src/publish/behind-reason.ts';
import type { ZoneConvergence } from '../../src/publish/convergence.ts';
import { summariseConvergence } from '../../src/publish/convergence-summary.ts';

/** A device and one of its zones, as far as a summary looks at them. */
const pair = (
  id: number,
  since: number | null,
  reason: BehindReason | null = null,
  origin = 'a.test.',
): ZoneConvergence =>
  ({
    device: { id },
    origin,
    lag: { since, serials: since === null ? 0 : 1, isLowerBound: false },
    converged: since === null,
    behind: reason === null ? null : { reason, detail: reason },
  }) as unknown as ZoneConvergence;

async function summarise(pairs: readonly ZoneConvergence[], shownMax = 100) {
  const ids = [...new Set(pairs.map(({ device }) => device.id))];
  const pauses = { count: 0 };
  const summary = await summariseConvergence({
    devices: ids.map((id) => ({ id }) as Device),
    convergence: {
      expectedOf: (device) => pairs.filter((each) => each.device.id === device.id),
    },
    shownMax,
    pause: async () => {
      pauses.count += 1;
    },
  });
  return { summary, pauses };
}

describe('a summary of all devices', () => {
  it('counts pairs, those that have converged, and devices by reason, each once', async () => {
    const { summary } = await summarise([
      pair(1, null),
      pair(1, 50, 'not-asked', 'b.test.'),
      pair(1, 20, 'refused', 'c.test.'),
      pair(2, 30, 'refused'),
      pair(3, 40),
    ]);
    expect(summary).toMatchObject({ pairs: 5, converged: 1 });
    expect(summary.behind.get('refused')).toBe(2);
    expect([...summary.behind.keys()]).toEqual([...BEHIND_REASONS]);
    expect([...summary.behind.values()].reduce((sum, count) => sum + count)).toBe(2);
    expect(summary.worst.map(({ device, origin }) => [device.id, origin])).toEqual([
      [1, 'c.test.'],
      [2, 'a.test.'],
    ]);
  });

  it('shows those that lag longest, up to a number, then those that do not', async () => {
    const pairs = Array.from({ length: 5_000 }, (_, index) =>
      pair(index + 1, index % 7 === 0 ? null : 1_000_000 - index),
    );
    const { summary, pauses } = await summarise(pairs, 10);
    expect(summary.shown).toHaveLength(10);
    const sinces = summary.shown.map(({ lag }) => lag.since!);
    expect(sinces).toEqual(sinces.toSorted((a, b) => a - b));
    expect(sinces[0]).toBe(1_000_000 - 4_999);
    expect(pauses.count).toBe(100);
    const many = Array.from({ length: 10_000 }, (_, index) => pair(1 + (index % 10), 5));
    expect((await summarise(many)).pauses.count).toBe(5);
    const few = await summarise([pair(1, null), pair(2, 9)], 10);
    expect(few.summary.shown.map(({ device }) => device.id)).toEqual([2, 1]);
  });
});
