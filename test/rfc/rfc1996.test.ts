import { describe, expect, it } from 'vitest';
import {
  CLASS,
  formatName,
  namesEqual,
  OPCODE,
  parseName,
  RCODE,
  RRTYPE,
  serial,
  type TsigKey,
} from '../../src/dns/index.ts';
import { agree, silence, withRcode } from '../notify/peer.ts';
import { DEVICE, scene, sleep, soaOf, until, ZONE } from '../notify/scene.ts';
import { type AskOptions, openHouse } from '../support/house.ts';

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

describe('RFC 1996, the receiver of NOTIFY', () => {
  const UPSTREAM = 'rpz.upstream.example.';
  const PRIMARY = '192.0.2.53';
  const KEY: TsigKey = {
    name: parseName('upstream.key.'),
    algorithm: 'hmac-sha256',
    secret: Uint8Array.from({ length: 32 }, (_, at) => at),
  };

  type NotifyOptions = AskOptions & { readonly type?: keyof typeof RRTYPE };

  /** A nameserver that follows one zone, and what it was told. */
  async function openReceiver() {
    const told: string[] = [];
    const house = await openHouse({
      nameserver: {
        upstreams: () => ({
          findKey: (name) => (namesEqual(name, KEY.name) ? KEY : undefined),
          notified({ zone, address, key }) {
            if (formatName(zone) !== UPSTREAM) return 'not-followed';
            if (address !== PRIMARY && key === null) return 'stranger';
            told.push(`${formatName(zone)} ${address}${key === null ? '' : ' signed'}`);
            return 'taken';
          },
        }),
      },
    });
    const notify = (zone: string, { type = 'SOA', ...options }: NotifyOptions = {}) =>
      house.ask(zone, type, { opcode: OPCODE.NOTIFY, from: PRIMARY, ...options });
    return { notify, told };
  }

  it('4.7: answers with the request, QR and AA set, and hears its primary whatever the case', async () => {
    const { notify, told } = await openReceiver();
    const answer = notify('RPZ.Upstream.example.', { id: 99 });
    expect(answer).toMatchObject({
      id: 99,
      isResponse: true,
      opcode: OPCODE.NOTIFY,
      authoritative: true,
      rcode: RCODE.NOERROR,
      questions: [{ type: RRTYPE.SOA, class: CLASS.IN }],
      answers: [],
    });
    expect(formatName(answer.questions[0].name)).toBe('RPZ.Upstream.example.');
    expect(told).toEqual([`${UPSTREAM} ${PRIMARY}`]);
  });

  it('3.10: does not hear others, unless they sign with the key of the primary', async () => {
    const { notify, told } = await openReceiver();
    expect(notify(UPSTREAM, { from: '192.0.2.99' }).rcode).toBe(RCODE.REFUSED);
    expect(told).toEqual([]);
    expect(notify(UPSTREAM, { from: '192.0.2.99', key: KEY }).rcode).toBe(RCODE.NOERROR);
    expect(told).toEqual([`${UPSTREAM} 192.0.2.99 signed`]);
  });

  it('answers NOTIMP when it is told of anything but a SOA', async () => {
    const { notify, told } = await openReceiver();
    expect(notify(UPSTREAM, { type: 'A' }).rcode).toBe(RCODE.NOTIMP);
    expect(told).toEqual([]);
  });

  it('answers NOTAUTH for a zone that it does not follow', async () => {
    const { notify, told } = await openReceiver();
    expect(notify('rpz.other.example.').rcode).toBe(RCODE.NOTAUTH);
    expect(told).toEqual([]);
  });
});
