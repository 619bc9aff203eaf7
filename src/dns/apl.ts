import { formatIpv4, formatIpv6, IPV4_OCTETS, IPV6_OCTETS } from './address.ts';

/** One item of an APL record (RFC 3123 section 4). `address` has all its 4 or 16 octets. */
export interface AplItem {
  /** IANA address family: 1 IPv4, 2 IPv6. */
  readonly family: 1 | 2;
  readonly prefixLength: number;
  readonly negated: boolean;
  readonly address: Uint8Array;
}

/** Family, prefix, negation and length, then a whole IPv6 address. */
export const APL_ITEM_OCTETS_MAX = 4 + IPV6_OCTETS;

const NEGATED_BIT = 0x80;

/**
 * Writes one item and returns the offset behind it; allocates nothing, so that a page of prefixes
 * is a loop over this. Trailing zero octets of the address are left out (RFC 3123 section 4.1).
 */
export function writeAplItem(
  into: Uint8Array,
  offset: number,
  { family, prefixLength, negated, address }: AplItem,
): number {
  let octets = family === 1 ? IPV4_OCTETS : IPV6_OCTETS;
  while (octets > 0 && address[octets - 1] === 0) octets -= 1;
  into[offset] = 0;
  into[offset + 1] = family;
  into[offset + 2] = prefixLength;
  into[offset + 3] = negated ? NEGATED_BIT | octets : octets;
  for (let i = 0; i < octets; i += 1) into[offset + 4 + i] = address[i];
  return offset + 4 + octets;
}

export function encodeApl(items: readonly AplItem[]): Uint8Array {
  const rdata = new Uint8Array(items.length * APL_ITEM_OCTETS_MAX);
  let end = 0;
  for (const item of items) end = writeAplItem(rdata, end, item);
  return rdata.slice(0, end);
}

/**
 * Null for what RFC 3123 section 4 forbids (prefix or address too long, a trailing zero octet) and
 * for address families that it does not define.
 */
export function decodeApl(octets: Uint8Array, start: number, end: number): AplItem[] | null {
  const items: AplItem[] = [];
  let position = start;
  while (position < end) {
    if (position + 4 > end || octets[position] !== 0) return null;
    const family = octets[position + 1];
    const prefixLength = octets[position + 2];
    const negated = (octets[position + 3] & NEGATED_BIT) !== 0;
    const length = octets[position + 3] & ~NEGATED_BIT;
    position += 4;
    if (family !== 1 && family !== 2) return null;
    const full = family === 1 ? IPV4_OCTETS : IPV6_OCTETS;
    if (prefixLength > 8 * full || length > full || position + length > end) return null;
    if (length > 0 && octets[position + length - 1] === 0) return null;
    const address = new Uint8Array(full);
    for (let i = 0; i < length; i += 1) address[i] = octets[position + i];
    items.push({ family, prefixLength, negated, address });
    position += length;
  }
  return items;
}

/** RFC 3123 section 5: `[!]afi:address/prefix`. */
export function formatAplItem({ family, prefixLength, negated, address }: AplItem): string {
  const text = family === 1 ? formatIpv4(address) : formatIpv6(address);
  return `${negated ? '!' : ''}${family}:${text}/${prefixLength}`;
}
