import { parseIpv4, parseIpv6 } from '../dns/address.ts';

/** A source prefix ready to be compared: the address octets and how many bits of them count. */
export interface SourcePrefix {
  readonly address: Uint8Array;
  readonly length: number;
}

/** Reads `192.0.2.0/24`, `2001:db8::/32` or a single address; null when it is neither. */
export function parseSourcePrefix(text: string): SourcePrefix | null {
  const [addressText = '', lengthText, ...rest] = text.split('/');
  const address = parseIpv4(addressText) ?? parseIpv6(addressText);
  if (address === null || rest.length > 0) return null;
  const bits = address.length * 8;
  const length = lengthText === undefined ? bits : Number(lengthText);
  if (!Number.isInteger(length) || length < 0 || length > bits) return null;
  return { address, length };
}

export function prefixHolds(prefix: SourcePrefix, address: Uint8Array): boolean {
  if (prefix.address.length !== address.length) return false;
  const whole = prefix.length >> 3;
  for (let octet = 0; octet < whole; octet++) {
    if (prefix.address[octet] !== address[octet]) return false;
  }
  const rest = prefix.length & 7;
  return rest === 0 || (prefix.address[whole] ^ address[whole]) >> (8 - rest) === 0;
}
