import { describe, expect, it } from 'vitest';
import { CLASS, OPCODE, parseName, RCODE, RRTYPE, serial } from '../../src/dns/index.ts';
import { agree, silence, withRcode } from '../notify/peer.ts';
import { DEVICE, scene, sleep, soaOf, until, ZONE } from '../notify/scene.ts';

describe('RFC 1996, the sender of NOTIFY', () => {
  it('3.6: repeats the request until there is a response', async () => {
    const { peer, start, publish, outbox } = scene();
    const secondary = await peer('127.0.0.1', (received, number) =>
      number < 3 ? null : agree(received, number),
    );
    start({ answerTimeoutMs: 20, retryMsMin: 10, spacingMs: 1 });
    publish(secondary, 5);
    await until(() => outbox.rows().length === 0);
    await sleep(100);
    expect(secondary.received).toHaveLength(3);
  });

  it('3.7: carries the new SOA in the answer section, as a hint', async () => {
    const { peer, start, publish } = scene();
    const secondary = await peer();
    start();
    publish(secondary, 5);
    await until(() => secondary.received.length === 1);
    const soa = soaOf(serial(5));
    expect(secondary.received[0].message.answers).toEqual([
      { name: parseName(ZONE), type: RRTYPE.SOA, class: CLASS.IN, ttl: 60, rdata: soa?.rdata },
    ]);
  });

  it('3.7: leaves the hint out when it does not fit into 512 octets', async () => {
    const { peer, start, publish, outbox } = scene();
    const secondary = await peer();
    const long = `${'x'.repeat(60)}.`.repeat(4);
    const rdata = new Uint8Array([
      ...parseName(long),
      ...parseName(`y${long.slice(1)}`),
      ...Buffer.alloc(20),
    ]);
    start({ soaRdata: () => ({ serial: serial(5), ttl: 60, rdata }) });
    publish(secondary, 5, `z.${'w'.repeat(60)}.`.repeat(3));
    await until(() => outbox.rows().length === 0);
    const [{ bytes, message }] = secondary.received;
    expect(bytes.length).toBeLessThanOrEqual(512);
    expect(message.answers).toEqual([]);
  });

  it('3.9: has nothing in the authority and additional sections', async () => {
    const { peer, start, publish } = scene();
    const secondary = await peer();
    start();
    publish(secondary, 5);
    await until(() => secondary.received.length === 1);
    const { authorities, additionals, edns } = secondary.received[0].message;
    expect([authorities, additionals, edns]).toEqual([[], [], null]);
  });

  it('3.12: takes NOTIMP for the end of it, not for an acknowledgement, and tells of the next change', async () => {
    const { peer, start, publish, outbox, acknowledged, logged } = scene();
    const secondary = await peer('127.0.0.1', ({ bytes }) => withRcode(bytes, RCODE.NOTIMP));
    const notifier = start({ retryMsMin: 5, spacingMs: 1 });
    publish(secondary, 5);
    await until(() => outbox.rows().length === 0);
    await sleep(100);
    expect(secondary.received).toHaveLength(1);
    expect(acknowledged).toEqual([]);
    expect(notifier.statistics()).toMatchObject({ notImplemented: 1, refused: 0 });
    expect(logged.map(({ details }) => details.trouble)).toEqual(['NOTIMP']);
    publish(secondary, 6);
    await until(() => secondary.received.length === 2);
  });

  it('4.1: notifies anew when it starts', async () => {
    const { peer, start, publish, outbox } = scene();
    const secondary = await peer('127.0.0.1', silence);
    const notifier = start({ answerTimeoutMs: 10, retryMsMin: 60_000 });
    publish(secondary, 5);
    await until(() => outbox.rows()[0].attempts === 1);
    await notifier.stop();
    secondary.script = agree;
    start();
    await until(() => outbox.rows().length === 0);
  });

  it('4.5: sets opcode NOTIFY and AA, an id of its own, and asks for the SOA of the zone', async () => {
    const { peer, start, publish, outbox } = scene();
    const secondary = await peer();
    start({ spacingMs: 1 });
    for (let value = 1; value <= 10; value += 1) {
      publish(secondary, value);
      await until(() => outbox.rows().length === 0);
    }
    const messages = secondary.received.map(({ message }) => message);
    expect(new Set(messages.map(({ id }) => id)).size).toBeGreaterThan(8);
    for (const message of messages) {
      expect(message).toMatchObject({
        isResponse: false,
        opcode: OPCODE.NOTIFY,
        authoritative: true,
        truncated: false,
        recursionDesired: false,
        recursionAvailable: false,
        rcode: RCODE.NOERROR,
        questions: [{ name: parseName(ZONE), type: RRTYPE.SOA, class: CLASS.IN }],
      });
    }
  });

  it('4.8: is done with the serial that the response is for', async () => {
    const { peer, start, publish, outbox, acknowledged } = scene();
    const secondary = await peer('127.0.0.1', silence);
    start({ answerTimeoutMs: 5_000, spacingMs: 1 });
    publish(secondary, 5);
    await until(() => secondary.received.length === 1);
    publish(secondary, 6);
    const [{ bytes, from }] = secondary.received;
    secondary.script = agree;
    secondary.send(withRcode(bytes, 0), from);
    await until(() => outbox.rows().length === 0);
    expect(acknowledged.map((each) => each.serial)).toEqual([5, 6]);
    expect(acknowledged.every(({ deviceId }) => deviceId === DEVICE)).toBe(true);
  });
});
