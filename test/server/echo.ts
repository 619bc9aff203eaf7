import type { Handler } from '../../src/nameserver/handler-port.ts';

/** Answers with the query itself, QR set, always from the same buffer as a real handler may. */
export function echo(): Handler {
  const buffer = new Uint8Array(65_535);
  return (octets) => {
    buffer.set(octets);
    buffer[2] |= 0x80;
    return { kind: 'message', bytes: buffer.subarray(0, octets.length) };
  };
}
