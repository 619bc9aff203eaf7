import { describe, expect, it } from 'vitest';
import { RCODE } from '../../src/dns/index.ts';
import { agree, silence, withRcode } from './peer.ts';
import { DEVICE, scene, sleep, until, ZONE } from './scene.ts';

const HOST = 'resolver.example.';

describe('an endpoint with a host name', () => {
  it('is told at the address that the name has right then', async () => {
    const { peer, start, publish, outbox, acknowledged } = scene();
    const old = await peer('127.0.0.1');
    const now = await peer('127.0.0.2', agree, old.port);
    let addresses = ['127.0.0.1'];
    start({ addressesOf: (name) => (name === HOST ? addresses : []) });
    publish({ address: HOST, port: old.port }, 5);
    await until(() => outbox.rows().length === 0);
    addresses = ['127.0.0.2'];
    publish({ address: HOST, port: old.port }, 6);
    await until(() => outbox.rows().length === 0);
    expect(old.received).toHaveLength(1);
    expect(now.received).toHaveLength(1);
    expect(acknowledged).toMatchObject([
      { deviceId: DEVICE, origin: ZONE, serial: 5, address: HOST },
      { serial: 6, address: HOST },
    ]);
  });

  it('is told at the first address of each family, and one acknowledgement is enough', async () => {
    const { peer, start, publish, outbox, acknowledged } = scene();
    const four = await peer('127.0.0.1', silence);
    const other = await peer('127.0.0.3', agree, four.port);
    const six = await peer('::1', agree, four.port);
    const begin = performance.now();
    start({ addressesOf: () => ['127.0.0.1', '127.0.0.3', '::1'], answerTimeoutMs: 2_000 });
    publish({ address: HOST, port: four.port }, 5);
    await until(() => outbox.rows().length === 0);
    expect(performance.now() - begin).toBeLessThan(1_900);
    expect(four.received).toHaveLength(1);
    expect(six.received).toHaveLength(1);
    expect(other.received).toHaveLength(0);
    expect(acknowledged).toHaveLength(1);
  });

  it('is tried again when none of its addresses acknowledges', async () => {
    const { peer, start, publish, outbox, logged } = scene();
    const four = await peer('127.0.0.1', silence);
    const six = await peer('::1', ({ bytes }) => withRcode(bytes, RCODE.REFUSED), four.port);
    start({ addressesOf: () => ['127.0.0.1', '::1'], answerTimeoutMs: 50, retryMsMin: 10 });
    publish({ address: HOST, port: four.port }, 5);
    await until(() => six.received.length >= 2);
    expect(logged.map(({ details }) => details.trouble)).toEqual(['REFUSED']);
    six.script = agree;
    await until(() => outbox.rows().length === 0);
  });

  it('is tried again until some address is known', async () => {
    const { peer, start, publish, outbox, logged } = scene();
    const secondary = await peer();
    const addresses: string[] = [];
    const notifier = start({ addressesOf: () => addresses, retryMsMin: 10, spacingMs: 1 });
    publish({ address: HOST, port: secondary.port }, 5);
    await until(() => notifier.statistics().unsendable >= 2);
    expect(outbox.rows()).toHaveLength(1);
    expect(logged.map(({ details }) => details.trouble)).toEqual([
      'no address is known of the host name',
    ]);
    addresses.push('127.0.0.1');
    await until(() => outbox.rows().length === 0);
    expect(secondary.received).toHaveLength(1);
  });
});

describe('a device that does not serve the zone', () => {
  it('says NOTAUTH, and is not told again of that change, nor taken as told', async () => {
    const { peer, start, publish, outbox, acknowledged, logged } = scene();
    const secondary = await peer('127.0.0.1', ({ bytes }) => withRcode(bytes, RCODE.NOTAUTH));
    const notifier = start({ retryMsMin: 5, spacingMs: 1 });
    publish(secondary, 5);
    await until(() => outbox.rows().length === 0);
    await sleep(50);
    expect(secondary.received).toHaveLength(1);
    expect(acknowledged).toEqual([]);
    expect(notifier.statistics()).toMatchObject({ notServedThere: 1, refused: 0 });
    expect(logged).toMatchObject([
      { level: 'info', message: 'NOTIFY settled: the zone is not served there' },
    ]);
    secondary.script = agree;
    publish(secondary, 6);
    await until(() => acknowledged.length === 1);
    expect(acknowledged[0]).toMatchObject({ serial: 6 });
  });

  it.each(['REFUSED', 'SERVFAIL', 'NXDOMAIN'] as const)(
    'is told again when it says %s',
    async (name) => {
      const { peer, start, publish, outbox } = scene();
      const secondary = await peer('127.0.0.1', ({ bytes }) => withRcode(bytes, RCODE[name]));
      start({ retryMsMin: 5, spacingMs: 1 });
      publish(secondary, 5);
      await until(() => secondary.received.length === 3);
      expect(outbox.rows()).toHaveLength(1);
    },
  );
});
