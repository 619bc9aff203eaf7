import { type Aim, type Figure, type Row, SLUICE, YARDSTICKS } from './section.ts';
import { median } from './statistics.ts';

export interface JudgedAim {
  readonly row: string;
  readonly aim: Aim;
  /** Null when something that it needs was not measured. */
  readonly measured: number | null;
  readonly isMet: boolean | null;
}

/** Holds the medians of a section against its aims. */
export function judgeAims(rows: readonly Row[]): JudgedAim[] {
  return rows.flatMap((row) =>
    (row.aims ?? []).map((aim) => {
      const measured = measure(aim, row, rows);
      return {
        row: row.title,
        aim,
        measured,
        isMet: measured === null ? null : holds(aim, measured),
      };
    }),
  );
}

function holds({ atLeast = -Infinity, atMost = Infinity }: Aim, measured: number): boolean {
  return measured >= atLeast && measured <= atMost;
}

function measure({ of, by }: Aim, row: Row, rows: readonly Row[]): number | null {
  const value = figureOf(of, row, rows);
  if (by === undefined || value === null) return value;
  const divisor = figureOf(by, row, rows);
  return divisor === null || divisor === 0 ? null : value / divisor;
}

function figureOf({ server, row: title }: Figure, own: Row, rows: readonly Row[]): number | null {
  const row = title === undefined ? own : rows.find((other) => other.title === title);
  if (row === undefined) return null;
  if (server !== 'best peer') return median(row.samples[server] ?? []);
  const peers = Object.keys(row.samples)
    .filter((name) => name !== SLUICE && !YARDSTICKS.includes(name))
    .map((name) => median(row.samples[name]))
    .filter((value) => value !== null);
  if (peers.length === 0) return null;
  return row.better === 'more' ? Math.max(...peers) : Math.min(...peers);
}
