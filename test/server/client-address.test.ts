import { describe, expect, it } from 'vitest';
import { clientOf, plainAddress } from '../../src/server/client-address.ts';

describe('the address of a client', () => {
  it('is shown as IPv4 when it is IPv4-mapped', () => {
    expect(plainAddress('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(plainAddress('192.0.2.1')).toBe('192.0.2.1');
  });

  it('is shown without its zone id', () => {
    expect(plainAddress('fe80::1%eth0')).toBe('fe80::1');
  });

  it('counts against the limits of its /64 when it is IPv6, and for itself when it is IPv4', () => {
    expect(clientOf('2001:db8:1:2::1')).toBe(clientOf('2001:db8:1:2:ffff::9'));
    expect(clientOf('2001:db8:1:2::1')).not.toBe(clientOf('2001:db8:1:3::1'));
    expect(clientOf('192.0.2.1')).not.toBe(clientOf('192.0.2.2'));
  });
});
