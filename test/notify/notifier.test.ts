import { describe, expect, it } from 'vitest';
import { decodeRdata, RCODE, RRTYPE, serial } from '../../src/dns/index.ts';
import { agree, type Received, silence, withRcode } from './peer.ts';
import { DEVICE, scene, sleep, until, ZONE } from './scene.ts';

/** The serial in the answer section. */
function serialIn({ message }: Received): number | null {
  const [soa] = message.answers;
  const rdata = decodeRdata(RRTYPE.SOA, soa.rdata, 0, soa.rdata.length);
  return rdata?.type === 'SOA' ? rdata.serial : null;
}

describe('the notifier', () => {
  it('tells an endpoint of a change at once, and is done when that is acknowledged', async () => {
    const { peer, start, publish, outbox, acknowledged } = scene();
    const secondary = await peer();
    const notifier = start();
    const before = Date.now();
    publish(secondary, 5);
    await until(() => outbox.rows().length === 0);
    const { address, port } = secondary;
    expect(acknowledged).toEqual([
      {
        deviceId: DEVICE,
        origin: ZONE,
        serial: 5,
        address,
        port,
        key: null,
        at: expect.any(Number),
      },
    ]);
    expect(acknowledged[0].at).toBeGreaterThanOrEqual(before);
    expect(secondary.received.map(serialIn)).toEqual([5]);
    await sleep(150);
    expect(secondary.received).toHaveLength(1);
    expect(notifier.statistics()).toMatchObject({ sent: 1, acknowledged: 1, inFlight: 0 });
  });

  it('reaches endpoints over IPv6, however their address is written', async () => {
    const { peer, start, publish, outbox, acknowledged } = scene();
    const secondary = await peer('::1');
    start();
    publish({ address: '0:0:0:0:0:0:0:1', port: secondary.port }, 5);
    await until(() => outbox.rows().length === 0);
    expect(acknowledged).toHaveLength(1);
  });

  it('tries again, each time after twice the time and under another id', async () => {
    const { peer, start, publish, outbox } = scene();
    const secondary = await peer('127.0.0.1', (received, number) =>
      number < 5 ? null : agree(received, number),
    );
    start({ answerTimeoutMs: 100, retryMsMin: 100 });
    publish(secondary, 5);
    await until(() => outbox.rows().length === 0);
    const { received } = secondary;
    const gaps = received.slice(1, 5).map(({ at }, i) => at - received[i].at);
    for (const [i, gap] of gaps.entries()) {
      // A busy machine notices each of the two later than it came.
      expect(gap).toBeGreaterThan(100 + 100 * 2 ** i - 80);
      expect(gap).toBeLessThan(100 + 100 * 2 ** i + 500);
    }
    expect(new Set(received.map(({ message }) => message.id)).size).toBe(received.length);
  });

  it('never gives up, and waits no longer than the maximum', async () => {
    const { peer, start, publish, outbox } = scene();
    const secondary = await peer('127.0.0.1', silence);
    start({ answerTimeoutMs: 5, retryMsMin: 10, retryMsMax: 20, spacingMs: 1 });
    publish(secondary, 5);
    await until(() => secondary.received.length === 20);
    expect(outbox.rows()[0].attempts).toBeGreaterThan(15);
    secondary.script = agree;
    await until(() => outbox.rows().length === 0);
  });

  it('does not take a late answer for that of a later attempt', async () => {
    const { peer, start, publish, acknowledged, outbox } = scene();
    const secondary = await peer('127.0.0.1', (received) => {
      setTimeout(() => secondary.send(withRcode(received.bytes, 0), received.from), 60);
      return null;
    });
    const notifier = start({ answerTimeoutMs: 30, retryMsMin: 10, spacingMs: 1 });
    publish(secondary, 5);
    await until(() => notifier.statistics().strays >= 3);
    expect(acknowledged).toEqual([]);
    expect(outbox.rows()).toHaveLength(1);
  });

  it('goes on after refusals and says which, once', async () => {
    const { peer, start, publish, outbox, acknowledged, logged } = scene();
    const rcodes = [RCODE.REFUSED, RCODE.REFUSED, RCODE.NOTZONE, RCODE.FORMERR, RCODE.SERVFAIL];
    const secondary = await peer('127.0.0.1', ({ bytes }, number) =>
      withRcode(bytes, rcodes[number - 1] ?? RCODE.NOERROR),
    );
    const notifier = start({ retryMsMin: 5, spacingMs: 1 });
    publish(secondary, 5);
    await until(() => outbox.rows().length === 0);
    expect(secondary.received).toHaveLength(6);
    expect(acknowledged).toHaveLength(1);
    expect(notifier.statistics()).toMatchObject({ refused: 5, timeouts: 0, acknowledged: 1 });
    expect(logged.map(({ level, details }) => [level, details.trouble])).toEqual([
      ['warn', 'REFUSED'],
      ['warn', 'NOTZONE'],
      ['warn', 'FORMERR'],
      ['warn', 'SERVFAIL'],
      ['info', undefined],
    ]);
    expect(logged[0].details).toMatchObject({ zone: ZONE, deviceId: DEVICE, serial: 5 });
  });

  it('sends a burst of changes as one NOTIFY at once and the newest after the spacing', async () => {
    const { peer, start, publish, outbox, acknowledged } = scene();
    const secondary = await peer();
    start({ spacingMs: 300 });
    await sleep(20);
    const begin = performance.now();
    for (let value = 1; value <= 50; value += 1) {
      publish(secondary, value);
      await sleep(1);
    }
    const burstMs = performance.now() - begin;
    await until(() => outbox.rows().length === 0);
    const { received } = secondary;
    // Two, unless the machine was so busy that the burst outlasted the spacing.
    expect(received.length).toBeLessThanOrEqual(2 + Math.floor(burstMs / 300));
    expect(received[0].at - begin).toBeLessThan(200);
    for (const [i, { at }] of received.slice(1).entries()) {
      expect(at - received[i].at).toBeGreaterThan(250);
    }
    expect(received.map(serialIn).at(-1)).toBe(50);
    expect(acknowledged.at(-1)?.serial).toBe(50);
  });

  it('tells of a change that came while an older one was not acknowledged yet', async () => {
    const { peer, start, publish, outbox } = scene();
    const secondary = await peer('127.0.0.1', (received, number) =>
      number === 1 ? null : agree(received, number),
    );
    start({ answerTimeoutMs: 150, retryMsMin: 60_000, spacingMs: 10 });
    publish(secondary, 1);
    await until(() => secondary.received.length === 1);
    publish(secondary, 2);
    await sleep(50);
    // One at a time for each endpoint and zone.
    expect(secondary.received).toHaveLength(1);
    await until(() => outbox.rows().length === 0);
    expect(secondary.received.map(serialIn)).toEqual([1, 2]);
  });

  it('does not tell of a serial before it is served', async () => {
    const { peer, start, outbox, served, publish } = scene();
    const secondary = await peer();
    const notifier = start();
    const { address, port } = secondary;
    publish(secondary, 1);
    await until(() => outbox.rows().length === 0);
    outbox.owe({ deviceId: DEVICE, origin: ZONE, address, port, serial: 2 });
    outbox.owe({ deviceId: DEVICE, origin: 'new.test.', address, port, serial: 1 });
    notifier.wake();
    const readBefore = outbox.calls.due;
    await sleep(300);
    expect(secondary.received).toHaveLength(1);
    expect(outbox.calls.due - readBefore).toBeLessThan(10);
    publish(secondary, 2);
    publish(secondary, 1, 'new.test.');
    await until(() => outbox.rows().length === 0);
    expect(served.size).toBe(2);
    expect(secondary.received.map(serialIn).sort()).toEqual([1, 1, 2]);
  });

  it('is content with one NOTIFY when a newer serial is served than the row has', async () => {
    const { peer, start, publish, outbox, acknowledged } = scene();
    const secondary = await peer();
    const { address, port } = secondary;
    publish(secondary, 9);
    const acknowledgement = { deviceId: DEVICE, origin: ZONE, address, port, serial: 9 };
    await outbox.settleNotifies({ acknowledged: [acknowledgement], failed: [] });
    outbox.owe({ deviceId: DEVICE, origin: ZONE, address, port, serial: 8 });
    start();
    await until(() => outbox.rows().length === 0);
    await sleep(150);
    expect(secondary.received.map(serialIn)).toEqual([9]);
    expect(acknowledged.map((each) => each.serial)).toEqual([9]);
  });

  it('sends at once what a restart left owed, however long it was to wait', async () => {
    const { peer, start, outbox, served, publish, acknowledged } = scene();
    const secondary = await peer();
    const { address, port } = secondary;
    publish(secondary, 3);
    outbox.rows().pop();
    outbox.restore({
      deviceId: DEVICE,
      origin: ZONE,
      address,
      port,
      serial: 3,
      attempts: 12,
      nextAttemptAt: Date.now() + 800_000,
    });
    expect(served.get(ZONE)).toBe(3);
    start();
    await until(() => outbox.rows().length === 0);
    expect(acknowledged).toHaveLength(1);
  });

  it('sends all of much that a restart left owed, while new changes go out at once', async () => {
    const { peer, start, outbox, served, publish, acknowledged } = scene();
    const secondary = await peer();
    const device = await peer();
    const { address, port } = secondary;
    const nextAttemptAt = Date.now() + 800_000;
    for (let i = 0; i < 300; i += 1) {
      const origin = `zone${i}.test.`;
      served.set(origin, serial(1));
      outbox.restore({ deviceId: i, origin, address, port, serial: 1, attempts: 9, nextAttemptAt });
    }
    start({ inFlightMax: 32, perSecondMax: 500 });
    await sleep(5);
    publish(device, 2);
    await until(() => acknowledged.some((each) => each.serial === 2));
    expect(acknowledged.length).toBeLessThan(150);
    await until(() => outbox.rows().length === 0);
    expect(acknowledged).toHaveLength(301);
  });

  it('sends what is owed when the clock was set back behind all plans', async () => {
    const { peer, start, outbox, publish } = scene();
    let offset = 0;
    const secondary = await peer('127.0.0.1', silence);
    start({
      now: () => Date.now() + offset,
      answerTimeoutMs: 30,
      retryMsMin: 300,
      retryMsMax: 300,
    });
    publish(secondary, 3);
    await until(() => outbox.rows()[0].attempts === 1);
    secondary.script = agree;
    offset = -86_400_000;
    await until(() => outbox.rows().length === 0);
  });

  it('keeps what is owed when it is stopped, answers under way or not', async () => {
    const { peer, start, outbox, publish } = scene();
    const secondary = await peer('127.0.0.1', silence);
    const notifier = start({ answerTimeoutMs: 60_000 });
    publish(secondary, 3);
    await until(() => secondary.received.length === 1);
    expect(notifier.statistics().inFlight).toBe(1);
    await notifier.stop();
    expect(outbox.rows()).toMatchObject([{ serial: 3, attempts: 0 }]);
    publish(secondary, 4);
    await sleep(150);
    expect(secondary.received).toHaveLength(1);
  });

  it('outlives a store that fails', async () => {
    const { peer, start, outbox, publish, logged } = scene();
    const secondary = await peer();
    start();
    await sleep(20);
    outbox.fail(1);
    publish(secondary, 3);
    await until(() => logged.some(({ level }) => level === 'error'));
    await until(() => outbox.rows().length === 0);
    expect(secondary.received).toHaveLength(1);
  });

  it('counts and retries what cannot be sent', async () => {
    const { start, outbox, publish, logged } = scene();
    const notifier = start({ retryMsMin: 10, spacingMs: 1 });
    publish({ address: 'not-an-address', port: 53 }, 1);
    await until(() => outbox.rows()[0].attempts >= 3);
    expect(notifier.statistics().unsendable).toBeGreaterThanOrEqual(3);
    expect(logged.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('tells two devices behind one endpoint one after the other', async () => {
    const { peer, start, outbox, publish, acknowledged } = scene();
    const secondary = await peer();
    const notifier = start({ spacingMs: 20 });
    publish(secondary, 1);
    const { address, port } = secondary;
    outbox.owe({ deviceId: 8, origin: ZONE, address, port, serial: 1 });
    notifier.wake();
    await until(() => outbox.rows().length === 0);
    expect(acknowledged.map(({ deviceId }) => deviceId).sort()).toEqual([DEVICE, 8]);
    expect(secondary.received).toHaveLength(2);
  });
});

describe('many endpoints', () => {
  it('are told of many zones with no more answers awaited than may be', async () => {
    const { peer, start, publish, outbox } = scene();
    let unanswered = 0;
    let most = 0;
    const secondary = await peer('127.0.0.1', (received) => {
      unanswered += 1;
      most = Math.max(most, unanswered);
      setTimeout(() => {
        unanswered -= 1;
        secondary.send(withRcode(received.bytes, 0), received.from);
      }, 10);
      return null;
    });
    for (let i = 0; i < 200; i += 1) publish(secondary, 1, `zone${i}.test.`);
    const notifier = start({ inFlightMax: 16, rowsReadMax: 50, answerTimeoutMs: 1_000 });
    await until(() => outbox.rows().length === 0);
    expect(secondary.received).toHaveLength(200);
    expect(most).toBeLessThanOrEqual(16);
    expect(most).toBeGreaterThan(8);
    expect(notifier.statistics()).toMatchObject({ acknowledged: 200, timeouts: 0 });
    // Reading the outbox for every answer would be as many reads as rows.
    expect(outbox.calls.due).toBeLessThan(30);
  });

  it('that are silent do not hold up those that answer', async () => {
    const { peer, start, publish, acknowledged } = scene();
    const dead = await peer('127.0.0.1', silence);
    const alive = await peer();
    start({ inFlightMax: 4, answerTimeoutMs: 1_000, retryMsMin: 1, retryMsMax: 1, spacingMs: 10 });
    for (let i = 0; i < 40; i += 1) publish(dead, 1, `dead${i}.test.`);
    await until(() => dead.received.length > 4);
    for (let value = 1; value <= 10; value += 1) {
      const begin = performance.now();
      publish(alive, value);
      await until(() => acknowledged.at(-1)?.serial === value);
      expect(performance.now() - begin).toBeLessThan(700);
    }
  });
});
