import { parseIpv6 } from '../../src/dns/index.ts';

export const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** A header of the PROXY protocol, version 2, of which everything can be wrong. */
export function proxyHeader(parts: {
  readonly versionAndCommand?: number;
  readonly familyAndTransport?: number;
  readonly body?: Uint8Array;
  /** When it is not that of the body. */
  readonly length?: number;
}): Buffer {
  const { versionAndCommand = 0x21, familyAndTransport = 0x11, body = Buffer.alloc(12) } = parts;
  const length = parts.length ?? body.length;
  const fixed = Buffer.of(versionAndCommand, familyAndTransport, length >> 8, length & 255);
  return Buffer.concat([SIGNATURE, fixed, body]);
}

/** Source and destination of a proxied client; IPv6 when the source is. */
export function proxyAddresses(source: string, port: number): Buffer {
  const octets = (address: string): Buffer =>
    address.includes(':')
      ? Buffer.from(parseIpv6(address) ?? [])
      : Buffer.from(address.split('.').map(Number));
  const destination = source.includes(':') ? '2001:db8::53' : '192.0.2.53';
  const ports = Buffer.of(port >> 8, port & 255, 0, 53);
  return Buffer.concat([octets(source), octets(destination), ports]);
}

/** Says that the client is `source`. */
export function proxyFor(source: string, port = 4_096, more = Buffer.alloc(0)): Buffer {
  return proxyHeader({
    familyAndTransport: source.includes(':') ? 0x21 : 0x11,
    body: Buffer.concat([proxyAddresses(source, port), more]),
  });
}

export const LOCAL = proxyHeader({
  versionAndCommand: 0x20,
  familyAndTransport: 0,
  body: Buffer.alloc(0),
});
