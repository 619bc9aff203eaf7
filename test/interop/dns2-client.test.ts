import DNS from 'dns2';
import { describe, expect, it } from 'vitest';
import { servePolicy, startTestSluice } from '../support/test-sluice.ts';

/** A client that shares no line with our codec, nor with the other oracle. */
describe('an independent client', () => {
  it('reads the same answers over UDP and TCP', async () => {
    const server = await startTestSluice();
    const { zone } = await servePolicy(server, {
      name: 'dns2',
      type: 'ip',
      lines: ['192.0.2.1', '2001:db8::1'],
    });
    const { address, port } = server.dns;
    const name = zone.replace(/\.$/, '');
    for (const client of [
      DNS.UDPClient({ dns: address, port }),
      DNS.TCPClient({ dns: address, port }),
    ]) {
      const soa = await client(name, 'SOA');
      expect(soa.answers).toMatchObject([{ name, primary: 'ns.sluice.internal' }]);
      const index = await client(`index.v4.${name}`, 'PTR');
      expect(index.answers).toMatchObject([{ domain: `0.v4.${name}` }]);
      const check = await client(`1.2.0.192.q.${name}`, 'A');
      expect(check.answers).toMatchObject([{ address: '127.0.0.2' }]);
      const absent = await client(`2.2.0.192.q.${name}`, 'A');
      expect(absent.header.rcode).toBe(3);
      expect(absent.answers).toEqual([]);
    }
  });
});
