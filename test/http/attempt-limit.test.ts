import { describe, expect, it } from 'vitest';
import { createAttemptLimit } from '../../src/http/attempt-limit.ts';
import { clientNetwork } from '../../src/http/client-network.ts';
import { createPendingLogins } from '../../src/http/openid-pending.ts';

function limited(max: number) {
  const clock = { ms: 0 };
  const limit = createAttemptLimit({ max, windowMs: 60_000, monotonicMs: () => clock.ms });
  return { clock, limit };
}

describe('a limit of attempts', () => {
  it('says how long to wait, until the window that the first one began is over', () => {
    const { clock, limit } = limited(2);
    expect(limit.take('a')).toBeNull();
    clock.ms = 20_000;
    expect(limit.take('a')).toBeNull();
    expect(limit.take('a')).toBe(40);
    expect(limit.take('b')).toBeNull();
    clock.ms = 59_999;
    expect(limit.take('a')).toBe(1);
    clock.ms = 60_000;
    expect(limit.take('a')).toBeNull();
  });

  it('does not count what is given back', () => {
    const { limit } = limited(1);
    for (let attempt = 0; attempt < 5; attempt++) {
      expect(limit.take('a')).toBeNull();
      limit.giveBack('a');
    }
    expect(limit.take('a')).toBeNull();
    expect(limit.take('a')).toBe(60);
  });

  it('remembers ten thousand keys and forgets the oldest for a new one', () => {
    const { limit } = limited(1);
    for (let key = 0; key < 10_000; key++) limit.take(`key ${key}`);
    expect(limit.take('key 0')).toBe(60);
    limit.take('one more');
    expect(limit.take('key 1')).toBe(60);
    expect(limit.take('key 0')).toBeNull();
  });
});

describe('the network of a client', () => {
  it('is its IPv4 address, or its IPv6 /64', () => {
    expect(clientNetwork('192.0.2.1')).toBe('192.0.2.1');
    expect(clientNetwork('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(clientNetwork('2001:db8:1:2::1')).toBe(clientNetwork('2001:db8:1:2:ffff::9'));
    expect(clientNetwork('2001:db8:1:2::1')).not.toBe(clientNetwork('2001:db8:1:3::1'));
    expect(clientNetwork('fe80::1%eth0')).toBe(clientNetwork('fe80::2'));
  });
});

describe('logins that wait for the provider', () => {
  it('are a thousand at most: the oldest is forgotten', () => {
    let made = 0;
    const numbered = (octets: number) => {
      const key = Buffer.alloc(octets);
      key.writeUInt32BE(++made);
      return key;
    };
    const pending = createPendingLogins({ randomBytes: numbered, monotonicMs: () => 0 });
    const checks = { state: 's', nonce: 'n', verifier: 'v' };
    const keys = Array.from({ length: 1_001 }, () => pending.add(checks));
    expect(pending.take(keys[0]!)).toBeUndefined();
    expect(pending.take(keys[1]!)).toEqual(checks);
    expect(pending.take(keys[1]!)).toBeUndefined();
    expect(pending.take(keys[1_000]!)).toEqual(checks);
  });
});
