import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { formatRdata, parseName, RRTYPE } from '../../src/dns/index.ts';
import type { DigestThread } from '../../src/publish/digest-thread/start-digest-thread.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { withDigests } from '../../src/publish/zone-digests.ts';
import { EMPTY_CATALOG } from '../../src/zone/catalog-content.ts';
import { type House, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, BLOCK, zoneName } from '../support/scene.ts';
import { imageOfAxfr } from '../support/zone-image.ts';
import { naiveZoneDigest } from '../zone/naive-zone-digest.ts';
import {
  blocks,
  bodyWith,
  changedTo,
  contentOf,
  digestHere,
  hearOrders,
  hearWorkers,
  LARGE,
  openThread,
  pendingZone,
  ROW_OCTETS,
  rowsOf,
  zonesNamed,
} from './digest-scene.ts';

const A = 'a.block.test.';
const B = 'b.block.test.';
const C = 'c.block.test.';
const program = (source: string) =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'; ${source}`)}`,
  );
const DIES = program(`parentPort.on('message', () => process.exit(7));`);
const IS_SILENT = program(`parentPort.on('message', () => {});`);

/** An IP policy of so many addresses. */
const addGate = (house: House, addresses: number) =>
  house.edit((edit) => {
    const id = addTarget(edit, 'scanners', ['198.51.100.1']);
    addPolicy(edit, 'gate', 'ip', { targets: [[id, BLOCK]] });
    const lines = Array.from({ length: addresses }, (_, at) => `11.${at >> 8}.${at & 255}.1`);
    changeIndicators(edit, id, { add: Buffer.from(lines.join('\n')) });
    return id;
  });

/** As the judge has it that shares no code with the server. */
function expectDigest(house: House): void {
  const origin = zoneName('block', 'gate');
  const image = imageOfAxfr(house.transfer(origin).records);
  const naive = naiveZoneDigest(parseName(origin), [...image.records.values()]);
  const text = formatRdata(RRTYPE.ZONEMD, house.zone(origin).digest!);
  expect(text).toBe(`${image.serial} 1 1 ${naive}`);
}

