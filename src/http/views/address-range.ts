import { IPv4CidrRange, IPv6CidrRange, RangedSet } from 'ip-num';

/** First and last address of a list entry, as a person reads them, and how many there are. */
export interface AddressRange {
  readonly first: string;
  readonly last: string;
  /** A decimal number; as text, since it may be above 2^53. */
  readonly addresses: string;
}

/** The range that an address, prefix or range in normal form stands for; null for a name. */
export function addressRange(value: string): AddressRange | null {
  const isIpv6 = value.includes(':');
  if (!(isIpv6 ? /^[0-9a-f:/-]+$/ : /^[0-9./-]+$/).test(value)) return null;
  const set = value.includes('-') ? RangedSet.fromRangeString(value) : prefixSet(value, isIpv6);
  return {
    first: set.getFirst().toString(),
    last: set.getLast().toString(),
    addresses: set.getSize().toString(),
  };
}

function prefixSet(value: string, isIpv6: boolean) {
  const prefix = value.includes('/') ? value : `${value}/${isIpv6 ? 128 : 32}`;
  return isIpv6
    ? RangedSet.fromCidrRange(IPv6CidrRange.fromCidr(prefix))
    : RangedSet.fromCidrRange(IPv4CidrRange.fromCidr(prefix));
}
