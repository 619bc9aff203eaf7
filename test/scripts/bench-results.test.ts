import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { judgeAims } from '../../scripts/bench/aims.ts';
import { interleave } from '../../scripts/bench/interleave.ts';
import { ticksIn } from '../../scripts/bench/processor-watch.ts';
import { renderResults } from '../../scripts/bench/render-results.ts';
import {
  mergeResult,
  readResults,
  type SectionResult,
  writeResults,
} from '../../scripts/bench/results.ts';
import type { Plot, Row } from '../../scripts/bench/section.ts';
import { renderPlot } from '../../scripts/bench/svg-plot.ts';

const axfr: Row = {
  title: 'AXFR',
  unit: 'ms',
  samples: { Sluice: [9, 10, 11], NSD: [200], Knot: [300], 'plain Node': [5] },
  limit: 'the sockets.',
  aims: [
    { text: '20 times NSD', of: { server: 'NSD' }, by: { server: 'Sluice' }, atLeast: 20 },
    {
      text: '30 times the best',
      of: { server: 'best peer' },
      by: { server: 'Sluice' },
      atLeast: 30,
    },
    {
      text: '1.5 times the small one',
      of: { server: 'Sluice' },
      by: { server: 'Sluice', row: 'small' },
      atMost: 1.5,
    },
    { text: 'under 20 ms', of: { server: 'Sluice' }, atMost: 20 },
    { text: 'faster than one that is not there', of: { server: 'BIND' }, atMost: 1 },
  ],
};
const small: Row = { title: 'small', unit: 'ms', samples: { Sluice: [5] } };

describe('an aim', () => {
  it('is held against medians, of the best peer where it says so, which no yardstick is', () => {
    const judged = judgeAims([axfr, small]).map(({ measured, isMet }) => [measured, isMet]);
    expect(judged).toEqual([
      [20, true],
      [20, false],
      [2, false],
      [10, true],
      [null, null],
    ]);
  });

  it('takes the largest figure for the best where more is better', () => {
    const samples = { Sluice: [30], NSD: [10], Knot: [20] };
    const aim = { text: '', of: { server: 'Sluice' }, by: { server: 'best peer' }, atLeast: 1.5 };
    const row: Row = { title: 'TCP', unit: '1/s', samples, better: 'more', aims: [aim] };
    expect(judgeAims([row])[0]).toMatchObject({ measured: 1.5, isMet: true });
  });
});

const result: SectionResult = {
  title: 'The whole zone',
  command: 'npm run bench -- --sections transfer',
  commit: '0123456789',
  date: '2026-01-02 03:04',
  rules: 1_000,
  rounds: 3,
  seconds: 61.4,
  othersShare: 0.123,
  machine: {
    processor: 'A processor',
    cores: 2,
    memoryGb: 16,
    kernel: 'Linux 6',
    node: 'v24',
    versions: { NSD: '4.6.1' },
  },
  text: 'What was done.',
  rows: [axfr, small],
};

describe('the results', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-results-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('take the figures of a section in the place of earlier ones, and stay in order', () => {
    const path = join(folder, 'results.json');
    expect(readResults(path)).toEqual({});
    const names = ['start', 'transfer'];
    writeResults(path, mergeResult({}, 'transfer', result, names));
    writeResults(path, mergeResult(readResults(path), 'start', result, names));
    const anew = { ...result, seconds: 2.000_000_1 };
    writeResults(path, mergeResult(readResults(path), 'transfer', anew, names));
    expect(Object.keys(readResults(path))).toEqual(names);
    expect(readResults(path)).toMatchObject({ start: { seconds: 61.4 }, transfer: { seconds: 2 } });
    expect(readFileSync(path, 'utf8')).not.toContain(folder);
  });

  it('are written as a report that says which aims are met', () => {
    const report = renderResults({ transfer: result }).split('\n');
    expect(report).toContain('| The whole zone | AXFR | 20 times NSD | 20.0 | met |');
    expect(report).toContain('| The whole zone | AXFR | 30 times the best | 20.0 | **not met** |');
    expect(report).toContain('- **AXFR**: the sockets.');
    expect(report).toContain('A processor, 2 cores, 16 GB, Linux 6; Node v24, NSD 4.6.1.');
    expect(report).toContain(
      '`npm run bench -- --sections transfer` at 0123456789, 2026-01-02 03:04, 3 rounds, 61 s; others took 12 % of the processors meanwhile.',
    );
  });
});

describe('a plot', () => {
  const plot: Plot = {
    name: 'axfr',
    title: 'AXFR & <others>',
    x: { label: 'rules', scale: 'log' },
    y: { label: 'ms', scale: 'log' },
    lines: {
      Sluice: [
        { x: 10_000, y: 2 },
        { x: 1_000_000, y: 30 },
      ],
      NSD: [{ x: 10_000, y: 2 }],
      Knot: [],
    },
  };

  it('has a point for each figure, ticks at powers of ten, and no label on another', () => {
    const svg = renderPlot(plot);
    expect(svg).toContain('<title>AXFR &amp; &lt;others&gt;</title>');
    expect(svg.match(/<circle/g)).toHaveLength(3);
    for (const tick of ['10k', '100k', '1M', '1', '10', '100']) expect(svg).toContain(`>${tick}<`);
    expect(svg).not.toContain('Knot');
    expect(svg).not.toContain('NaN');
  });

  it('may be linear, and of a single point', () => {
    const axis = { label: 'zones', scale: 'linear' } as const;
    const svg = renderPlot({ ...plot, x: axis, y: axis, lines: { Sluice: [{ x: 4, y: 0 }] } });
    expect(svg).not.toContain('NaN');
    expect(svg).toContain('>4<');
  });
});

describe('the share of others', () => {
  it('is what is busy beyond this process and its children', () => {
    const machine = 'cpu  10 1 5 80 4 0 2 0 7 0\ncpu0 1 1 1 1 1 1 1 1\n';
    const fields = ['S', ...Array(10).fill('9'), '1', '2', '3', '4', '20'];
    const self = `42 (a (strange) name) ${fields.join(' ')}`;
    expect(ticksIn(machine, self)).toEqual({ all: 102, busy: 18, own: 10 });
  });
});

describe('rounds', () => {
  it('let the servers take turns', async () => {
    const turns: string[] = [];
    const samples = await interleave([{ name: 'a' }, { name: 'b' }], 2, async ({ name }, round) => {
      turns.push(name);
      return round;
    });
    expect(turns).toEqual(['a', 'b', 'a', 'b']);
    expect(samples).toEqual({ a: [0, 1], b: [0, 1] });
  });
});
