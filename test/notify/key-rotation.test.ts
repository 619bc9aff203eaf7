import { expect, it } from 'vitest';
import { parseName, RCODE, type TsigAlgorithm, type TsigKey } from '../../src/dns/index.ts';
import { formatName } from '../../src/dns/name.ts';
import { startTestSluice } from '../support/test-sluice.ts';
import { startPeer } from './peer.ts';
import { until } from './scene.ts';

const ZONE = 'rpz.r1.dev.main.sluice.internal.';

interface ToldKey {
  readonly key: { readonly name: string; readonly algorithm: TsigAlgorithm };
  readonly secret: string;
}

const tsigKeyOf = ({ key, secret }: ToldKey): TsigKey => ({
  name: parseName(key.name),
  algorithm: key.algorithm,
  secret: Uint8Array.from(Buffer.from(secret, 'base64')),
});

it('during a rotation both keys are accepted, then the new one alone, and it signs NOTIFYs', async () => {
  const server = await startTestSluice();
  const peer = await startPeer();
  try {
    const notify = [{ address: peer.address, port: peer.port }];
    await server.api('POST', '/devices', { name: 'r1', type: 'dns', access: 'key', notify });
    const before = tsigKeyOf(await server.api<ToldKey>('POST', '/devices/1/keys', {}));
    const rcodeWith = async (key: TsigKey) => (await server.udp(ZONE, 'SOA', { key })).rcode;
    expect(await rcodeWith(before)).toBe(RCODE.NOERROR);

    const rotation = { overlap: 1, algorithm: 'hmac-sha512' };
    const after = tsigKeyOf(await server.api<ToldKey>('POST', '/devices/1/keys/rotate', rotation));
    const begin = Date.now();
    expect(await rcodeWith(before)).toBe(RCODE.NOERROR);
    expect(await rcodeWith(after)).toBe(RCODE.NOERROR);

    await server.api('POST', '/policies', { name: 'corp', type: 'dns' });
    await server.api('PUT', '/devices/1/policy', { policyId: 1 });
    const signers = () =>
      peer.received.flatMap(({ message }) => (message.tsig ? formatName(message.tsig.name) : []));
    await until(() => signers().includes(formatName(after.name)));

    while ((await rcodeWith(before)) === RCODE.NOERROR) {
      expect(Date.now() - begin).toBeLessThan(2_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(Date.now() - begin).toBeGreaterThanOrEqual(900);
    // RFC 8945 section 5.2.1: a key that is not known.
    expect(await rcodeWith(before)).toBe(RCODE.NOTAUTH);
    expect(await rcodeWith(after)).toBe(RCODE.NOERROR);
  } finally {
    peer.close();
  }
});
