import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

/** What the source of a target says of one of its indicators. */
export interface MemberNote {
  /** As `formatIndicator` writes it. */
  readonly indicator: string;
  /** Empty when there is none. */
  readonly comment: string;
  /** Unix milliseconds; null for never. */
  readonly expiresAt: number | null;
  /** 0 to 100; null when it does not say. */
  readonly confidence: number | null;
}

/** Notes at a time: about a millisecond, then everything else has its turn. */
const SLICE = 1_000;
/** What somebody wrote about one indicator; the rest is cut off. */
const COMMENT_LENGTH_MAX = 500;
/** Of the lines of one target; more would have to come from a database that we did not write. */
const OCTETS_MAX = 512 * 1024 * 1024;

const NEW_LINE = 0x0a;
const compress = promisify(gzip);
const decompress = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip);

/** Notes for the database: JSON lines, compressed. Equal notes in equal order give equal octets. */
export async function encodeNotes(notes: readonly MemberNote[]): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for (let from = 0; from < notes.length; from += SLICE) {
    parts.push(
      Buffer.from(
        notes
          .slice(from, from + SLICE)
          .map(noteLine)
          .join(''),
      ),
    );
    await nextTurn();
  }
  return compress(Buffer.concat(parts));
}

/** Reads what `encodeNotes` wrote, note by note, with everything else in between. */
export async function visitNotes(
  bytes: Uint8Array,
  visit: (note: MemberNote) => void,
): Promise<void> {
  const lines = await decompress(bytes, { maxOutputLength: OCTETS_MAX });
  let seen = 0;
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf(NEW_LINE, at);
    visit(JSON.parse(lines.toString('utf8', at, end)) as MemberNote);
    at = end + 1;
    if (++seen % SLICE === 0) await nextTurn();
  }
}

/** The note about one indicator, without reading the others; null when there is none. */
export async function findNote(bytes: Uint8Array, indicator: string): Promise<MemberNote | null> {
  const lines = await decompress(bytes, { maxOutputLength: OCTETS_MAX });
  // Quotation marks in a text are escaped, so that only the beginning of a line looks like this.
  const at = lines.indexOf(`{"indicator":${JSON.stringify(indicator)},`);
  if (at < 0) return null;
  return JSON.parse(lines.toString('utf8', at, lines.indexOf(NEW_LINE, at))) as MemberNote;
}

function noteLine({ indicator, comment, expiresAt, confidence }: MemberNote): string {
  const shown = comment.slice(0, COMMENT_LENGTH_MAX);
  return `${JSON.stringify({ indicator, comment: shown, expiresAt, confidence })}\n`;
}
