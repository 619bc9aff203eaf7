import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { ConfigurationError, type Problem, shown } from './problem.ts';
import { ipPrefix } from './value-kinds.ts';

/** What is most harmful to block. */
export interface NeverBlock {
  /** In lower case, without final dot. */
  readonly names: readonly string[];
  /** Addresses and prefixes. */
  readonly prefixes: readonly string[];
}

/** Reads zones/never-block.txt. Throws a ConfigurationError with every line that is wrong. */
export function loadNeverBlock(directory: string): NeverBlock {
  const file = join(directory, 'never-block.txt');
  return parseNeverBlock(readText(file), file);
}

/** One name, address or prefix to a line; lines that are empty or begin with # say nothing. */
export function parseNeverBlock(text: string, file: string): NeverBlock {
  const names: string[] = [];
  const prefixes: string[] = [];
  const problems: Problem[] = [];
  const firstLines = new Map<string, number>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const refuse = (message: string): void => {
      const position = { line: index + 1, column: 1 };
      problems.push({ file, position, path: '', message: `${shown(line)} ${message}` });
    };
    const firstLine = firstLines.get(line);
    if (firstLine !== undefined) {
      refuse(`stands in line ${firstLine} already`);
      continue;
    }
    firstLines.set(line, index + 1);
    if (isAddressOrPrefix(line)) prefixes.push(line);
    else if (isHostName(line)) names.push(line);
    else refuse('is neither a name in lower case without final dot, nor an address, nor a prefix');
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { names, prefixes };
}

function isAddressOrPrefix(text: string): boolean {
  return (isIP(text) !== 0 && !text.includes('%')) || ipPrefix.parse(text).ok;
}

/** At least two labels (top-level domains are known by rule), the last of which is no number. */
function isHostName(text: string): boolean {
  const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
  const isName = new RegExp(`^(${label}\\.)+${label}$`).test(text);
  return isName && text.length <= 253 && !/\.\d+$/.test(text);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `cannot be read: ${why}`;
    throw new ConfigurationError([{ file, position: null, path: '', message }]);
  }
}
