/** One line of a feed while it is looked at; the same object at each call. */
export interface FeedLine {
  /** From 1. */
  readonly number: number;
  /** Where it stands in the octets, without its end. */
  readonly start: number;
  readonly end: number;
  /**
   * The line as Latin-1, so that a place in the text is a place in the octets. What formats are
   * made of is ASCII, which UTF-8 never uses for anything else. Empty when the line is too long.
   */
  readonly text: string;
  readonly isTooLong: boolean;
}

/** No format has longer ones; what is longer is not decoded. */
export const FEED_LINE_OCTETS_MAX = 65_536;
/** A slice of a longer string costs a third of a string of its own. */
const WINDOW_OCTETS = 4 * FEED_LINE_OCTETS_MAX;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Calls `visit` for each line and returns how many there are. */
export function visitLines(octets: Uint8Array, visit: (line: FeedLine) => void): number {
  const buffer = asBuffer(octets);
  const line = { number: 0, start: 0, end: 0, text: '', isTooLong: false };
  let window = '';
  let windowStart = 0;
  for (let start = textStart(octets); start < octets.length; ) {
    const lineFeed = buffer.indexOf(LINE_FEED, start);
    const next = lineFeed === -1 ? octets.length : lineFeed;
    line.number++;
    line.start = start;
    line.end = next > start && octets[next - 1] === CARRIAGE_RETURN ? next - 1 : next;
    line.isTooLong = line.end - start > FEED_LINE_OCTETS_MAX;
    if (line.isTooLong) line.text = '';
    else {
      if (line.end > windowStart + window.length) {
        windowStart = start;
        window = buffer.toString('latin1', start, Math.min(start + WINDOW_OCTETS, octets.length));
      }
      line.text = window.slice(start - windowStart, line.end - windowStart);
    }
    visit(line);
    start = next + 1;
  }
  return line.number;
}

/** How many lines there are, in the time that finding their ends takes. */
export function countLines(octets: Uint8Array): number {
  const buffer = asBuffer(octets);
  let lines = 0;
  for (let start = textStart(octets); start < octets.length; lines++) {
    const next = buffer.indexOf(LINE_FEED, start);
    start = next === -1 ? octets.length : next + 1;
  }
  return lines;
}

/** A byte order mark is no part of the first line (RFC 3629 section 6). */
export function textStart(octets: Uint8Array): number {
  return octets[0] === 0xef && octets[1] === 0xbb && octets[2] === 0xbf ? 3 : 0;
}

/** The same octets. */
export function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}
