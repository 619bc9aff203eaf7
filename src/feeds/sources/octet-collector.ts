import { grownUint8 } from '../../indicators/growable.ts';

/** Octets that come in pieces, gathered in one buffer. */
export interface OctetCollector {
  /** How many there are. */
  readonly length: number;
  add(piece: Uint8Array): void;
  /** All of them; nothing can be added afterwards. */
  take(): Uint8Array;
}

/**
 * Copies each piece at once, so that it is short-lived: thousands of pieces of 64 KB that stay until
 * the end leave a heap full of holes behind, which the process does not give back. `expected` is a
 * guess, and costs nothing but address space until it is used.
 */
export function collectOctets(expected: number): OctetCollector {
  let octets = new Uint8Array(expected);
  let length = 0;
  return {
    get length() {
      return length;
    },
    add(piece) {
      octets = grownUint8(octets, length + piece.length);
      octets.set(piece, length);
      length += piece.length;
    },
    take() {
      const all = octets.subarray(0, length);
      octets = new Uint8Array(0);
      return all;
    },
  };
}
