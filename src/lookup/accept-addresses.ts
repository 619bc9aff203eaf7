import { formatIpv4, formatIpv6, isIpv4Mapped, parseIpv4, parseIpv6 } from '../dns/index.ts';

/** Addresses of one family that are taken from an answer. */
const ADDRESSES_PER_FAMILY_MAX = 16;

export interface AcceptedAnswer {
  /** In their canonical text form, in the order of their octets. */
  readonly addresses: readonly string[];
  /** The shortest of the answer, in seconds. */
  readonly ttl: number;
  /** Addresses that were left out: not of a single host, or more than are taken. */
  readonly refused: number;
}

/**
 * What of an answer is taken: addresses of single hosts, so many of them at most. The order of an
 * answer means nothing (RFC 1794), so they are sorted, and which are taken does not change with it.
 */
export function acceptAddresses(
  answer: readonly { readonly address: string; readonly ttl: number }[],
): AcceptedAnswer {
  const usable = new Set(answer.flatMap(({ address }) => unicastText(address) ?? []));
  const addresses = [...usable].sort().slice(0, ADDRESSES_PER_FAMILY_MAX);
  return {
    addresses,
    ttl: answer.reduce((shortest, { ttl }) => Math.min(shortest, ttl), Number.MAX_SAFE_INTEGER),
    refused: answer.length - addresses.length,
  };
}

/** Null when it is no address of a single host. An IPv4-mapped address is that IPv4 address. */
function unicastText(text: string): string | null {
  const octets = parseIpv4(text) ?? parseIpv6(text);
  if (octets === null) return null;
  const address = octets.length === 16 && isIpv4Mapped(octets) ? octets.subarray(12) : octets;
  if (address.every((octet) => octet === 0)) return null;
  // RFC 1112 section 4 and RFC 5771: 224.0.0.0/4 is multicast, 240.0.0.0/4 reserved or broadcast.
  if (address.length === 4) return address[0]! < 224 ? formatIpv4(address) : null;
  // RFC 4291 section 2.7: ff00::/8 is multicast.
  return address[0] === 0xff ? null : formatIpv6(address);
}
