import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { parseName, type TsigKey } from '../../src/dns/index.ts';
import { askByTcp, askByUdp, transferByTcp } from '../support/dns-clients.ts';
import { makeQuery } from '../support/dns-query.ts';
import { servePolicy } from '../support/test-sluice.ts';
import { serialIn } from '../support/transfer.ts';
import { type Daemon, startDaemon } from './daemon.ts';

interface KeyAnswer {
  readonly key: { readonly name: string };
  readonly secret: string;
}

/** A policy whose device signs. */
async function withKey(daemon: Daemon) {
  const served = await servePolicy(daemon, { name: 'corp', type: 'dns', lines: ['evil.example'] });
  const { deviceId } = served;
  const { key, secret } = await daemon.api<KeyAnswer>('POST', `/devices/${deviceId}/keys`, {});
  await daemon.api('PATCH', `/devices/${deviceId}`, { access: 'key', sources: [] });
  const signer: TsigKey = {
    name: parseName(key.name),
    algorithm: 'hmac-sha256',
    secret: Buffer.from(secret, 'base64'),
  };
  return { ...served, key, secret, signer };
}

const queriesOf = (daemon: Daemon) => daemon.records().filter(({ msg }) => msg === 'query');

describe('the log of a running server', () => {
  it('has a record for each query from when the admin API asks for it until it no longer does', async () => {
    const daemon = await startDaemon();
    await daemon.started;
    const { zone, key, signer } = await withKey(daemon);
    const soa = () => makeQuery(zone, 'SOA', { key: signer });
    await askByUdp(daemon.dns, soa());
    await daemon.api('PATCH', '/server/logging', { queries: true });
    await askByUdp(daemon.dns, soa());
    expect(await daemon.record('query')).toMatchObject({
      level: 30,
      name: zone,
      type: 'SOA',
      protocol: 'udp',
      address: '127.0.0.1',
      port: expect.any(Number),
      keyName: key.name,
      tsigError: null,
      rcode: 'NOERROR',
      answerOctets: expect.any(Number),
      microseconds: expect.any(Number),
    });
    await askByTcp(daemon.dns, makeQuery('Elsewhere.example.', 'A'));
    expect(await daemon.record('query', 1)).toMatchObject({
      name: 'Elsewhere.example.',
      type: 'A',
      protocol: 'tcp',
      keyName: null,
      rcode: 'REFUSED',
    });
    await daemon.api('PATCH', '/server/logging', { queries: false });
    await askByUdp(daemon.dns, soa());
    await wait(200);
    expect(queriesOf(daemon)).toHaveLength(2);
  });

  it('has a record for each transfer, with its key and serial, until it is switched off', async () => {
    const daemon = await startDaemon();
    await daemon.started;
    const { zone, deviceId, targetId, key, signer } = await withKey(daemon);
    const { sizes, records } = await transferByTcp(daemon.dns, zone, { key: signer });
    expect(await daemon.record('transferred')).toMatchObject({
      level: 30,
      zone,
      deviceId,
      fromSerial: null,
      serial: serialIn(records[0]!),
      kind: 'AXFR',
      address: '127.0.0.1',
      protocol: 'tcp',
      keyName: key.name,
      octets: sizes.reduce((sum, size) => sum + size + 2, 0),
      durationMs: expect.any(Number),
      completed: true,
    });
    await daemon.api('PATCH', `/targets/${targetId}/indicators`, { add: ['other.example'] });
    const have = serialIn(records[0]!);
    const { records: steps } = await transferByTcp(daemon.dns, zone, { key: signer, have });
    expect(await daemon.record('transferred', 1)).toMatchObject({
      kind: 'IXFR',
      fromSerial: have,
      serial: serialIn(steps[0]!),
    });
    await daemon.api('PATCH', '/server/logging', { transfers: false });
    await transferByTcp(daemon.dns, zone, { key: signer });
    await wait(200);
    expect(daemon.records().filter(({ msg }) => msg === 'transferred')).toHaveLength(2);
  });

  it('tells no secret, however much is written to it', async () => {
    const daemon = await startDaemon({ yaml: 'log: {level: trace, queries: true}' });
    await daemon.started;
    const { zone, key, secret, signer } = await withKey(daemon);
    await askByUdp(daemon.dns, makeQuery(zone, 'SOA', { key: signer }));
    await transferByTcp(daemon.dns, zone, { key: signer });
    const wrong = { ...signer, secret: Buffer.alloc(32, 7) };
    await askByUdp(daemon.dns, makeQuery(zone, 'SOA', { key: wrong }));
    expect((await daemon.record('query', 2)).tsigError).toBe('BADSIG');
    const token = /^ +(sluice_\S+)$/m.exec(daemon.output())![1]!;
    const log = daemon
      .records()
      .map((record) => JSON.stringify(record))
      .join('\n');
    expect(log).toContain(key.name);
    for (const hidden of [secret, Buffer.from(signer.secret).toString('hex'), token]) {
      expect(log).not.toContain(hidden);
    }
  });

  it('follows the level in all rooms, those of the API and the feeds too', async () => {
    const daemon = await startDaemon();
    await daemon.started;
    await daemon.api('PATCH', '/server/logging', { level: 'error' });
    const before = daemon.records().length;
    await withKey(daemon);
    expect(daemon.records().slice(before)).toEqual([]);
    await daemon.api('PATCH', '/server/logging', { level: 'info' });
    await daemon.api('POST', '/policies', { name: 'other', type: 'dns' });
    expect(await daemon.record('published', before)).toBeDefined();
  });
});
