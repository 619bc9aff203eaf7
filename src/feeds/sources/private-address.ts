import { BlockList } from 'node:net';
import { formatIpv4, parseIpv4, parseIpv6 } from '../../dns/address.ts';
import { SPECIAL_RANGES } from '../../publish/safety/special-ranges.ts';

/**
 * What is no public host either, beside the special ranges that must not be blocked: multicast
 * (RFC 5771, RFC 4291), documentation (RFC 5737, RFC 3849, RFC 9637), site local (RFC 3879) and the
 * obsolete IPv4-compatible addresses (RFC 4291 section 2.5.5.1).
 */
const MORE_RANGES = [
  '224.0.0.0/4',
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  'ff00::/8',
  '2001:db8::/32',
  '3fff::/20',
  'fec0::/10',
  '::/96',
];

/** Its addresses stand for IPv4 addresses: they are what counts (RFC 6052 section 2.1). */
const TRANSLATION_PREFIX = '64:ff9b::/96';

const refused = new BlockList();
for (const prefix of [...SPECIAL_RANGES.map((range) => range.prefix), ...MORE_RANGES]) {
  if (prefix === TRANSLATION_PREFIX) continue;
  const [network = '', length] = prefix.split('/');
  refused.addSubnet(network, Number(length), network.includes(':') ? 'ipv6' : 'ipv4');
}

/**
 * Whether an address is private, loopback, link local or reserved, which a feed from outside has no
 * business at. So is what is no address at all, and one with a zone id. An IPv4-mapped address is
 * that IPv4 address.
 */
export function isPrivateAddress(text: string): boolean {
  if (parseIpv4(text) !== null) return refused.check(text, 'ipv4');
  const octets = parseIpv6(text);
  if (octets === null) return true;
  const embedded = embeddedIpv4(octets);
  return embedded === null ? refused.check(text, 'ipv6') : refused.check(embedded, 'ipv4');
}

const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);
const TRANSLATED = Uint8Array.of(0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0);

function embeddedIpv4(octets: Uint8Array): string | null {
  const beginsWith = (prefix: Uint8Array) => prefix.every((octet, at) => octets[at] === octet);
  return beginsWith(MAPPED) || beginsWith(TRANSLATED) ? formatIpv4(octets.subarray(12)) : null;
}
