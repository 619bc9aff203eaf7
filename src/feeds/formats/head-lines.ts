import { asBuffer, textStart } from './feed-lines.ts';

/** Enough to get past the longest headers of comments. */
const LINES_MAX = 4000;
const OCTETS_MAX = 262_144;
const LINE_CHARACTERS_MAX = 4096;

/** The first lines that are not empty, without blanks around them, cut. */
export function headLines(octets: Uint8Array): readonly string[] {
  const start = textStart(octets);
  const head = asBuffer(octets).toString(
    'utf8',
    start,
    Math.min(octets.length, start + OCTETS_MAX),
  );
  const lines: string[] = [];
  for (let at = 0; at < head.length && lines.length < LINES_MAX; ) {
    const lineFeed = head.indexOf('\n', at);
    const end = lineFeed === -1 ? head.length : lineFeed;
    const line = head.slice(at, Math.min(end, at + LINE_CHARACTERS_MAX)).trim();
    if (line !== '') lines.push(line);
    at = end + 1;
  }
  return lines;
}
