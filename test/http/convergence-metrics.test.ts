import { expect, it } from 'vitest';
import { convergenceMetrics } from '../../src/convergence-metrics.ts';
import { BEHIND_REASONS, EMPTY_SUMMARY, type ZoneConvergence } from '../../src/publish/index.ts';

const model = { accounts: new Map([[1, { label: 'acme' }]]) } as never;
const refusals = { attributed: 3, unattributed: 4, forgotten: 0 };

const pair = (name: string, since: number | null, serials: number): ZoneConvergence =>
  ({
    device: { name, accountId: 1 },
    origin: 'rpz.corp.acme.sluice.internal.',
    lag: { since, serials, isLowerBound: false },
    converged: since === null,
  }) as unknown as ZoneConvergence;

it('there is a series for each pair that is shown, and the totals count all', () => {
  const shown = [pair('r1', 5_000, 2), pair('r2', null, 0)];
  const behind = new Map(EMPTY_SUMMARY.behind).set('tsig-badtime', 7);
  const summary = { ...EMPTY_SUMMARY, shown, behind, pairs: 9_000, converged: 8_990 };
  const families = convergenceMetrics({ summary, refusals, model, now: 12_500 });
  const values = (name: string) =>
    Object.fromEntries(
      families
        .find((family) => family.name === name)!
        .samples.map(({ labels, value }) => [Object.values(labels)[0], value]),
    );
  expect(values('sluice_device_lag_seconds')).toEqual({ 'r1.acme': 7.5, 'r2.acme': 0 });
  expect(values('sluice_device_lag_serials')).toEqual({ 'r1.acme': 2, 'r2.acme': 0 });
  expect(values('sluice_device_converged')).toEqual({ 'r1.acme': 0, 'r2.acme': 1 });
  expect(values('sluice_device_zones')).toEqual({ expected: 9_000, converged: 8_990 });
  expect(values('sluice_devices_behind')['tsig-badtime']).toBe(7);
  expect(values('sluice_device_refusals_total')).toEqual(refusals);
});

it('every reason has a series before anything has happened, so that an alarm can be set on it', () => {
  const families = convergenceMetrics({ summary: EMPTY_SUMMARY, refusals, model, now: 0 });
  const { samples } = families.find(({ name }) => name === 'sluice_devices_behind')!;
  expect(samples.map(({ labels }) => labels.reason)).toEqual([...BEHIND_REASONS]);
  expect(samples.every(({ value }) => value === 0)).toBe(true);
});