describe('the digest thread', () => {
  it('makes the digests of all zones that carry a body, as they are made on the main thread', async () => {
    const { thread, workers } = openThread();
    const content = contentOf(blocks(LARGE));
    const v6 = changedTo([], 4, blocks(3_000));
    const hosts = { v4: rowsOf(1, blocks(70)), v6: rowsOf(4, blocks(130)), leftOut: 3 };
    const body = bodyWith({ ...content, v6, hosts });
    expect(await thread.digests(body, zonesNamed(A, B))).toEqual([
      digestHere(A, body),
      digestHere(B, body),
    ]);
    expect(workers).toHaveLength(1);
  });

  it('is for IP zones above a size, and is not started for others', async () => {
    const { thread, workers } = openThread({ keptOctetsMax: 30_000 * ROW_OCTETS });
    const takes = (count: number) => thread.takes(bodyWith(contentOf(blocks(count))));
    expect([takes(1_000), takes(LARGE), takes(30_001)]).toEqual([false, true, false]);
    expect(thread.takes({ kind: 'catalog', content: EMPTY_CATALOG, ttl: 0 })).toBe(false);
    const zones = new Map([[A, pendingZone(A, bodyWith(contentOf(blocks(1_000))))]]);
    const digested = await withDigests(zones, [A], thread);
    expect(digested.get(A)).toEqual((await withDigests(zones, [A])).get(A));
    expect(workers).toEqual([]);
  });

  it('takes the work from the main thread', async () => {
    const { thread } = openThread();
    const cpuOf = async (by?: DigestThread): Promise<number> => {
      const body = bodyWith(contentOf(blocks(300_000)));
      // What is kept ready of pages that do not change is not what this is about.
      await withDigests(new Map([[A, pendingZone(A, body)]]), [A], by);
      const zones = new Map([A, B, C].map((origin) => [origin, pendingZone(origin, body)]));
      const before = process.threadCpuUsage();
      await withDigests(zones, zones.keys(), by);
      const { user, system } = process.threadCpuUsage(before);
      return user + system;
    };
    const inSlices = await cpuOf();
    expect(await cpuOf(thread)).toBeLessThan(inSlices / 2);
  });

  it('is sent what changed, and forgets what nobody has any more', async () => {
    const { thread } = openThread();
    const listed = blocks(LARGE);
    const first = contentOf(listed);
    await thread.digests(bodyWith(first), zonesNamed(A));
    await thread.digests(bodyWith(first), zonesNamed(B));
    const orders = hearOrders();
    listed.set(4, 32);
    const next = bodyWith({ ...first, v4: changedTo(first.v4, 1, listed) });
    const pagesIn = () =>
      orders.reduce((sum, order) => sum + (order.kind === 'keep' ? order.pages.length : 0), 0);
    const pagesOut = () =>
      orders.reduce((sum, order) => sum + (order.kind === 'forget' ? order.ids.length : 0), 0);
    expect(await thread.digests(next, zonesNamed(A))).toEqual([digestHere(A, next)]);
    expect([pagesIn(), pagesOut()]).toEqual([1, 0]);
    expect(await thread.digests(next, zonesNamed(B))).toEqual([digestHere(B, next)]);
    expect([pagesIn(), pagesOut()]).toEqual([1, 1]);
    // A page that was forgotten and comes back is sent anew.
    expect(await thread.digests(bodyWith(first), zonesNamed(A))).toEqual([
      digestHere(A, bodyWith(first)),
    ]);
    expect([pagesIn(), pagesOut()]).toEqual([2, 1]);
  });

  it('never keeps more octets than it may', async () => {
    const octetsMax = 25_000 * ROW_OCTETS;
    const { thread } = openThread({ keptOctetsMax: octetsMax });
    const orders = hearOrders();
    const [one, other] = [0, 1].map((first) => bodyWith(contentOf(blocks(LARGE, first))));
    for (const [origin, body] of [
      [A, one],
      [B, other],
      [A, one],
      [A, one],
    ] as const) {
      expect(await thread.digests(body, zonesNamed(origin))).toEqual([digestHere(origin, body)]);
    }
    const kept = new Map<number, number>();
    let most = 0;
    for (const order of orders) {
      if (order.kind === 'forget') for (const id of order.ids) kept.delete(id);
      if (order.kind !== 'keep') continue;
      for (const { id, page } of order.pages) kept.set(id, page.prefixes.count * ROW_OCTETS);
      most = Math.max(
        most,
        [...kept.values()].reduce((sum, octets) => sum + octets, 0),
      );
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(octetsMax);
  });

  it('ends when it has rested, and is started again', async () => {
    const { thread, workers } = openThread({ restMs: 20 });
    const body = bodyWith(contentOf(blocks(LARGE)));
    await thread.digests(body, zonesNamed(A));
    expect(await once(workers[0], 'exit')).toEqual([0]);
    expect(await thread.digests(body, zonesNamed(A))).toEqual([digestHere(A, body)]);
    expect(workers).toHaveLength(2);
  });

  it('does what it was asked for before it is closed, and nothing afterwards', async () => {
    const { thread, workers, errors } = openThread();
    const body = bodyWith(contentOf(blocks(LARGE)));
    const asked = thread.digests(body, zonesNamed(A, B));
    await thread.close();
    expect(await asked).toEqual([digestHere(A, body), digestHere(B, body)]);
    expect(await thread.digests(body, zonesNamed(A))).toEqual([null]);
    expect(workers.map(({ threadId }) => threadId)).toEqual([-1]);
    expect(errors).toEqual([]);
  });
});

describe('when the digest thread fails', () => {
  it('by being killed, the digests are made in slices, and the next ones by another thread', async () => {
    const { thread, workers, errors } = openThread();
    const body = bodyWith(contentOf(blocks(LARGE)));
    await thread.digests(body, zonesNamed(A));
    const zones = new Map([A, B, C].map((origin) => [origin, pendingZone(origin, body)]));
    const inSlices = await withDigests(zones, zones.keys());
    const asked = withDigests(zones, zones.keys(), thread);
    await workers[0].terminate();
    expect(await asked).toEqual(inSlices);
    expect(errors).toHaveLength(1);
    expect(await thread.digests(body, zonesNamed(B))).toEqual([digestHere(B, body)]);
    expect(workers).toHaveLength(2);
  });

  it('before it has answered anything, it is not started again at once', async () => {
    const { thread, workers, errors } = openThread({ thread: DIES });
    const body = bodyWith(contentOf(blocks(LARGE)));
    expect(await thread.digests(body, zonesNamed(A, B))).toEqual([null, null]);
    expect(await thread.digests(body, zonesNamed(A))).toEqual([null]);
    expect(workers).toHaveLength(1);
    expect(errors.map(String)).toEqual(['Error: the digest thread ended with code 7']);
  });

  it('by saying nothing, it is ended and the digests are made in slices', async () => {
    const { thread, workers, errors } = openThread({ thread: IS_SILENT, answerMsMax: 50 });
    const zones = new Map([[A, pendingZone(A, bodyWith(contentOf(blocks(LARGE))))]]);
    const digested = await withDigests(zones, [A], thread);
    expect(digested).toEqual(await withDigests(zones, [A]));
    await expect.poll(() => workers[0].threadId).toBe(-1);
    expect(errors.map(String)).toEqual(['Error: the digest thread was silent for 50 ms']);
  });

  it('an edit is published with its digest all the same', async () => {
    const { workers } = hearWorkers((worker) => worker.terminate());
    const house = await openHouse({ defaults: { zonemd: true } });
    await addGate(house, LARGE);
    expect(workers).toHaveLength(1);
    expectDigest(house);
    await house.publisher.close();
  });
});

describe('the publisher', () => {
  it('ends the digest thread when it is closed', async () => {
    const { workers } = hearWorkers();
    const house = await openHouse({ defaults: { zonemd: true } });
    const { value: target } = await addGate(house, LARGE);
    expectDigest(house);
    expect(workers.map(({ threadId }) => threadId > 0)).toEqual([true]);
    await house.publisher.close();
    expect(workers.map(({ threadId }) => threadId)).toEqual([-1]);
    await house.edit((edit) => changeIndicators(edit, target, { add: ['192.0.2.1'] }));
    expectDigest(house);
    expect(workers).toHaveLength(1);
  });
});

describe('the digests of many zones', () => {
  it('are all asked for before the first one is awaited', async () => {
    const bodies = [0, 1, 2].map((first) => bodyWith(contentOf(blocks(10, first))));
    const origins = [A, B, C];
    const zones = new Map(origins.map((origin, at) => [origin, pendingZone(origin, bodies[at])]));
    const asked: string[] = [];
    const all = Promise.withResolvers<void>();
    const thread: DigestThread = {
      takes: (body): body is (typeof bodies)[number] => body.kind === 'ip',
      async digests(body, some) {
        for (const { origin } of some) asked.push(origin);
        if (asked.length === origins.length) all.resolve();
        await all.promise;
        return some.map(({ origin }) => digestHere(origin, body));
      },
      close: async () => {},
    };
    const digested = await withDigests(zones, origins, thread);
    expect(asked).toEqual(origins);
    expect(digested).toEqual(await withDigests(zones, origins));
  });
});
