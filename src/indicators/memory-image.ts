/**
 * Numbers and arrays as they lie in memory, one after the other in the order in which they are
 * written, and read in the same order. What keeps them (a file) sees octets only.
 */
export interface MemoryImage {
  readonly numbers: readonly number[];
  readonly parts: readonly ImagePart[];
}

export interface ImagePart {
  /** Little-endian, as on every machine that Node runs on. Aligned to words when read. */
  readonly octets: Uint8Array;
  /** Octets of zeros that whoever reads it leaves behind it, so that it need not be copied to grow. */
  readonly room: number;
}

export interface ImageWriter {
  number(value: number): void;
  /** Keeps the array itself, not a copy. */
  array(array: Uint8Array | Uint32Array, use: 'grows' | 'stays'): void;
}

/** Reads what was written, and throws where there is something else. */
export interface ImageReader {
  number(): number;
  /** So many words, and room behind them if the array grows. */
  words(count: number): Uint32Array<ArrayBuffer>;
  /** So many octets, and room behind them if the array grows; without a number, however many there are. */
  octets(count?: number): Uint8Array<ArrayBuffer>;
}

/** An array that grows is read back with this much more room, */
const ROOM_SHARE = 1 / 8;
/** each with a little more than the one before, so that they do not grow at the same time. */
const ROOM_STEP = 1 / 64;
const ROOM_STEPS = 8;
/** And at least this much. */
const ROOM_OCTETS_MIN = 4 * 1024;
const WORD_OCTETS = 4;

export function createImageWriter(): ImageWriter & { readonly image: MemoryImage } {
  const numbers: number[] = [];
  const parts: ImagePart[] = [];
  return {
    image: { numbers, parts },
    number: (value) => void numbers.push(value),
    array({ buffer, byteOffset, byteLength }, use) {
      const octets = new Uint8Array(buffer, byteOffset, byteLength);
      const share = ROOM_SHARE + (parts.length % ROOM_STEPS) * ROOM_STEP;
      const room = Math.max(ROOM_OCTETS_MIN, byteLength * share);
      parts.push({
        octets,
        room: use === 'stays' ? 0 : Math.ceil(room / WORD_OCTETS) * WORD_OCTETS,
      });
    },
  };
}

/** `parts` are those of an image with their room behind them, each in a buffer of its own. */
export function createImageReader(
  numbers: readonly number[],
  parts: readonly { readonly buffer: ArrayBuffer; readonly octets: number }[],
): ImageReader {
  let [number, part] = [0, 0];
  const next = (octets?: number): ArrayBuffer => {
    const found = parts[part++];
    if (found === undefined || (octets !== undefined && found.octets !== octets))
      throw new Error(
        `part ${part} of the image has ${found?.octets} octets, it must have ${octets}`,
      );
    return found.buffer;
  };
  return {
    number() {
      const value = numbers[number++];
      if (value === undefined) throw new Error(`the image has no number ${number}`);
      return value;
    },
    words: (count) => new Uint32Array(next(count * WORD_OCTETS)),
    octets: (count) => new Uint8Array(next(count)),
  };
}
