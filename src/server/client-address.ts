import { parseIpv6 } from '../dns/index.ts';

const IPV6_SITE_OCTETS = 8;

/** An address as peers are shown: no zone id, and IPv4 in place of an IPv4-mapped address. */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  const zone = address.indexOf('%');
  const bare = zone === -1 ? address : address.slice(0, zone);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  return mapped === null ? bare : mapped[1];
}

/** What limits per client count by: the address, and of IPv6 the first 64 bits. */
export function clientOf(plain: string): string {
  const octets = plain.includes(':') ? parseIpv6(plain) : null;
  return octets === null
    ? plain
    : Buffer.from(octets.subarray(0, IPV6_SITE_OCTETS)).toString('hex');
}
