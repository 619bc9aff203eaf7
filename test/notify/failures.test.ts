import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseName, RCODE, type TsigKey } from '../../src/dns/index.ts';
import { agree, silence, withRcode } from './peer.ts';
import { DEVICE, scene, until, ZONE } from './scene.ts';

const key: TsigKey = {
  name: parseName('device.acme.'),
  algorithm: 'hmac-sha256',
  secret: randomBytes(32),
};

describe('what went wrong with a NOTIFY', () => {
  it('is told with the device, the zone, the endpoint and the time, at each attempt', async () => {
    const { peer, start, publish, outbox, failed } = scene();
    const secondary = await peer('127.0.0.1', (received, number) =>
      number < 3 ? withRcode(received.bytes, RCODE.REFUSED) : agree(received, number),
    );
    const before = Date.now();
    start({ retryMsMin: 5, spacingMs: 1 });
    publish(secondary, 5);
    await until(() => outbox.rows().length === 0);
    const { address, port } = secondary;
    const failure = { deviceId: DEVICE, origin: ZONE, address, port, problem: 'REFUSED' };
    expect(failed).toMatchObject([failure, failure]);
    expect(failed[0].at).toBeGreaterThanOrEqual(before);
  });

  it('is that no answer came, or none that is signed', async () => {
    const { peer, start, publish, failed } = scene();
    const secondary = await peer('127.0.0.1', silence);
    start({ findKey: () => key, answerTimeoutMs: 20, retryMsMin: 5, spacingMs: 1 });
    publish(secondary, 5);
    await until(() => failed.length === 1);
    secondary.script = ({ bytes, message }) => {
      const unsigned = withRcode(bytes.subarray(0, message.tsig?.offset), RCODE.NOERROR);
      unsigned.writeUInt16BE(0, 10);
      return unsigned;
    };
    await until(() => failed.at(-1)?.problem !== 'no answer');
    expect(failed.at(-1)?.problem).toBe('no acceptable answer: unsigned answer, NOERROR');
  });

  it('is told of what settles the row, too: the device does not know NOTIFY, or not the zone', async () => {
    const { peer, start, publish, outbox, failed, acknowledged } = scene();
    const rcodes = [RCODE.NOTIMP, RCODE.NOTAUTH];
    const secondary = await peer('127.0.0.1', ({ bytes }, number) =>
      withRcode(bytes, rcodes[number - 1]),
    );
    start({ inFlightPerEndpointMax: 1 });
    publish(secondary, 5);
    publish(secondary, 5, 'other.test.');
    await until(() => outbox.rows().length === 0);
    expect(failed.map(({ problem }) => problem)).toEqual(['NOTIMP', 'NOTAUTH']);
    expect(acknowledged).toEqual([]);
  });

  it('is told of what cannot be sent, with the reason', async () => {
    const { start, publish, failed } = scene();
    start({ retryMsMin: 10, spacingMs: 1 });
    publish({ address: 'not-an-address', port: 53 }, 1);
    await until(() => failed.length > 0);
    expect(failed[0]).toMatchObject({
      address: 'not-an-address',
      problem: 'no address is known of the host name',
    });
  });

  it('is not told of a zone that the device does not follow', async () => {
    const { peer, start, publish, outbox, failed } = scene();
    const secondary = await peer('127.0.0.1', ({ bytes }) => withRcode(bytes, RCODE.REFUSED));
    start({ isFollowed: () => false });
    publish(secondary, 5);
    await until(() => outbox.rows().length === 0);
    expect(failed).toEqual([]);
  });
});
