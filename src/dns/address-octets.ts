import { IPV4_OCTETS, IPV6_OCTETS } from './address.ts';

const DOT = 0x2e;
const COLON = 0x3a;

/**
 * Writes an IP address given as text, as sockets name their peers, into the octets from 0 on and
 * returns how many: 4, 16, or 0 for anything else. An IPv4 address within an IPv6 one is not read.
 * It is asked for every datagram and allocates nothing; parseIpv4 and parseIpv6 are for what people
 * write.
 */
export function writeAddress(text: string, into: Uint8Array): number {
  for (let i = 0; i < text.length && i <= IPV4_OCTETS; i += 1) {
    const code = text.charCodeAt(i);
    if (code === DOT) return writeIpv4(text, into);
    if (code === COLON) return writeIpv6(text, into);
  }
  return 0;
}

function writeIpv4(text: string, into: Uint8Array): number {
  let octet = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i <= text.length; i += 1) {
    const code = i === text.length ? DOT : text.charCodeAt(i);
    if (code === DOT) {
      if (digits === 0 || octet === IPV4_OCTETS) return 0;
      into[octet] = value;
      octet += 1;
      digits = 0;
      value = 0;
      continue;
    }
    // No leading zeros, which some programs read as octal.
    if (digits > 0 && value === 0) return 0;
    value = value * 10 + code - 0x30;
    digits += 1;
    if (code < 0x30 || code > 0x39 || digits > 3 || value > 255) return 0;
  }
  return octet === IPV4_OCTETS ? IPV4_OCTETS : 0;
}

function writeIpv6(text: string, into: Uint8Array): number {
  let end = 0;
  /** Where the zeros of `::` go. */
  let gap = -1;
  let i = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return 0;
    gap = 0;
    i = 2;
  }
  while (i < text.length) {
    let digits = 0;
    let value = 0;
    while (i < text.length && text.charCodeAt(i) !== COLON) {
      const digit = hexDigit(text.charCodeAt(i));
      digits += 1;
      if (digit < 0 || digits > 4) return 0;
      value = value * 16 + digit;
      i += 1;
    }
    if (digits === 0 || end === IPV6_OCTETS) return 0;
    into[end] = value >>> 8;
    into[end + 1] = value;
    end += 2;
    if (i === text.length) break;
    i += 1;
    if (text.charCodeAt(i) === COLON) {
      if (gap !== -1) return 0;
      gap = end;
      i += 1;
    } else if (i === text.length) return 0;
  }
  if (gap === -1) return end === IPV6_OCTETS ? IPV6_OCTETS : 0;
  if (end === IPV6_OCTETS) return 0;
  into.copyWithin(IPV6_OCTETS - (end - gap), gap, end);
  into.fill(0, gap, IPV6_OCTETS - (end - gap));
  return IPV6_OCTETS;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
