import { type ResourceRecord, RRTYPE } from '../../dns/index.ts';

/** RFC 5782 section 2.1: an entry has an A record in 127.0.0.0/8; the TXT beside it only gives reasons. */
export function isListed({ type, rdata }: ResourceRecord): boolean {
  return type === RRTYPE.A && rdata.length === 4 && rdata[0] === 127;
}

/**
 * The indicator that an owner of a DNSBL zone stands for: addresses with their parts reversed
 * (RFC 5782 sections 2.1 and 2.4), a wildcard for the prefix above, and else a name with all that is
 * below it (section 3). The test entries of section 5 list nobody.
 */
export function dnsblIndicatorText(owner: string): string | null {
  const isWildcard = owner.startsWith('*.');
  const labels = (isWildcard ? owner.slice(2) : owner).split('.');
  const parts = labels.toReversed();
  if (labels.length <= 4 && parts.every((part) => /^\d{1,3}$/.test(part))) {
    return ipv4Text(parts, isWildcard);
  }
  if (labels.length <= 32 && parts.every((part) => /^[0-9a-f]$/.test(part))) {
    return ipv6Text(parts, isWildcard);
  }
  return owner === 'test' || owner === 'invalid'
    ? null
    : `name:${isWildcard ? labels.join('.') : owner}`;
}

function ipv4Text(parts: readonly string[], isWildcard: boolean): string | null {
  if (isWildcard ? parts.length > 3 : parts.length !== 4) return null;
  const octets = [...parts, '0', '0', '0'].slice(0, 4);
  const text = octets.join('.');
  if (text === '127.0.0.2') return null;
  return `ip:${text}/${parts.length * 8}`;
}

function ipv6Text(parts: readonly string[], isWildcard: boolean): string | null {
  if (isWildcard ? parts.length > 31 : parts.length !== 32) return null;
  const nibbles = parts.join('').padEnd(32, '0');
  const groups = nibbles.match(/.{4}/g) ?? [];
  const text = groups.join(':');
  if (text === '0000:0000:0000:0000:0000:ffff:7f00:0002') return null;
  return `ip:${text}/${parts.length * 4}`;
}
