import type { Drainer } from './drain/start-drainer.ts';
import type { Stock } from './stock.ts';

/** What a section is given to measure with. */
export interface BenchContext {
  /** Rules of the zone that is measured. */
  readonly rules: number;
  /** Samples of each figure; a section may take fewer of what takes long, and says so. */
  readonly rounds: number;
  /** Zones that several sections measure, made once. */
  readonly stock: Stock;
  /** The client that takes transfers, in a process of its own. */
  readonly drainer: Drainer;
  /** A new, empty folder that goes when the command ends. */
  folder(name: string): string;
  /** Tells the user what is under way. */
  say(text: string): void;
}

/** One part of the benchmark: `--sections` runs it alone, its figures replace those of before. */
export interface Section {
  readonly name: string;
  readonly title: string;
  run(context: BenchContext): Promise<SectionFigures>;
}

/** What was measured, as it is kept in the file of results. */
export interface SectionFigures {
  /** What was done, for whom reads the table. */
  readonly text: string;
  readonly rows: readonly Row[];
  readonly plots?: readonly Plot[];
}

/** One measured thing: samples per server. */
export interface Row {
  readonly title: string;
  readonly unit: string;
  readonly samples: Readonly<Record<string, readonly number[]>>;
  /** Whether more or less is better; less when it is not said. */
  readonly better?: 'less' | 'more';
  /** What keeps Sluice from being better. */
  readonly limit?: string;
  readonly aims?: readonly Aim[];
}

/** What a figure should be: `of`, or `of` divided by `by`, within bounds. */
export interface Aim {
  readonly text: string;
  readonly of: Figure;
  readonly by?: Figure;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** The median of a server, in the row of the aim or in another one of the same section. */
export interface Figure {
  /** A server, or the best of those that are neither Sluice nor a yardstick. */
  readonly server: string | 'best peer';
  /** The title of the row. */
  readonly row?: string;
}

/** A cost against a size, one line per server. */
export interface Plot {
  /** Names the file. */
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: Readonly<Record<string, readonly PlotPoint[]>>;
}

export interface PlotPoint {
  readonly x: number;
  readonly y: number;
}

export interface Axis {
  readonly label: string;
  readonly scale: 'linear' | 'log';
}

export const SLUICE = 'Sluice';

/** Stand in the table beside the servers, and are no peers: nothing is served by them. */
export const YARDSTICKS: readonly string[] = ['plain Node', 'own file'];
