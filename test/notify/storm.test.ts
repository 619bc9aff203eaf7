import { describe, expect, it } from 'vitest';
import { decodeRdata, formatName, RRTYPE } from '../../src/dns/index.ts';
import { withRcode } from './peer.ts';
import { type Scene, scene, sleep, until } from './scene.ts';

const ZONES = 2_000;
const zoneName = (index: number): string => `zone${index}.test.`;

/** A secondary that takes a while to answer, and notes how many answers it owed at most. */
async function slowPeer({ peer }: Scene, answerMs: number) {
  const owed = { now: 0, most: 0 };
  const secondary = await peer('127.0.0.1', ({ bytes, from }) => {
    owed.now += 1;
    owed.most = Math.max(owed.most, owed.now);
    setTimeout(() => {
      owed.now -= 1;
      secondary.send(withRcode(bytes, 0), from);
    }, answerMs);
    return null;
  });
  return { secondary, owed };
}

/** Zone and serial of what a secondary was told, in order. */
function toldTo({ received }: Awaited<ReturnType<typeof slowPeer>>['secondary']) {
  return received.map(({ message }) => {
    const [soa] = message.answers;
    const rdata = decodeRdata(RRTYPE.SOA, soa.rdata, 0, soa.rdata.length);
    const value = rdata?.type === 'SOA' ? rdata.serial : null;
    return { zone: formatName(message.questions[0].name), serial: value };
  });
}

/** How many of these times lie in the second that holds most of them. */
function mostInASecond(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (const [last, at] of sorted.entries()) {
    while (at - sorted[first] > 1_000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

describe('a change of thousands of zones', () => {
  it('is told to each endpoint within the limits, and all of it arrives', async () => {
    const made = scene();
    const peers = [await slowPeer(made, 4), await slowPeer(made, 4), await slowPeer(made, 4)];
    for (let index = 0; index < ZONES; index += 1) {
      for (const { secondary } of peers) made.publish(secondary, 1, zoneName(index));
    }
    const perSecondMax = 2_000;
    const notifier = made.start({ perSecondMax, inFlightPerEndpointMax: 8, inFlightMax: 64 });
    await until(() => made.outbox.rows().length === 0);
    for (const { secondary, owed } of peers) {
      expect(new Set(toldTo(secondary).map(({ zone }) => zone)).size).toBe(ZONES);
      expect(secondary.received).toHaveLength(ZONES);
      expect(owed.most).toBeLessThanOrEqual(8);
      expect(owed.most).toBeGreaterThan(4);
    }
    const times = peers.flatMap(({ secondary }) => secondary.received.map(({ at }) => at));
    // A tenth more may go out at once in the beginning, and a busy machine notices some late.
    expect(mostInASecond(times)).toBeLessThan(perSecondMax * 1.3);
    expect(notifier.statistics()).toMatchObject({ acknowledged: 3 * ZONES, timeouts: 0 });
  }, 30_000);

  it('is told by its newest serials when another change comes meanwhile', async () => {
    const made = scene();
    const { secondary } = await slowPeer(made, 1);
    const zones = Array.from({ length: 400 }, (_, index) => zoneName(index));
    for (const zone of zones) made.publish(secondary, 1, zone);
    made.start({ perSecondMax: 400, spacingMs: 5 });
    await until(() => secondary.received.length > 100);
    for (const zone of zones) made.publish(secondary, 2, zone);
    expect(made.outbox.rows().length).toBeLessThanOrEqual(zones.length);
    await until(() => made.outbox.rows().length === 0);
    const told = toldTo(secondary);
    const first = told.filter(({ serial }) => serial === 1).length;
    expect(first).toBeGreaterThan(100);
    expect(first).toBeLessThan(300);
    expect(told.filter(({ serial }) => serial === 2)).toHaveLength(zones.length);
    expect(new Set(told.filter(({ serial }) => serial === 2).map(({ zone }) => zone)).size).toBe(
      zones.length,
    );
  }, 20_000);

  it('does not hold up a device with a few zones, whether they changed before or after it', async () => {
    const made = scene();
    const large = await slowPeer(made, 1);
    const device = await slowPeer(made, 1);
    for (let index = 0; index < ZONES; index += 1) {
      made.publish(large.secondary, 1, zoneName(index));
    }
    made.publish(device.secondary, 1, 'of-device.test.');
    made.publish(device.secondary, 1, 'of-policy.test.');
    // Fewer rows are read at once than the large secondary is owed.
    made.start({ perSecondMax: 1_000, rowsReadMax: 200, spacingMs: 5 });
    await until(() => device.secondary.received.length === 2);
    expect(large.secondary.received.length).toBeLessThan(200);
    await until(() => large.secondary.received.length > 500);
    const begin = performance.now();
    made.publish(device.secondary, 2, 'of-device.test.');
    await until(() => device.secondary.received.length === 3);
    expect(performance.now() - begin).toBeLessThan(300);
    await until(() => made.outbox.rows().length === 0);
    expect(large.secondary.received.length).toBe(ZONES);
  }, 20_000);

  it('goes on to the others while one endpoint answers nothing', async () => {
    const made = scene();
    const dead = await made.peer('127.0.0.1', () => null);
    const alive = await slowPeer(made, 1);
    for (let index = 0; index < 300; index += 1) {
      made.publish(dead, 1, zoneName(index));
      made.publish(alive.secondary, 1, zoneName(index));
    }
    made.start({ inFlightMax: 32, inFlightPerEndpointMax: 8, answerTimeoutMs: 2_000 });
    const begin = performance.now();
    await until(() => alive.secondary.received.length === 300);
    expect(performance.now() - begin).toBeLessThan(1_900);
    expect(dead.received.length).toBeLessThanOrEqual(8);
  });

  it('goes on under other limits when these are changed', async () => {
    const made = scene();
    const { secondary } = await slowPeer(made, 1);
    for (let index = 0; index < 300; index += 1) made.publish(secondary, 1, zoneName(index));
    const notifier = made.start({ perSecondMax: 20, inFlightPerEndpointMax: 1 });
    await sleep(200);
    expect(made.outbox.rows().length).toBeGreaterThan(280);
    notifier.useLimits({ perSecondMax: 5_000, inFlightPerEndpointMax: 16 });
    const begin = performance.now();
    await until(() => made.outbox.rows().length === 0);
    expect(performance.now() - begin).toBeLessThan(5_000);
  }, 20_000);

  it('stops at once when the server does', async () => {
    const made = scene();
    const { secondary } = await slowPeer(made, 1);
    for (let index = 0; index < 200; index += 1) made.publish(secondary, 1, zoneName(index));
    const notifier = made.start({ perSecondMax: 50 });
    await until(() => secondary.received.length >= 5);
    await notifier.stop();
    const { length } = secondary.received;
    await sleep(150);
    expect(secondary.received).toHaveLength(length);
    expect(made.outbox.rows().length).toBeGreaterThan(150);
  });
});
