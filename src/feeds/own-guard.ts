import type { NetworkInterfaceInfo } from 'node:os';

/** What must never be blocked, in the words of the guard. */
export interface GuardLists {
  /** In lower case without final dot. */
  readonly names: readonly string[];
  /** Addresses and prefixes. */
  readonly prefixes: readonly string[];
}

/**
 * The lists for everybody, with what is ours: the name that secondaries know as their primary, the
 * names of the zones, the addresses that we answer from, and the networks of those who run us.
 */
export function ownGuard(options: {
  readonly everybody: GuardLists;
  /** Absolute or not, in any case. */
  readonly ownNames: readonly string[];
  readonly listen: readonly string[];
  /** Of this machine: they count where we listen on all addresses. */
  readonly interfaces: NodeJS.Dict<readonly NetworkInterfaceInfo[]>;
  readonly ownNetworks: readonly string[];
}): GuardLists {
  const { everybody, ownNames, listen, interfaces, ownNetworks } = options;
  const names = ownNames.map((name) => name.toLowerCase().replace(/\.$/, ''));
  const addresses = listen.flatMap((address) =>
    address === '0.0.0.0' || address === '::' ? addressesOf(interfaces) : [address],
  );
  return {
    names: [...new Set([...everybody.names, ...names.filter((name) => name !== '')])],
    prefixes: [...new Set([...everybody.prefixes, ...addresses, ...ownNetworks])],
  };
}

function addressesOf(interfaces: NodeJS.Dict<readonly NetworkInterfaceInfo[]>): string[] {
  return Object.values(interfaces).flatMap((all = []) =>
    // A link-local address may carry the name of its interface.
    all.map(({ address }) => address.replace(/%.*$/, '')),
  );
}
