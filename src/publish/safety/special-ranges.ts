/** A block of addresses that no public host has, and what it is for. */
export interface SpecialRange {
  readonly prefix: string;
  readonly use: string;
}

/**
 * The special-purpose address registries of IANA (RFC 6890, brought up to date by RFC 8190): what is
 * inside a network, inside a host, or part of how networks work. To block any of it cuts off
 * something that no list of threats can know. The ranges for documentation (RFC 5737, RFC 3849,
 * RFC 9637) are left out on purpose: nothing real is there, and examples are made of them.
 */
export const SPECIAL_RANGES: readonly SpecialRange[] = [
  { prefix: '0.0.0.0/8', use: 'this network, RFC 791' },
  { prefix: '10.0.0.0/8', use: 'private use, RFC 1918' },
  { prefix: '100.64.0.0/10', use: 'shared address space of carriers, RFC 6598' },
  { prefix: '127.0.0.0/8', use: 'loopback, RFC 1122' },
  { prefix: '169.254.0.0/16', use: 'link local, RFC 3927' },
  { prefix: '172.16.0.0/12', use: 'private use, RFC 1918' },
  { prefix: '192.0.0.0/24', use: 'IETF protocol assignments, RFC 6890' },
  { prefix: '192.31.196.0/24', use: 'AS112, RFC 7535' },
  { prefix: '192.52.193.0/24', use: 'multicast tunnels, RFC 7450' },
  { prefix: '192.88.99.0/24', use: 'formerly 6to4 relays, RFC 7526' },
  { prefix: '192.168.0.0/16', use: 'private use, RFC 1918' },
  { prefix: '192.175.48.0/24', use: 'AS112, RFC 7534' },
  { prefix: '198.18.0.0/15', use: 'benchmarking, RFC 2544' },
  { prefix: '240.0.0.0/4', use: 'reserved, RFC 1112' },
  { prefix: '::/128', use: 'unspecified address, RFC 4291' },
  { prefix: '::1/128', use: 'loopback, RFC 4291' },
  { prefix: '64:ff9b::/96', use: 'translation from IPv4, RFC 6052' },
  { prefix: '64:ff9b:1::/48', use: 'local translation from IPv4, RFC 8215' },
  { prefix: '100::/64', use: 'discard only, RFC 6666' },
  { prefix: '2001::/23', use: 'IETF protocol assignments, RFC 2928' },
  { prefix: '2002::/16', use: '6to4, RFC 3056' },
  { prefix: '2620:4f:8000::/48', use: 'AS112, RFC 7534' },
  { prefix: '5f00::/16', use: 'segment routing, RFC 9602' },
  { prefix: 'fc00::/7', use: 'unique local, RFC 4193' },
  { prefix: 'fe80::/10', use: 'link local, RFC 4291' },
];
