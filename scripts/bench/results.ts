import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Machine } from './machine.ts';
import type { SectionFigures } from './section.ts';

/** Figures of one section, with what they belong to. */
export interface SectionResult extends SectionFigures {
  readonly title: string;
  /** The command that makes them anew. */
  readonly command: string;
  readonly commit: string;
  /** In UTC, to the minute. */
  readonly date: string;
  readonly rules: number;
  readonly rounds: number;
  readonly seconds: number;
  /** What others took of the machine meanwhile, 0 to 1. */
  readonly othersShare?: number;
  readonly machine: Machine;
}

/** By the name of the section. */
export type Results = Readonly<Record<string, SectionResult>>;

export function readResults(path: string): Results {
  if (!existsSync(path)) return {};
  return (JSON.parse(readFileSync(path, 'utf8')) as { sections: Results }).sections;
}

/** Puts figures in the place of those that the section had before; the sections stay in the order of `names`. */
export function mergeResult(
  results: Results,
  name: string,
  result: SectionResult,
  names: readonly string[],
): Results {
  const merged: Record<string, SectionResult> = { ...results, [name]: result };
  const known = names.filter((section) => section in merged);
  const others = Object.keys(merged).filter((section) => !names.includes(section));
  return Object.fromEntries([...known, ...others].map((section) => [section, merged[section]]));
}

export function writeResults(path: string, sections: Results): void {
  writeFileSync(path, `${JSON.stringify({ sections }, roundSample, 1)}\n`);
}

/** No sample is so exact that more than five digits of it say anything. */
function roundSample(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value)
    ? Number(value.toPrecision(5))
    : value;
}
