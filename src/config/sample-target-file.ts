import type { TargetAttributes } from '../policy/model.ts';
import type { DocumentNode, Entry } from './document.ts';
import type { Problem } from './problem.ts';
import { readByTable } from './read-shape.ts';
import { TARGET_HEADER } from './sample-tables.ts';

/** A target as its file has it. */
export interface SampleTarget {
  readonly name: string;
  readonly description: string;
  readonly attributes: TargetAttributes;
  readonly supportsAllow: boolean;
  readonly partner: boolean;
  /** The file whole, its header being comments, so that line numbers of rejections are the file's. */
  readonly lines: string;
  /** The file's name, for messages. */
  readonly file: string;
}

/** One attribute: `# severity: 4`. The header ends at the first line of another form. */
const HEADER_LINE = /^#\s*([A-Za-z]+):\s*(.*?)\s*$/d;

export function readTargetFile(
  lines: string,
  file: string,
): { target: SampleTarget | null; problems: readonly Problem[] } {
  const { value, problems } = readByTable(TARGET_HEADER, headerOf(lines), file);
  if (value === null) return { target: null, problems };
  const { name, description, supportsAllow, partner, ...attributes } = value;
  const target = { name, description, attributes, supportsAllow, partner, lines, file };
  return { target, problems };
}

function headerOf(lines: string): DocumentNode {
  const entries: Entry[] = [];
  for (const [index, line] of lines.split('\n').entries()) {
    const match = HEADER_LINE.exec(line);
    if (match === null) break;
    const [, key, text] = match;
    const at = (group: number) => ({
      line: index + 1,
      column: (match.indices?.[group]?.[0] ?? 0) + 1,
    });
    const value: DocumentNode =
      text === '' ? { kind: 'empty', position: at(2) } : { kind: 'scalar', position: at(2), text };
    entries.push({ key, position: at(1), value });
  }
  return { kind: 'map', position: { line: 1, column: 1 }, entries };
}
