/** One export as it is sent: where it comes from is settled, its content is made while it is read. */
export interface ExportDocument {
  readonly mediaType: string;
  readonly fileName: string;
  /** Equal for equal content: what a strong ETag is made of (RFC 9110 section 8.8.3). */
  readonly validator: string;
  pieces(): Pieces;
}

/**
 * A content in pieces that each take a few milliseconds at most. A piece may be overwritten when the
 * next is asked for: millions of fresh buffers would be more work for the memory than for the rest.
 */
export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Octets of one piece. */
const PIECE_OCTETS = 64 * 1024;
/** A character of UTF-8 that is one of JavaScript's takes 3 octets at most, and a line may stand over. */
const ROOM_OCTETS = 4 * PIECE_OCTETS;

/** Gathers texts into pieces. */
export function* piecesOf(texts: Iterable<string>): Generator<Uint8Array> {
  const room = reusedRoom();
  let text = '';
  for (const next of texts) {
    text += next;
    if (text.length < PIECE_OCTETS) continue;
    yield encode(text, room);
    text = '';
  }
  if (text !== '') yield encode(text, room);
}

/** Gives the same room again and again, and one of its own for what is larger. */
export function reusedRoom(): (octets: number) => Uint8Array {
  const room = Buffer.allocUnsafe(ROOM_OCTETS);
  return (octets) => (octets <= room.length ? room.subarray(0, octets) : Buffer.alloc(octets));
}

function encode(text: string, room: (octets: number) => Uint8Array): Uint8Array {
  const octets = Buffer.byteLength(text);
  const into = room(octets);
  encoder.encodeInto(text, into);
  return into;
}

const encoder = new TextEncoder();
