import { BlockList, isIPv6 } from 'node:net';

/** The load balancers whose PROXY headers are believed. */
export interface Proxies {
  /** Of an address as peers are shown. */
  includes(plain: string): boolean;
}

const NOBODY: Proxies = { includes: () => false };

/** From addresses and prefixes such as 192.0.2.0/24 and 2001:db8::1. */
export function createProxies(prefixes: readonly string[]): Proxies {
  if (prefixes.length === 0) return NOBODY;
  const listed = new BlockList();
  for (const prefix of prefixes) {
    const [address, length] = prefix.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (length === undefined) listed.addAddress(address, family);
    else listed.addSubnet(address, Number(length), family);
  }
  // Datagrams come from a few balancers again and again, and looking up costs as much as answering.
  let lastAddress = '';
  let lastVerdict = false;
  return {
    includes(plain) {
      if (plain !== lastAddress) {
        lastVerdict = listed.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4');
        lastAddress = plain;
      }
      return lastVerdict;
    },
  };
}
