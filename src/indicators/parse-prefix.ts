import { isIpv4Mapped, parseIpv4, parseIpv6 } from '../dns/address.ts';
import { compareWords, prefixesOfRange, prefixKey, readWords } from './prefix.ts';
import { type Rejection, reject } from './rejection.ts';

export interface PrefixValue {
  readonly ok: true;
  /** Prefix length, then the network address; rising and disjoint, several only for a range. */
  readonly keys: readonly Uint8Array[];
}

/**
 * Reads an address, a prefix (`192.0.2.0/24`; host bits are cleared) or a range
 * (`192.0.2.10-192.0.2.20`, blanks around the hyphen allowed) as the fewest prefixes. What lies in
 * ::ffff:0:0/96 is IPv4. Lengths that are too short are the caller's question.
 */
export function parsePrefixValue(text: string): PrefixValue | Rejection {
  if (text === '') return reject('empty');
  if (text.includes('-')) return parseRange(text);
  const slash = text.indexOf('/');
  const address = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === null) return reject('bad-address');
  const bits = address.length * 8;
  const length = slash === -1 ? bits : parsePrefixLength(text.slice(slash + 1), bits);
  if (length === null) return reject('bad-prefix-length');
  return { ok: true, keys: [prefixKey(wordsOf(address), length)] };
}

function parseRange(text: string): PrefixValue | Rejection {
  const ends = text.split('-');
  if (ends.length !== 2) return reject('bad-range');
  const first = parseRangeEnd(ends[0]);
  const last = parseRangeEnd(ends[1]);
  if (first === null || last === null) return reject('bad-address');
  if (first.length !== last.length || compareWords(first, last) > 0) return reject('bad-range');
  const keys: Uint8Array[] = [];
  prefixesOfRange(first, last, (words, length) => keys.push(prefixKey(words, length)));
  return { ok: true, keys };
}

/** An IPv4-mapped end is IPv4, so that no range has ends of two families. */
function parseRangeEnd(text: string): Uint32Array | null {
  const address = parseAddress(text.trim());
  if (address === null) return null;
  return wordsOf(address.length === 16 && isIpv4Mapped(address) ? address.subarray(12) : address);
}

function parseAddress(text: string): Uint8Array | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parsePrefixLength(text: string, bitsMax: number): number | null {
  // No leading zeros: some programs read them as octal, as in addresses.
  return /^(?:0|[1-9]\d{0,2})$/.test(text) && Number(text) <= bitsMax ? Number(text) : null;
}

function wordsOf(address: Uint8Array): Uint32Array {
  const words = new Uint32Array(address.length / 4);
  readWords(address, 0, words);
  return words;
}
