import { beforeAll, describe, expect, it } from 'vitest';
import { parseName } from '../../src/dns/index.ts';
import { createMessageCache, type MessageCache } from '../../src/nameserver/message-cache.ts';
import { createOctetBudget } from '../../src/nameserver/octet-budget.ts';
import { recordsPart, type TransferPart } from '../../src/nameserver/transfer-parts.ts';
import type { PolicyId, TargetId } from '../../src/policy/model.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { label, type PositionedRecord, recordTail } from '../../src/zone/records.ts';
import type { ZoneSnapshot } from '../../src/zone/snapshot.ts';
import { type House, openHouse, tsigKeyOf } from '../support/house.ts';
import { openTransfer } from '../support/open-transfer.ts';
import { createRandom } from '../support/random.ts';
import { addKeyed, addPolicy, addTarget, BLOCK, NXDOMAIN, zoneName } from '../support/scene.ts';
import {
  compareImages,
  followIxfr,
  imageOfAxfr,
  recordText,
  SAME_IMAGE,
} from '../support/zone-image.ts';

/** Where records begin: behind the header and the question. */
const BODY_STARTS_AT = 40;
const MESSAGE_OCTETS_MAX = 17_000;
const KIB = 1024;
const MIB = 1024 * KIB;

/** One client: it takes messages when it is told to. */
function openClient(part: TransferPart) {
  const messages: { octets: Buffer; records: number }[] = [];
  let isOver = false;
  return {
    messages,
    isOver: () => isOver,
    read(count = Number.POSITIVE_INFINITY) {
      for (let taken = 0; taken < count && !isOver; taken++) {
        const buffer = new Uint8Array(MESSAGE_OCTETS_MAX);
        const message = { buffer, start: 0, at: BODY_STARTS_AT, records: 0 };
        isOver = part.write(message);
        const octets = Buffer.from(buffer.subarray(BODY_STARTS_AT, message.at));
        messages.push({ octets, records: message.records });
      }
      return messages;
    },
  };
}

/** Records of 100 octets or so, two at each owner; says how many were rendered. */
function rendering(count: number) {
  const counts = { started: 0, rendered: 0 };
  return {
    counts,
    *records(): Generator<PositionedRecord> {
      counts.started++;
      for (let index = 0; index < count / 2; index++) {
        const labels = label(`owner-${index}`);
        for (const octet of [1, 2]) {
          counts.rendered++;
          yield { labels, tail: recordTail(16, 60, new Uint8Array(80).fill(octet)) };
        }
      }
    },
  };
}

let zone: ZoneSnapshot;
beforeAll(async () => {
  const house = await openHouse();
  await house.edit((edit) => addPolicy(edit, 'edge', 'ip', {}));
  zone = house.zone(zoneName('block', 'edge'));
});

/** The same zone at another serial. */
const nextSerial = (): ZoneSnapshot => ({ ...zone });

function openScene(budgetOctets: number) {
  const budget = createOctetBudget(budgetOctets);
  const cache = createMessageCache(budget);
  const open = (
    snapshot: ZoneSnapshot,
    records: () => Iterator<PositionedRecord>,
    from: Parameters<MessageCache['open']>[1] = null,
  ) => cache.open(snapshot, from, records);
  return { budget, open };
}

