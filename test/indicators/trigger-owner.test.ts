import { Address6 } from 'ip-address';
import { describe, expect, it } from 'vitest';
import { formatNameKey } from '../../src/indicators/format-indicator.ts';
import { parseIndicator } from '../../src/indicators/parse-indicator.ts';
import {
  ownerOctets,
  PREFIX_OWNER_OCTETS_MAX,
  prefixOwner,
} from '../../src/indicators/trigger-owner.ts';
import { PARSE_OPTIONS } from './parsing.ts';
import { createRandom } from './random.ts';

function ownerOf(text: string): string {
  const result = parseIndicator(text, { ...PARSE_OPTIONS, confirmBroad: true });
  if (!result.ok) throw new Error(`${text} is rejected: ${result.reason}`);
  const { kind, key } = result.indicators[0]!;
  if (kind !== 'ip' && kind !== 'nsip' && kind !== 'clientip') throw new Error(kind);
  return formatNameKey(prefixOwner(kind, key));
}

describe('interop.md, rule 4: owners of IPv4 triggers', () => {
  it.each([
    ['192.0.2.0/24', '24.0.2.0.192.rpz-ip'],
    ['192.0.2.1', '32.1.2.0.192.rpz-ip'],
    ['0.0.0.0/1', '1.0.0.0.0.rpz-ip'],
    ['255.255.255.255', '32.255.255.255.255.rpz-ip'],
    ['100.10.1.200', '32.200.1.10.100.rpz-ip'],
    ['nsip:192.0.2.0/24', '24.0.2.0.192.rpz-nsip'],
    ['clientip:192.0.2.0/24', '24.0.2.0.192.rpz-client-ip'],
    ['::ffff:192.0.2.1', '32.1.2.0.192.rpz-ip'],
  ])('%s has %s', (text, owner) => {
    expect(ownerOf(text)).toBe(owner);
  });
});

describe('interop.md, rule 4: owners of IPv6 triggers in canonical form', () => {
  it.each([
    ['2001:db8::3', '128.3.zz.db8.2001.rpz-ip'],
    ['2001:db8:0:0:1:0:0:1', '128.1.0.0.1.zz.db8.2001.rpz-ip'],
    ['2001:db8::/32', '32.zz.db8.2001.rpz-ip'],
    ['2001:db8:0:1:1:1:1:1', '128.1.1.1.1.1.0.db8.2001.rpz-ip'],
    ['2001:db8:1:0:0:1:0:0', '128.0.0.1.zz.1.db8.2001.rpz-ip'],
    ['2001:0:0:1:0:0:0:1', '128.1.zz.1.0.0.2001.rpz-ip'],
    ['::', '128.zz.rpz-ip'],
    ['::1', '128.1.zz.rpz-ip'],
    ['8000::/1', '1.zz.8000.rpz-ip'],
    ['0:1::', '128.zz.1.0.rpz-ip'],
    ['1:2:3:4:5:6:7:8', '128.8.7.6.5.4.3.2.1.rpz-ip'],
    ['1:2:3:4:5:6:7:0', '128.0.7.6.5.4.3.2.1.rpz-ip'],
    ['ABCD:0123:0010:0001::/64', '64.zz.1.10.123.abcd.rpz-ip'],
    ['nsip:2001:db8::/32', '32.zz.db8.2001.rpz-nsip'],
    ['clientip:2001:db8::/32', '32.zz.db8.2001.rpz-client-ip'],
  ])('%s has %s', (text, owner) => {
    expect(ownerOf(text)).toBe(owner);
  });

  it('is RFC 5952 turned round, as the ip-address package writes it', () => {
    const random = createRandom(0x2001);
    for (let round = 0; round < 3000; round++) {
      const groups = Array.from({ length: 8 }, () => (random(2) === 0 ? 0 : random(0x10000)));
      // A first group outside ::/16, where IPv4-mapped addresses would become IPv4.
      groups[0] = 0x2000 + random(0x1000);
      const address = new Address6(groups.map((group) => group.toString(16)).join(':'));
      const [head, tail] = address.correctForm().split('::');
      const before = head!.split(':').toReversed();
      const after = tail === undefined ? [] : ['zz', ...before];
      const labels =
        tail === undefined ? before : [...tail.split(':').filter(Boolean).toReversed(), ...after];
      expect(ownerOf(address.address)).toBe(['128', ...labels, 'rpz-ip'].join('.'));
    }
  });
});

describe('interop.md, rule 3: what triggers cost', () => {
  it('an owner is labels in wire form without the root octet', () => {
    const owner = prefixOwner('ip', Uint8Array.of(24, 192, 0, 2, 0));
    expect(Buffer.from(owner).toString('latin1')).toBe('\x0224\x010\x012\x010\x03192\x06rpz-ip');
  });

  it('rpz-ip costs 7 octets, rpz-nsip 9, rpz-client-ip 14, rpz-nsdname 12, a wildcard 2', () => {
    const key = Uint8Array.of(24, 192, 0, 2, 0);
    const labels = '24.0.2.0.192'.length + 1;
    expect(ownerOctets('ip', key)).toBe(labels + 7);
    expect(ownerOctets('nsip', key)).toBe(labels + 9);
    expect(ownerOctets('clientip', key)).toBe(labels + 14);
    const name = Uint8Array.of(1, 0x61, 1, 0x62);
    expect(ownerOctets('name', name)).toBe(4 + 2);
    expect(ownerOctets('nsname', name)).toBe(4 + 2 + 12);
  });

  it('the longest owner of an address has the octets that the constant says', () => {
    const longest = ownerOf('clientip:ffff:1fff:2fff:3fff:4fff:5fff:6fff:7fff');
    expect(longest.length + 1).toBe(PREFIX_OWNER_OCTETS_MAX);
  });
});
