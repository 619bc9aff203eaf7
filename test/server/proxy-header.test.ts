import { describe, expect, it } from 'vitest';
import { PROXY_HEADER_OCTETS_MAX, parseProxyHeader } from '../../src/server/proxy-header.ts';
import { createRandom } from '../support/random.ts';
import { LOCAL, proxyAddresses, proxyFor, proxyHeader, SIGNATURE } from './proxy-headers.ts';

const REST = Buffer.from('what follows');

describe('a PROXY header', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:0::1', '2001:db8::1'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
  ])('tells address and port of its client: %s', (source, address) => {
    const octets = proxyFor(source, 65_535);
    expect(parseProxyHeader(Buffer.concat([octets, REST]))).toEqual({
      kind: 'header',
      octets: octets.length,
      source: { address, port: 65_535 },
    });
  });

  it('may be about a datagram or a stream, over whatever it comes itself', () => {
    for (const familyAndTransport of [0x11, 0x12]) {
      const octets = proxyHeader({ familyAndTransport, body: proxyAddresses('192.0.2.1', 53) });
      expect(parseProxyHeader(octets)).toMatchObject({
        source: { address: '192.0.2.1', port: 53 },
      });
    }
  });

  it('may have more fields, which are skipped', () => {
    const fields = Buffer.from('030004aabbccdd040000ee0003414243', 'hex');
    const octets = proxyFor('192.0.2.1', 9, fields);
    expect(parseProxyHeader(octets)).toMatchObject({
      octets: 16 + 12 + fields.length,
      source: { address: '192.0.2.1', port: 9 },
    });
  });

  it.each([
    ['LOCAL without addresses', LOCAL],
    [
      'LOCAL with addresses, which do not count',
      proxyHeader({ versionAndCommand: 0x20, body: proxyAddresses('192.0.2.1', 1) }),
    ],
    [
      'LOCAL with less than an address',
      proxyHeader({ versionAndCommand: 0x20, body: Buffer.alloc(5) }),
    ],
    ['an unspecified family', proxyHeader({ familyAndTransport: 0x00, body: Buffer.alloc(0) })],
    ['an unspecified family, with octets', proxyHeader({ familyAndTransport: 0x01 })],
    ['an unspecified transport', proxyHeader({ familyAndTransport: 0x10 })],
    ['sockets of UNIX', proxyHeader({ familyAndTransport: 0x31, body: Buffer.alloc(216) })],
  ])('tells no client when it is %s', (_, octets) => {
    expect(parseProxyHeader(Buffer.concat([octets, REST]))).toEqual({
      kind: 'header',
      octets: octets.length,
      source: null,
    });
  });

  it.each([
    ['another version', proxyHeader({ versionAndCommand: 0x31 })],
    ['no version', proxyHeader({ versionAndCommand: 0x01 })],
    ['an unknown command', proxyHeader({ versionAndCommand: 0x22 })],
    ['an unknown family', proxyHeader({ familyAndTransport: 0x41 })],
    ['an unknown transport', proxyHeader({ familyAndTransport: 0x13 })],
    ['less than two IPv4 addresses', proxyHeader({ body: Buffer.alloc(11) })],
    [
      'less than two IPv6 addresses',
      proxyHeader({ familyAndTransport: 0x21, body: Buffer.alloc(35) }),
    ],
    ['more than there is room for', proxyHeader({ length: PROXY_HEADER_OCTETS_MAX - 15 })],
    ['version 1', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 53\r\n')],
    ['something else', Buffer.from('\0\x1dsomething else')],
  ])('is malformed with %s', (_, octets) => {
    expect(parseProxyHeader(octets)).toEqual({ kind: 'malformed' });
  });

  it('may be as long as there is room for', () => {
    const body = Buffer.alloc(PROXY_HEADER_OCTETS_MAX - 16);
    expect(parseProxyHeader(proxyHeader({ body }))).toMatchObject({
      octets: PROXY_HEADER_OCTETS_MAX,
    });
  });

  it('is partial until its last octet is there, and never anything else', () => {
    const octets = proxyFor('2001:db8::1', 1, Buffer.alloc(40));
    for (let length = 0; length < octets.length; length += 1) {
      expect(parseProxyHeader(octets.subarray(0, length)), `${length}`).toEqual({
        kind: 'partial',
      });
    }
  });

  it('is found malformed as soon as it can be', () => {
    for (let at = 0; at < SIGNATURE.length; at += 1) {
      const octets = Buffer.from(SIGNATURE.subarray(0, at + 1));
      octets[at] ^= 1;
      expect(parseProxyHeader(octets)).toEqual({ kind: 'malformed' });
    }
    const wrongVersion = proxyHeader({ versionAndCommand: 0x11 }).subarray(0, 13);
    expect(parseProxyHeader(wrongVersion)).toEqual({ kind: 'malformed' });
  });

  it('is partial, malformed or within its octets, whatever they are', () => {
    const random = createRandom(7);
    const octet = (): number => random.below(256);
    const seen = { partial: 0, malformed: 0, header: 0 };
    for (let round = 0; round < 50_000; round += 1) {
      const octets = proxyFor(round % 2 === 0 ? '192.0.2.1' : '2001:db8::1', octet());
      // Mostly near the part that decides.
      const at = 12 + random.below(4);
      octets[random.chance(0.9) ? at : random.below(octets.length)] = octet();
      const cut = octets.subarray(0, random.below(octets.length + 1));
      const header = parseProxyHeader(random.chance(0.5) ? octets : cut);
      seen[header.kind] += 1;
      if (header.kind !== 'header') continue;
      expect(header.octets).toBeLessThanOrEqual(octets.length);
      expect(header.octets).toBeGreaterThanOrEqual(16);
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(1_000);
  });
});
