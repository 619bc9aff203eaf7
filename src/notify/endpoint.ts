import {
  formatIpv4,
  formatIpv6,
  IPV6_OCTETS,
  isIpv4Mapped,
  parseIpv4,
  parseIpv6,
} from '../dns/index.ts';

export interface CanonicalAddress {
  readonly family: 4 | 6;
  readonly text: string;
}

/**
 * One text per address, so that who answered can be compared with who was asked; an IPv4-mapped
 * address is IPv4. Null when it is no address. Link-local addresses have no zone id here, and so
 * cannot be told apart or sent to.
 */
export function canonicalAddress(address: string): CanonicalAddress | null {
  const octets = parseIpv4(address) ?? parseIpv6(address);
  if (octets === null) return null;
  if (octets.length !== IPV6_OCTETS) return { family: 4, text: formatIpv4(octets) };
  return isIpv4Mapped(octets)
    ? { family: 4, text: formatIpv4(octets.subarray(12)) }
    : { family: 6, text: formatIpv6(octets) };
}
