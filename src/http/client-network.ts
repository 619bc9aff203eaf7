import { isIpv4Mapped, parseIpv6 } from '../dns/address.ts';

/** Octets of an IPv6 address that tell sites apart: one site has a whole /64 (RFC 7421 section 1). */
const SITE_OCTETS = 8;

/** What attempts of one client are counted under: its IPv4 address, or its IPv6 /64. */
export function clientNetwork(address: string): string {
  const octets = parseIpv6(address.split('%')[0]!);
  if (octets === null) return address;
  if (isIpv4Mapped(octets)) return octets.subarray(12).join('.');
  return `${Buffer.from(octets.subarray(0, SITE_OCTETS)).toString('hex')}::/64`;
}
