import { expect, it } from 'vitest';
import { ownGuard } from '../../src/feeds/own-guard.ts';

const everybody = { names: ['example.com'], prefixes: ['192.0.2.53'] };
const address = (text: string) => ({
  address: text,
  netmask: '',
  family: 'IPv4' as const,
  mac: '',
  internal: false,
  cidr: null,
});

it('a server guards its names, its networks and the addresses that it answers from', () => {
  const guard = ownGuard({
    everybody,
    ownNames: ['NS.Sluice.Internal.', 'sluice.internal', ''],
    listen: ['198.51.100.1', '2001:db8::1'],
    interfaces: { eth0: [address('203.0.113.9')] },
    ownNetworks: ['10.0.0.0/8'],
  });
  expect(guard.names).toEqual(['example.com', 'ns.sluice.internal', 'sluice.internal']);
  expect(guard.prefixes).toEqual(['192.0.2.53', '198.51.100.1', '2001:db8::1', '10.0.0.0/8']);
});

it('a server that listens on all addresses guards those of all its interfaces', () => {
  const { prefixes } = ownGuard({
    everybody: { names: [], prefixes: [] },
    ownNames: [],
    listen: ['0.0.0.0', '::'],
    interfaces: { eth0: [address('203.0.113.9'), address('fe80::1%eth0')], none: undefined },
    ownNetworks: [],
  });
  expect(prefixes).toEqual(['203.0.113.9', 'fe80::1']);
});