describe('messages that many clients ask for', () => {
  it('are rendered once and are the same for all, to the octet', () => {
    const { open } = openScene(MIB);
    const { records, counts } = rendering(1_000);
    const alone = openClient(recordsPart(records())).read();
    counts.started = 0;
    for (let client = 0; client < 20; client++) {
      expect(openClient(open(zone, records)).read()).toEqual(alone);
    }
    expect(alone.length).toBeGreaterThan(4);
    expect(counts.started).toBe(1);
  });

  it('are encoded no further than the client that is furthest has read', () => {
    const { open, budget } = openScene(MIB);
    const { records, counts } = rendering(10_000);
    const [fast, slow] = [openClient(open(zone, records)), openClient(open(zone, records))];
    expect(counts.rendered).toBe(0);
    fast.read(2);
    const [first, second] = fast.messages;
    // One record more is looked at before it turns out not to fit.
    expect(counts.rendered).toBe(first.records + second.records + 1);
    slow.read(2);
    expect(counts.rendered).toBe(first.records + second.records + 1);
    expect(budget.held()).toBeLessThan(3 * MESSAGE_OCTETS_MAX);
  });

  it('are kept apart by where the client stands', () => {
    const { open } = openScene(MIB);
    const [whole, changes] = [rendering(400), rendering(100)];
    const serial = zone.serial;
    const read = (from: typeof serial | null, { records }: typeof whole) =>
      openClient(open(zone, records, from))
        .read()
        .reduce((sum, message) => sum + message.records, 0);
    for (let time = 0; time < 2; time++) {
      expect(read(null, whole)).toBe(400);
      expect(read(serial, changes)).toBe(100);
    }
    expect([whole.counts.started, changes.counts.started]).toEqual([1, 1]);
  });

  it.each([0, 30 * KIB, 200 * KIB, 500 * KIB, 8 * MIB])(
    'reach every client whole, at whatever pace and whatever has room, within a budget of %i octets',
    (budgetOctets) => {
      const { open, budget } = openScene(budgetOctets);
      const random = createRandom(budgetOctets);
      const zones = Array.from({ length: 6 }, (_, index) => {
        const { records } = rendering(500 * (index + 1));
        const origin = Uint8Array.from([1, 97 + index, 0]) as typeof zone.settings.origin;
        const snapshot = { ...zone, settings: { ...zone.settings, origin } };
        return { snapshot, records, alone: openClient(recordsPart(records())).read() };
      });
      const runs = Array.from({ length: 30 }, () => {
        const of = random.pick(zones);
        return { of, client: openClient(open(of.snapshot, of.records)) };
      });
      for (let turn = 0; turn < 300; turn++) {
        random.pick(runs).client.read(1);
        expect(budget.held()).toBeLessThanOrEqual(budgetOctets);
      }
      for (const { of, client } of runs) {
        expect(client.read()).toEqual(of.alone);
      }
    },
  );
});

describe('what is kept of them', () => {
  it('goes with a new serial when nobody reads it any more', () => {
    const { open, budget } = openScene(MIB);
    const { records } = rendering(1_000);
    openClient(open(zone, records)).read();
    const before = budget.held();
    const small = rendering(2);
    openClient(open(nextSerial(), small.records)).read();
    expect(before).toBeGreaterThan(80_000);
    expect(budget.held()).toBeLessThan(10_000);
  });

  it('stays for those who still read it, and goes with the last of them', () => {
    const { open, budget } = openScene(MIB);
    const { records, counts } = rendering(1_000);
    const alone = openClient(recordsPart(records())).read();
    counts.started = 0;
    const [first, second] = [openClient(open(zone, records)), openClient(open(zone, records))];
    first.read(1);
    openClient(open(nextSerial(), rendering(2).records)).read();
    expect(first.read()).toEqual(alone);
    expect(budget.held()).toBeGreaterThan(80_000);
    expect(second.read()).toEqual(alone);
    expect(budget.held()).toBeLessThan(10_000);
    expect(counts.started).toBe(1);
  });

  it('goes when the last who reads it is cut off', () => {
    const { open, budget } = openScene(MIB);
    const part = open(zone, rendering(1_000).records);
    openClient(part).read(3);
    openClient(open(nextSerial(), rendering(2).records)).read();
    expect(budget.held()).toBeGreaterThan(40_000);
    part.close?.();
    part.close?.();
    expect(budget.held()).toBeLessThan(10_000);
  });

  it('is nothing for a transfer that would take more than its share, which takes no room from others', () => {
    const { open, budget } = openScene(400 * KIB);
    const small = rendering(500);
    openClient(open(zone, small.records)).read();
    const held = budget.held();
    const other = {
      ...zone,
      settings: {
        ...zone.settings,
        origin: Uint8Array.of(1, 98, 0) as typeof zone.settings.origin,
      },
    };
    const long = rendering(3_000);
    const alone = openClient(recordsPart(long.records())).read();
    const [first, second] = [
      openClient(open(other, long.records)),
      openClient(open(other, long.records)),
    ];
    second.read(2);
    expect(first.read()).toEqual(alone);
    expect(second.read()).toEqual(alone);
    expect(budget.held()).toBeLessThan(held + 10 * KIB);
    openClient(open(zone, small.records)).read();
    expect(small.counts.started).toBe(1);
  });
});

