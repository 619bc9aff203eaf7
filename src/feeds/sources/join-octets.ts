/** Pieces one behind the other; `octets` is their sum. */
export function joinOctets(pieces: readonly Uint8Array[], octets: number): Uint8Array {
  const joined = new Uint8Array(octets);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

const NEWLINE = Uint8Array.of(0x0a);
const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf);

/**
 * Several texts as one: each begins on a line of its own and without a byte order mark. The first
 * keeps its mark, as a text that is alone does.
 */
export function joinTexts(texts: readonly Uint8Array[]): Uint8Array {
  if (texts.length === 1) return texts[0]!;
  const pieces: Uint8Array[] = [];
  for (const text of texts) {
    const last = pieces.at(-1);
    if (last !== undefined && last.at(-1) !== NEWLINE[0]) pieces.push(NEWLINE);
    const piece = pieces.length === 0 ? text : withoutMark(text);
    if (piece.length > 0) pieces.push(piece);
  }
  return joinOctets(
    pieces,
    pieces.reduce((sum, piece) => sum + piece.length, 0),
  );
}

function withoutMark(text: Uint8Array): Uint8Array {
  const isMarked = BYTE_ORDER_MARK.every((octet, at) => text[at] === octet);
  return isMarked ? text.subarray(BYTE_ORDER_MARK.length) : text;
}
