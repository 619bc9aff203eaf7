import { formatIpv4, formatIpv6, IPV4_OCTETS, IPV6_OCTETS } from '../dns/address.ts';
import { plainAddress } from './client-address.ts';

/** What the octets that something begins with are, as a header of the PROXY protocol, version 2. */
export type ProxyHeader =
  /** The beginning of a header, as far as it goes. */
  | { readonly kind: 'partial' }
  | { readonly kind: 'malformed' }
  | {
      readonly kind: 'header';
      /** What follows begins here. */
      readonly octets: number;
      /** The client that the proxy speaks for; null when it speaks for itself or does not say. */
      readonly source: { readonly address: string; readonly port: number } | null;
    };

/**
 * The protocol allows 65,551 octets, and says that senders keep below one TCP segment: this is
 * room for addresses and several additional fields.
 */
export const PROXY_HEADER_OCTETS_MAX = 4_096;

// The PROXY protocol, versions 1 & 2 (haproxy.org, doc/proxy-protocol.txt), section 2.2.
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED_OCTETS = 16;
const VERSION_AND_COMMAND = 12;
const FAMILY_AND_TRANSPORT = 13;
const LENGTH = 14;

const VERSION = 2;
const COMMAND = { LOCAL: 0, PROXY: 1 } as const;
const FAMILY = { UNSPEC: 0, INET: 1, INET6: 2, UNIX: 3 } as const;
const TRANSPORT = { UNSPEC: 0, STREAM: 1, DGRAM: 2 } as const;

const PORT_OCTETS = 2;
const MALFORMED: ProxyHeader = { kind: 'malformed' };
const PARTIAL: ProxyHeader = { kind: 'partial' };

/**
 * Reads the header at the beginning of `octets`. The transport that it names is not compared with
 * ours: a balancer may take queries over one and pass them on over another. Additional fields (TLVs)
 * are skipped, a checksum among them.
 */
export function parseProxyHeader(octets: Uint8Array): ProxyHeader {
  const compared = Math.min(octets.length, SIGNATURE.length);
  for (let i = 0; i < compared; i += 1) if (octets[i] !== SIGNATURE[i]) return MALFORMED;
  if (octets.length > VERSION_AND_COMMAND && !isKnownCommand(octets[VERSION_AND_COMMAND])) {
    return MALFORMED;
  }
  if (octets.length > FAMILY_AND_TRANSPORT && !isKnownFamily(octets[FAMILY_AND_TRANSPORT])) {
    return MALFORMED;
  }
  if (octets.length < FIXED_OCTETS) return PARTIAL;
  const end = FIXED_OCTETS + ((octets[LENGTH] << 8) | octets[LENGTH + 1]);
  if (end > PROXY_HEADER_OCTETS_MAX) return MALFORMED;
  const command = octets[VERSION_AND_COMMAND] & 0x0f;
  const family = octets[FAMILY_AND_TRANSPORT] >> 4;
  const isStated =
    command === COMMAND.PROXY && (octets[FAMILY_AND_TRANSPORT] & 0x0f) !== TRANSPORT.UNSPEC;
  const addressOctets = isStated ? addressOctetsOf(family) : 0;
  if (end < FIXED_OCTETS + 2 * (addressOctets + (addressOctets > 0 ? PORT_OCTETS : 0))) {
    return MALFORMED;
  }
  if (octets.length < end) return PARTIAL;
  return { kind: 'header', octets: end, source: readSource(octets, addressOctets) };
}

/** Other versions and commands must be refused. */
function isKnownCommand(octet: number): boolean {
  return octet >> 4 === VERSION && (octet & 0x0f) <= COMMAND.PROXY;
}

/** Other families and transports must be refused. */
function isKnownFamily(octet: number): boolean {
  return octet >> 4 <= FAMILY.UNIX && (octet & 0x0f) <= TRANSPORT.DGRAM;
}

/** Of addresses that clients of DNS can have; whatever else is stated counts as not stated. */
function addressOctetsOf(family: number): number {
  if (family === FAMILY.INET) return IPV4_OCTETS;
  return family === FAMILY.INET6 ? IPV6_OCTETS : 0;
}

/** Source and destination address, then source and destination port. */
function readSource(
  octets: Uint8Array,
  addressOctets: number,
): { address: string; port: number } | null {
  if (addressOctets === 0) return null;
  const address = octets.subarray(FIXED_OCTETS, FIXED_OCTETS + addressOctets);
  const port = FIXED_OCTETS + 2 * addressOctets;
  return {
    address: plainAddress(
      addressOctets === IPV4_OCTETS ? formatIpv4(address) : formatIpv6(address),
    ),
    port: (octets[port] << 8) | octets[port + 1],
  };
}