describe('transfers of zones that change while they are read', () => {
  const RPZ = zoneName('rpz', 'corp');
  const IP = zoneName('block', 'edge');
  const KITS = 1 as TargetId;
  const addresses = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, index) => {
      const number = (from + index) * 2;
      return `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    });
  const names = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `name-${from + index}.example`);

  async function openZones(frameCacheOctets: number): Promise<House> {
    const house = await openHouse({ nameserver: { frameCacheOctets } });
    await house.edit((edit) => {
      const id = addTarget(edit, 'kits', [...names(0, 1_500), ...addresses(0, 8_000)]);
      addPolicy(edit, 'corp', 'dns', { targets: [[id, NXDOMAIN]] });
      addPolicy(edit, 'edge', 'ip', { targets: [[id, BLOCK]] });
    });
    return house;
  }

  it.each([0, 100_000, 16 * MIB])(
    'are each of one serial, whole, within a budget of %i octets',
    async (frameCacheOctets) => {
      const house = await openZones(frameCacheOctets);
      const uncached = house.openDesk({ frameCacheOctets: 0 });
      const imageOf = (origin: string) => imageOfAxfr(uncached.transfer(origin).records);
      const random = createRandom(frameCacheOctets);
      const runs = [];
      for (let step = 0; step < 3; step++) {
        const before = { [RPZ]: imageOf(RPZ), [IP]: imageOf(IP) };
        house.time.now += 1_000;
        const add = [...names(10_000 + step * 400, 400), ...addresses(40_000 + step * 300, 300)];
        await house.edit((edit) => changeIndicators(edit, KITS, { add }));
        for (const origin of [RPZ, IP]) {
          const image = before[origin];
          const now = imageOf(origin);
          for (let client = 0; client < 2; client++) {
            const changes = openTransfer(house, origin, { have: image.serial });
            runs.push(
              { image, now, run: changes },
              { image, now, run: openTransfer(house, origin) },
            );
          }
        }
        for (let turn = 0; turn < 40; turn++) random.pick(runs).run.read(1);
      }
      for (const { image, now, run } of runs) {
        const after = followIxfr(image, run.read(Number.POSITIVE_INFINITY));
        expect(compareImages(after, now)).toEqual(SAME_IMAGE);
      }
    },
  );

  it('have each client’s own id, question, EDNS and signature in front and behind', async () => {
    const house = await openZones(16 * MIB);
    const { value: keyId } = await house.edit((edit) =>
      addKeyed(edit, 'signer', 'ip', 2 as PolicyId),
    );
    const { serial: have } = house.zone(IP);
    house.time.now += 1_000;
    await house.edit((edit) => changeIndicators(edit, KITS, { add: addresses(90_000, 500) }));
    const plain = house.transfer(IP, { have });
    const others = [
      house.transfer(IP.toUpperCase(), { have, id: 4_711 }),
      house.transfer(IP, { have, edns: { udpPayloadSize: 4_096 } }),
      // Every message of a signed one is verified on its way in.
      house.transfer(IP, { have, key: tsigKeyOf(house, keyId), from: '203.0.113.7' }),
    ];
    const [upper, edns, signed] = others;
    for (const { records } of others) {
      expect(records.map(recordText)).toEqual(plain.records.map(recordText));
    }
    expect(upper.messages[0]).toMatchObject({
      id: 4_711,
      questions: [{ name: parseName(IP.toUpperCase()) }],
    });
    expect(edns.messages[0].edns).not.toBeNull();
    expect(plain.messages[0].edns).toBeNull();
    expect(signed.sizes[0]).toBeGreaterThan(plain.sizes[0]);
  });
});
