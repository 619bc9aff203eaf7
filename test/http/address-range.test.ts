import { describe, expect, it } from 'vitest';
import { addressRange } from '../../src/http/views/address-range.ts';

describe('the range of a list entry', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7', '192.0.2.7', '1'],
    ['192.0.2.0/24', '192.0.2.0', '192.0.2.255', '256'],
    ['192.0.2.10-192.0.2.20', '192.0.2.10', '192.0.2.20', '11'],
    ['2001:db8::1', '2001:db8:0:0:0:0:0:1', '2001:db8:0:0:0:0:0:1', '1'],
    [
      '2001:db8::/32',
      '2001:db8:0:0:0:0:0:0',
      '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
      '79228162514264337593543950336',
    ],
  ])('of %s is from %s to %s with %s addresses', (value, first, last, addresses) => {
    expect(addressRange(value)).toEqual({ first, last, addresses });
  });

  it('does not exist for a name', () => {
    expect(addressRange('shop.example')).toBeNull();
    expect(addressRange('*.face.example')).toBeNull();
    expect(addressRange('host:only.example')).toBeNull();
  });
});
