import { IPV4_OCTETS, IPV6_OCTETS } from '../dns/address.ts';
import { writeAddress } from '../dns/address-octets.ts';

/** A set of addresses, given as prefixes. */
export interface AddressRanges {
  readonly size: number;
  /** Whether the address in the first 4 or 16 octets is in one of them. */
  has(address: Uint8Array, octets: number): boolean;
}

/** From addresses and prefixes in text form; throws on what is neither. Looking one up allocates nothing. */
export function createAddressRanges(texts: readonly string[]): AddressRanges {
  const ranges = texts.map(parseRange);
  return {
    size: ranges.length,
    has(address, octets) {
      for (let i = 0; i < ranges.length; i += 1) {
        const { start, bits } = ranges[i];
        if (start.length === octets && sharesBits(start, address, bits)) return true;
      }
      return false;
    },
  };
}

interface Range {
  readonly start: Uint8Array;
  readonly bits: number;
}

function parseRange(text: string): Range {
  const [address = '', length] = text.split('/');
  const octets = new Uint8Array(IPV6_OCTETS);
  const count = writeAddress(address, octets);
  const bits = length === undefined ? count * 8 : Number(length);
  const isPrefix = count > 0 && Number.isInteger(bits) && bits >= 0 && bits <= count * 8;
  if (!isPrefix) throw new Error(`${text} is neither an IP address nor a prefix`);
  return { start: octets.slice(0, count === IPV4_OCTETS ? IPV4_OCTETS : IPV6_OCTETS), bits };
}

function sharesBits(one: Uint8Array, other: Uint8Array, bits: number): boolean {
  const whole = bits >>> 3;
  for (let i = 0; i < whole; i += 1) if (one[i] !== other[i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((one[whole] ^ other[whole]) & (0xff00 >>> rest) & 0xff) === 0;
}
