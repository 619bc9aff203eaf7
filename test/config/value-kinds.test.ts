import { describe, expect, it } from 'vitest';
import { nearestName } from '../../src/config/nearest-name.ts';
import type { ValueKind } from '../../src/config/shape.ts';
import { duration, ipNetwork, ipPrefix, size, wholeSeconds } from '../../src/config/value-kinds.ts';

function read<Value>(kind: ValueKind<Value>, text: string): Value | null {
  const parsed = kind.parse(text);
  return parsed.ok ? parsed.value : null;
}

describe('durations and sizes', () => {
  it.each([
    ['0ms', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['30 s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['14d', 1_209_600_000],
  ])('%s is %i ms', (text, milliseconds) => {
    expect(read(duration('0ms', '30d'), text)).toBe(milliseconds);
  });

  it.each([
    '',
    's',
    '30',
    '-3s',
    '+3s',
    '1.5s',
    '3  s',
    '3s ',
    '3S',
    '3M',
    '1h30m',
    '0x10s',
    '3constructor',
  ])('%j is not a duration', (text) => {
    expect(read(duration('0ms', '30d'), text)).toBeNull();
  });

  it('reads whole seconds from any unit that gives them', () => {
    const kind = wholeSeconds('1s', '1h');
    expect(read(kind, '2000ms')).toBe(2);
    expect(read(kind, '2500ms')).toBeNull();
    expect(read(kind, '1h')).toBe(3600);
    expect(read(kind, '3601s')).toBeNull();
  });

  it.each([
    ['512 B', 512],
    ['1KiB', 1024],
    ['64 MiB', 67_108_864],
    ['4 GiB', 4_294_967_296],
  ])('%s is %i octets', (text, octets) => {
    expect(read(size('1 B', '4 GiB'), text)).toBe(octets);
  });

  it.each(['64', '64 MB', '64 mib', '0 B', '5 GiB'])('%j is not such a size', (text) => {
    expect(read(size('1 B', '4 GiB'), text)).toBeNull();
  });
});

describe('prefixes', () => {
  it.each(['192.0.2.0/24', '192.0.2.1/32', '::/0', '2001:db8::/32', '::1/128'])(
    '%s is one',
    (text) => {
      expect(read(ipPrefix, text)).toBe(text);
    },
  );

  it.each([
    '192.0.2.0',
    '192.0.2.0/33',
    '192.0.2.0/024',
    '::/129',
    '192.0.2.0/',
    '/24',
    '192.0.2.0/24/24',
    'fe80::1%1/64',
  ])('%j is not one', (text) => {
    expect(read(ipPrefix, text)).toBeNull();
  });
});

describe('addresses and prefixes', () => {
  it.each(['192.0.2.1', '2001:db8::1', '192.0.2.0/24', '::/0'])('%j is one', (text) => {
    expect(read(ipNetwork, text)).toBe(text);
  });

  it.each(['loopback', '192.0.2.0/33', '192.0.2', 'fe80::1%eth0', ''])('%j is none', (text) => {
    expect(read(ipNetwork, text)).toBeNull();
  });
});

describe('the nearest name', () => {
  const names = ['listen', 'level', 'format', 'idleTimeout', 'connectionsMax'];

  it.each([
    ['lisen', 'listen'],
    ['lsiten', 'listen'],
    ['LISTEN', 'listen'],
    ['idleTimeut', 'idleTimeout'],
    ['idle_timeout', 'idleTimeout'],
    ['maxConnections', null],
    ['colour', null],
    ['', null],
  ])('to %j is %s', (name, expected) => {
    expect(nearestName(name, names)).toBe(expected);
  });

  it('is the nearer of two', () => {
    expect(nearestName('runningMx', ['runningMin', 'runningMax'])).toBe('runningMax');
  });
});
