import { describe, expect, it } from 'vitest';
import { readRate } from '../../scripts/bench/dnsperf.ts';
import { type PhaseOutcome, renderLoad } from '../../scripts/bench/load/load-report.ts';
import { renderReport } from '../../scripts/bench/report.ts';
import { median, percentile } from '../../scripts/bench/statistics.ts';

const oneToHundred = Array.from({ length: 100 }, (_, index) => 100 - index);

describe('the figures of a benchmark', () => {
  it('are percentiles that a sample has reached, whatever the order', () => {
    expect([0.5, 0.99, 1].map((share) => percentile(oneToHundred, share))).toEqual([50, 99, 100]);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([3, 1, 2], 0)).toBe(1);
    expect(percentile([], 0.5)).toBeNull();
  });

  it('are sorted as numbers, not as texts', () => {
    expect(percentile([10, 9, 100, 8], 0.5)).toBe(9);
    expect(median([10, 9, 100])).toBe(10);
  });

  it('are put beside those of Sluice, as ratios of the medians', () => {
    const samples = { Sluice: [10, 20, 30], Knot: [40, 60, 50] };
    expect(renderReport([{ title: 'AXFR', unit: 'ms', samples }]).split('\n')).toEqual([
      '|  | Sluice | Knot | Knot / Sluice |',
      '| --- | --- | --- | --- |',
      '| AXFR (ms) | 20.0 | 50.0 | 2.5× |',
    ]);
  });
});

const DNSPERF_OUTPUT = `Statistics:

  Queries sent:         120000
  Queries completed:    119998 (100.00%)
  Queries lost:         2 (0.00%)

  Response codes:       NOERROR 90000 (75.00%), NXDOMAIN 29998 (25.00%)
  Average packet size:  request 54, response 110
  Run time (s):         5.000123
  Queries per second:   23999.010000
`;

describe('what dnsperf says', () => {
  it('is read as a rate, with what was lost and how it was answered', () => {
    expect(readRate(DNSPERF_OUTPUT)).toEqual({
      perSecond: 23_999.01,
      sent: 120_000,
      lost: 2,
      rcodes: new Map([
        ['NOERROR', 90_000],
        ['NXDOMAIN', 29_998],
      ]),
    });
  });

  it('is not taken for a rate when there is none', () => {
    expect(() => readRate('Error: unable to connect')).toThrow(/"Queries per second"/);
  });
});

describe('the table of the load', () => {
  const phase: PhaseOutcome = {
    title: 'nobody stalls',
    seconds: 2,
    devicesAsked: 3,
    devices: {
      soaMs: Float64Array.of(1, 2, 3),
      ixfrMs: Float64Array.of(10, 20, 400),
      soaLost: 0,
      refused: 0,
      wholeZones: 0,
      ixfrCut: 1,
      ixfrFailed: 0,
      converged: 2,
      ownDelayMs: 1.5,
    },
    drains: { axfrMs: Float64Array.of(1_000, 3_000), octets: 400e6, cut: 0, failed: 0 },
    stalled: null,
    updateMs: [],
    updatesLate: 1,
    serverSeconds: 1.2,
    clientSeconds: 0.8,
    memory: { start: 1 << 20, max: 4 << 20, end: 3 << 20, rest: 2 << 20 },
    counters: new Map([
      ['transfersRefused', 1],
      ['tcpRefusedTotal', 2],
      ['transfersCut', 4],
    ]),
  };
  const cells = (phases: readonly PhaseOutcome[]): Record<string, string> =>
    Object.fromEntries(
      renderLoad(phases)
        .split('\n')
        .map((line) => line.slice(2, -2).split(' | '))
        .map(([title, ...values]) => [title.replace(/[ :;(].*/, ''), values.join(' / ')]),
    );

  it('says of each figure how much went wrong, or that nothing did', () => {
    expect(cells([phase])).toMatchObject({
      devices: '2 of 3',
      SOA: '3; 2.00, 3.00, 3.00; none lost',
      IXFR: '3; 20.0, 400, 400; **1 cut**',
      updates: '0; –, –; **1 put off**',
      seconds: '2.00; 1.20, 0.80',
      memory: '1, 4, 3, 2',
      counted: '3, 4, 0, 0',
    });
  });

  it('puts phases side by side', () => {
    const stalled = { cutOff: 20, leftAlone: 0 };
    const { clients } = cells([phase, { ...phase, stalled }]);
    expect(clients).toBe('none / 20 times cut off, 0 times not cut off');
  });
});
