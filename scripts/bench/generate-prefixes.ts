/** The content of an IP policy: always the same for the same number. */
export interface Prefixes {
  readonly blocked: readonly string[];
  readonly allowed: readonly string[];
}

/** Addresses of the first /8 that are used, and of the first for networks. */
const HOSTS_AT = 11 * 2 ** 24;
const NETWORKS_AT = 64 * 2 ** 24;
/** One of so many is allowed. */
const ALLOWED_EVERY = 20;
/** One of so many that are allowed lies inside of a network that is blocked. */
const INSIDE_EVERY = 100;

/**
 * 80 % IPv4 addresses, 10 % IPv4 networks (/24), 10 % IPv6 networks (/64), none beside another that it
 * would become one prefix with; one in twenty is allowed, and a few of those take an address out of a
 * blocked network.
 */
export function generatePrefixes(count: number): Prefixes {
  const blocked: string[] = [];
  const allowed: string[] = [];
  for (let index = 0; index < count; index++) {
    const isAllowed = index % ALLOWED_EVERY === ALLOWED_EVERY - 1;
    const isInside = isAllowed && index % (ALLOWED_EVERY * INSIDE_EVERY) === ALLOWED_EVERY - 1;
    if (isInside) allowed.push(`${formatIpv4(networkAt(index - (index % 10) + 8) + 77)}/32`);
    else (isAllowed ? allowed : blocked).push(prefixAt(index));
  }
  return { blocked, allowed };
}

/** Addresses that are in no such content: `round` makes them new each time. */
export function freshPrefixes(count: number, round: number): string[] {
  // Far apart from one another, so that each costs a transfer as much as one alone.
  return Array.from({ length: count }, (_, index) => {
    const slot = (round * 1_001 + index * 37) * 30;
    return `${formatIpv4(HOSTS_AT + slot * 4 + 3)}/32`;
  });
}

function prefixAt(index: number): string {
  const kind = index % 10;
  if (kind < 8) return `${formatIpv4(HOSTS_AT + index * 4 + (index % 3))}/32`;
  if (kind === 8) return `${formatIpv4(networkAt(index))}/24`;
  return `2a01:${(index >>> 16).toString(16)}:${(index & 0xffff).toString(16)}::/64`;
}

/** Each second /24. */
function networkAt(index: number): number {
  return NETWORKS_AT + Math.floor(index / 10) * 512;
}

function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}
