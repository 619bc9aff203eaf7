import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { parseName, RCODE, type TsigAlgorithm, type TsigKey } from '../../src/dns/index.ts';
import { agree, type Received, signing, withRcode } from './peer.ts';
import { scene, until } from './scene.ts';

/** `change` made to the octets of the true answer. */
function forged(received: Received, change: (answer: Buffer) => void): Buffer {
  const answer = withRcode(received.bytes, 0);
  change(answer);
  return answer;
}

describe('what is not an answer', () => {
  const fakes: [string, (received: Received) => Buffer][] = [
    ['a response with another id', (r) => forged(r, (answer) => (answer[1] ^= 1))],
    ['a request', ({ bytes }) => Buffer.from(bytes)],
    ['a response to a query', (r) => forged(r, (answer) => (answer[2] &= 0x87))],
    ['a response for another zone', (r) => forged(r, (answer) => (answer[13] ^= 1))],
    ['a response for another type', (r) => forged(r, (answer) => (answer[12 + 35] ^= 1))],
    [
      'a response without a question',
      ({ bytes }) => Buffer.concat([withRcode(bytes, 0).subarray(0, 4), Buffer.alloc(8)]),
    ],
    ['octets after the message', ({ bytes }) => Buffer.concat([withRcode(bytes, 0), Buffer.of(0)])],
    ['less than a header', ({ bytes }) => withRcode(bytes, 0).subarray(0, 7)],
    ['nothing', () => Buffer.alloc(0)],
  ];
  for (const [what, fake] of fakes) {
    it(`${what} is ignored, and the true answer that follows counts`, async () => {
      const { peer, start, publish, outbox, acknowledged } = scene();
      const secondary = await peer('127.0.0.1', (received) => {
        secondary.send(fake(received), received.from);
        return withRcode(received.bytes, 0);
      });
      const notifier = start();
      publish(secondary, 5);
      await until(() => outbox.rows().length === 0);
      expect(secondary.received).toHaveLength(1);
      expect(acknowledged).toHaveLength(1);
      expect(notifier.statistics()).toMatchObject({ strays: 1, timeouts: 0, acknowledged: 1 });
    });
  }

  it('an answer from another port or address is ignored', async () => {
    const { peer, start, publish, acknowledged, logged } = scene();
    const otherPort = createSocket('udp4').bind(0, '127.0.0.1');
    const otherAddress = createSocket('udp4');
    const secondary = await peer('127.0.0.1', ({ bytes, from }) => {
      const answer = withRcode(bytes, 0);
      otherPort.send(answer, from.port, from.address);
      otherAddress.send(answer, from.port, from.address);
      return null;
    });
    await new Promise<void>((resolve) =>
      otherAddress.bind(secondary.port, '127.0.0.2', () => resolve()),
    );
    const notifier = start({ answerTimeoutMs: 100 });
    publish(secondary, 5);
    await until(() => notifier.statistics().timeouts === 1);
    expect(notifier.statistics().strays).toBe(2);
    expect(acknowledged).toEqual([]);
    expect(logged.map(({ details }) => details.trouble)).toEqual(['no answer']);
    otherPort.close();
    otherAddress.close();
  });
});

const key = (name: string, algorithm: TsigAlgorithm = 'hmac-sha256'): TsigKey => ({
  name: parseName(name),
  algorithm,
  secret: randomBytes(32),
});

describe('a device with a key', () => {
  for (const algorithm of ['hmac-sha256', 'hmac-sha512', 'hmac-sha1', 'hmac-md5'] as const) {
    it(`gets NOTIFYs signed with ${algorithm}, and its signed answer is believed`, async () => {
      const { peer, start, publish, outbox, acknowledged } = scene();
      const shared = key('device.acme.', algorithm);
      const secondary = await peer('127.0.0.1', signing(shared));
      start({ findKey: (deviceId) => (deviceId === 7 ? shared : undefined) });
      publish(secondary, 5);
      await until(() => outbox.rows().length === 0);
      expect(secondary.received).toHaveLength(1);
      expect(secondary.received[0].message.tsig).not.toBeNull();
      expect(acknowledged).toHaveLength(1);
    });
  }

  it('is not believed without a signature, also when it refuses or does not know NOTIFY', async () => {
    const { peer, start, publish, outbox, acknowledged, logged } = scene();
    const shared = key('device.acme.');
    const rcodes = [RCODE.NOERROR, RCODE.REFUSED, RCODE.NOTIMP];
    const secondary = await peer('127.0.0.1', ({ bytes, message }, number) => {
      const unsigned = withRcode(bytes.subarray(0, message.tsig?.offset), rcodes[number - 1]);
      unsigned.writeUInt16BE(0, 10);
      return unsigned;
    });
    const notifier = start({
      findKey: () => shared,
      retryMsMin: 1,
      spacingMs: 1,
      answerTimeoutMs: 30,
    });
    publish(secondary, 5);
    await until(() => notifier.statistics().timeouts === 3);
    expect(acknowledged).toEqual([]);
    expect(outbox.rows()).toHaveLength(1);
    expect(logged.map(({ details }) => details.trouble)).toEqual([
      'no acceptable answer: unsigned answer, NOERROR',
      'no acceptable answer: unsigned answer, REFUSED',
      'no acceptable answer: unsigned answer, NOTIMP',
    ]);
  });

  it('is not believed when it does not know the key, or has another secret under its name', async () => {
    const { peer, start, publish, acknowledged, logged } = scene();
    const shared = key('device.acme.');
    const stranger = await peer('127.0.0.1', signing(key('device.acme.')));
    const notifier = start({
      findKey: () => shared,
      retryMsMin: 1,
      spacingMs: 1,
      answerTimeoutMs: 30,
    });
    publish(stranger, 5);
    await until(() => notifier.statistics().timeouts === 1);
    stranger.script = signing(key('other.acme.'));
    await until(() => logged.length === 2);
    // Its answer is said to be a forgery when the signature of it is what fails.
    stranger.script = (received) =>
      forged({ ...received, bytes: signedBy(shared, received) }, (answer) => {
        answer[3] ^= RCODE.REFUSED;
      });
    await until(() => logged.length === 3);
    expect(logged.map(({ details }) => details.trouble)).toEqual([
      'no acceptable answer: TSIG BADSIG',
      'no acceptable answer: TSIG BADKEY',
      'no acceptable answer: answer fails verification: BADSIG',
    ]);
    expect(acknowledged).toEqual([]);
  });

  it('whose clock is wrong says so under its signature, and is tried again later', async () => {
    const { peer, start, publish, outbox, logged, acknowledged } = scene();
    const shared = key('device.acme.');
    const secondary = await peer(
      '127.0.0.1',
      signing(shared, () => Math.floor(Date.now() / 1000) + 3_600),
    );
    const notifier = start({ findKey: () => shared, retryMsMin: 1, spacingMs: 1 });
    publish(secondary, 5);
    await until(() => notifier.statistics().refused === 1);
    expect(acknowledged).toEqual([]);
    expect(logged[0].details.trouble).toBe('TSIG BADTIME');
    secondary.script = signing(shared);
    await until(() => outbox.rows().length === 0);
  });

  it('may answer without a key when it has none', async () => {
    const { peer, start, publish, outbox } = scene();
    const secondary = await peer('127.0.0.1', agree);
    start();
    publish(secondary, 5);
    await until(() => outbox.rows().length === 0);
    expect(secondary.received[0].message.tsig).toBeNull();
  });
});

/** The answer that a device with the right key gives. */
function signedBy(shared: TsigKey, received: Received): Buffer {
  return Buffer.from(signing(shared)(received, 1) ?? []);
}
