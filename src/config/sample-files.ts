import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readYaml } from './document.ts';
import type { Position, Problem } from './problem.ts';
import { readByTable } from './read-shape.ts';
import { readTargetFile, type SampleTarget } from './sample-target-file.ts';
import type { Shape, ValueOf } from './shape.ts';

/** A file that was read by a table, with the place of everything in it. */
export interface SampleFile<Known extends Shape> {
  readonly file: string;
  readonly value: ValueOf<Known>;
  readonly positions: ReadonlyMap<string, Position>;
}

const TARGET_FILES_MAX = 1000;

/** Reads every .txt file of a folder as a target, in the order of their names. */
export function readTargetFolder(directory: string, problems: Problem[]): SampleTarget[] {
  const names = attempt(directory, problems, () => readdirSync(directory)) ?? [];
  const files = names.filter((name) => name.endsWith('.txt')).sort();
  if (files.length > TARGET_FILES_MAX) {
    const message = `has ${files.length} targets, more than ${TARGET_FILES_MAX}`;
    problems.push({ file: directory, position: null, path: '', message });
    return [];
  }
  return files.flatMap((name) => {
    const file = join(directory, name);
    const text = attempt(file, problems, () => readFileSync(file, 'utf8'));
    if (text === null) return [];
    const read = readTargetFile(text, file);
    problems.push(...read.problems);
    return read.target === null ? [] : [read.target];
  });
}

/** Reads a YAML file by its table; null when it has problems. */
export function readSampleFile<Known extends Shape>(
  table: Known,
  file: string,
  problems: Problem[],
): SampleFile<Known> | null {
  const text = attempt(file, problems, () => readFileSync(file, 'utf8'));
  if (text === null) return null;
  const { root, problems: syntax } = readYaml(text);
  problems.push(...syntax.map((each) => ({ file, path: '', ...each })));
  if (root === null) return null;
  const { value, problems: found, positions } = readByTable(table, root, file);
  problems.push(...found);
  return value === null || found.length > 0 ? null : { file, value, positions };
}

function attempt<Value>(file: string, problems: Problem[], read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    problems.push({ file, position: null, path: '', message: `cannot be read: ${why}` });
    return null;
  }
}
