import { describe, expect, it } from 'vitest';
import {
  CLASS,
  createMessageWriter,
  encodeRdata,
  parseName,
  RCODE,
  RRTYPE,
  serial,
} from '../../src/dns/index.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { type House, type HouseOptions, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, BLOCK, NXDOMAIN, zoneName } from '../support/scene.ts';
import { serialIn } from '../support/transfer.ts';
import {
  compareImages,
  followIxfr,
  formOf,
  imageOfAxfr,
  recordText,
  SAME_IMAGE,
  type ZoneImage,
} from '../support/zone-image.ts';

const ZONE = zoneName('rpz', 'corp');
const IP_ZONE = zoneName('block', 'edge');
const IP_READER = '192.0.2.20';
const NAMES = 500;

interface Scene extends House {
  /** One more revision. */
  change(add: readonly string[], remove?: readonly string[]): Promise<void>;
  image(): ZoneImage;
  serialNow(): number;
}

const names = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `name-${from + index}.example`);

async function openScene(options: HouseOptions = {}): Promise<Scene> {
  const house = await openHouse(options);
  const { value: kits } = await house.edit((edit) => {
    const id = addTarget(edit, 'kits', [...names(0, NAMES), ...addresses(0, 3_000)]);
    addPolicy(edit, 'corp', 'dns', { targets: [[id, NXDOMAIN]] });
    addPolicy(edit, 'edge', 'ip', { targets: [[id, BLOCK]], source: IP_READER });
    return id;
  });
  return {
    ...house,
    async change(add, remove = []) {
      house.time.now += 1_000;
      await house.edit((edit) => changeIndicators(edit, kits, { add, remove }));
    },
    image: () => imageOfAxfr(house.transfer(ZONE).records),
    serialNow: () => house.zone(ZONE).serial,
  };
}

const addresses = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => {
    const number = (from + index) * 2;
    return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  });

describe('RFC 1995 section 4: the answer over TCP', () => {
  it('is the new SOA, the old one with what goes, the new one with what comes, and the new one', async () => {
    const scene = await openScene();
    const before = scene.serialNow();
    await scene.change(['fresh.example'], ['name-3.example']);
    const now = scene.serialNow();
    const { records } = scene.transfer(ZONE, { have: before });
    const soa = (value: number) =>
      expect.stringContaining(` SOA ns.sluice.internal. hostmaster.sluice.internal. ${value} `);
    expect(records.map(recordText)).toEqual([
      soa(now),
      soa(before),
      `name-3.example.${ZONE} 60 CNAME .`,
      `*.name-3.example.${ZONE} 60 CNAME .`,
      soa(now),
      `fresh.example.${ZONE} 60 CNAME .`,
      `*.fresh.example.${ZONE} 60 CNAME .`,
      soa(now),
    ]);
  });

  it('is one SOA for a client that has it all', async () => {
    const scene = await openScene();
    const { messages, records } = scene.transfer(ZONE, { have: scene.serialNow() });
    expect(messages).toMatchObject([{ authoritative: true, questions: [{ type: RRTYPE.IXFR }] }]);
    expect(records.map(serialIn)).toEqual([scene.serialNow()]);
  });

  it('is one SOA for a client that claims to be ahead', async () => {
    const scene = await openScene();
    for (const ahead of [1, 1_000, 2 ** 31 - 1]) {
      const have = (scene.serialNow() + ahead) % 2 ** 32;
      expect(scene.transfer(ZONE, { have }).records).toHaveLength(1);
    }
  });

  it('spans as many messages as it needs', async () => {
    const scene = await openScene();
    const image = scene.image();
    await scene.change(names(1_000, 400), names(0, 80));
    const { messages, sizes, records } = scene.transfer(ZONE, { have: image.serial });
    expect(messages.length).toBeGreaterThan(1);
    for (const message of messages) {
      expect(message).toMatchObject({ authoritative: true, questions: [{ type: RRTYPE.IXFR }] });
    }
    for (const size of sizes) expect(size).toBeLessThan(17_000);
    expect(formOf(records)).toBe('changes');
    expect(compareImages(followIxfr(image, records), scene.image())).toEqual(SAME_IMAGE);
  });

  it('in an IP zone rewrites little for one address: under two kilobytes', async () => {
    const scene = await openScene();
    const before = imageOfAxfr(scene.transfer(IP_ZONE, { from: IP_READER }).records);
    await scene.change(['10.0.10.1']);
    const { sizes, records } = scene.transfer(IP_ZONE, { from: IP_READER, have: before.serial });
    expect(formOf(records)).toBe('changes');
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2_048);
    const after = imageOfAxfr(scene.transfer(IP_ZONE, { from: IP_READER }).records);
    expect(compareImages(followIxfr(before, records), after)).toEqual(SAME_IMAGE);
  });
});

describe('RFC 1995 section 4: the zone instead of the changes', () => {
  it('is sent when history does not reach back to the client', async () => {
    const scene = await openScene({ limits: { revisionsMax: 2 } });
    const serials: number[] = [];
    for (let step = 0; step < 4; step++) {
      serials.push(scene.serialNow());
      await scene.change([`step-${step}.example`]);
    }
    const forms = serials.map((have) => formOf(scene.transfer(ZONE, { have }).records));
    expect(forms).toEqual(['full', 'full', 'changes', 'changes']);
  });

  it('is sent for a serial that never was', async () => {
    const scene = await openScene();
    await scene.change(['fresh.example']);
    for (const have of [1, scene.serialNow() - 77, (scene.serialNow() + 2 ** 31) % 2 ** 32]) {
      const { records } = scene.transfer(ZONE, { have });
      expect(formOf(records)).toBe('full');
      expect(compareImages(imageOfAxfr(records), scene.image())).toEqual(SAME_IMAGE);
    }
  });

  it('is sent when the changes would be larger', async () => {
    const scene = await openScene();
    const before = scene.serialNow();
    await scene.change(names(10_000, 4_000));
    await scene.change([], names(10_000, 4_000));
    const { records } = scene.transfer(ZONE, { have: before });
    expect(formOf(records)).toBe('full');
    expect(compareImages(imageOfAxfr(records), scene.image())).toEqual(SAME_IMAGE);
  });

  it('has the question of the client, IXFR, in its messages', async () => {
    const scene = await openScene();
    for (const { questions } of scene.transfer(ZONE, { have: 1 }).messages) {
      expect(questions).toMatchObject([{ type: RRTYPE.IXFR }]);
    }
  });
});

describe('RFC 1995 section 5: several revisions', () => {
  it('are condensed into one step that mentions nothing twice', async () => {
    const scene = await openScene();
    const image = scene.image();
    await scene.change(['one.example', 'two.example'], ['name-1.example']);
    await scene.change(['name-1.example', 'three.example'], ['two.example']);
    await scene.change([], ['name-2.example']);
    const { records } = scene.transfer(ZONE, { have: image.serial });
    const texts = records.map(recordText);
    expect(texts.filter((text) => text.includes(' SOA '))).toHaveLength(4);
    for (const gone of ['two.example', 'name-1.example']) {
      expect(texts.filter((text) => text.startsWith(gone))).toEqual([]);
    }
    expect(records).toHaveLength(4 + 2 * 3);
    expect(compareImages(followIxfr(image, records), scene.image())).toEqual(SAME_IMAGE);
  });

  it('that cancel each other leave nothing but the serials', async () => {
    const scene = await openScene();
    const image = scene.image();
    await scene.change(['one.example']);
    await scene.change([], ['one.example']);
    const { records } = scene.transfer(ZONE, { have: image.serial });
    expect(records.map(({ type }) => type)).toEqual(Array(4).fill(RRTYPE.SOA));
    expect(compareImages(followIxfr(image, records), scene.image())).toEqual(SAME_IMAGE);
  });
});

describe('RFC 1995 section 2: over UDP', () => {
  const overUdp = (scene: Scene, have: number, udpPayloadSize?: number) =>
    scene.transfer(ZONE, {
      have,
      protocol: 'udp',
      ...(udpPayloadSize === undefined ? {} : { edns: { udpPayloadSize } }),
    });

  it('changes that fit into one datagram are sent whole', async () => {
    const scene = await openScene();
    const image = scene.image();
    await scene.change(['fresh.example']);
    for (const size of [undefined, 512, 1_232, 4_096]) {
      const { records, sizes } = overUdp(scene, image.serial, size);
      expect(sizes[0]).toBeLessThanOrEqual(512);
      expect(compareImages(followIxfr(image, records), scene.image())).toEqual(SAME_IMAGE);
    }
  });

  it('changes that do not fit are answered with the SOA of now, so that the client comes by TCP', async () => {
    const scene = await openScene();
    const image = scene.image();
    await scene.change(names(1_000, 12));
    expect(overUdp(scene, image.serial).records.map(serialIn)).toEqual([scene.serialNow()]);
    expect(overUdp(scene, image.serial).messages[0]).toMatchObject({
      authoritative: true,
      truncated: false,
    });
    // The same fit for a client that takes more.
    const { records, sizes, messages } = overUdp(scene, image.serial, 4_096);
    expect(sizes[0]).toBeGreaterThan(512);
    expect(sizes[0]).toBeLessThanOrEqual(1_232);
    expect(messages[0].edns).not.toBeNull();
    expect(compareImages(followIxfr(image, records), scene.image())).toEqual(SAME_IMAGE);
  });

  it('so are changes that no datagram could hold, and history that is gone', async () => {
    const scene = await openScene();
    const before = scene.serialNow();
    await scene.change(names(1_000, 300));
    for (const have of [before, 1]) {
      expect(overUdp(scene, have, 4_096).records.map(serialIn)).toEqual([scene.serialNow()]);
    }
  });

  it('a client that has it all gets the SOA', async () => {
    const scene = await openScene();
    const { records, messages } = overUdp(scene, scene.serialNow());
    expect(records.map(serialIn)).toEqual([scene.serialNow()]);
    expect(messages[0].authoritative).toBe(true);
  });
});

describe('RFC 1995 section 3: a query', () => {
  it.each(['udp', 'tcp'] as const)(
    'without the SOA of the client is malformed over %s',
    async (protocol) => {
      const scene = await openScene();
      expect(scene.ask(ZONE, 'IXFR', { protocol }).rcode).toBe(RCODE.FORMERR);
    },
  );

  it('with the SOA of another zone is malformed too', async () => {
    const scene = await openScene();
    const buffer = new Uint8Array(512);
    const writer = createMessageWriter(buffer);
    writer.start({ id: 1 });
    writer.question({ name: parseName(ZONE), type: RRTYPE.IXFR, class: CLASS.IN });
    const root = parseName('.');
    const rdata = encodeRdata({
      type: 'SOA',
      mname: root,
      rname: root,
      serial: serial(1),
      refresh: 0,
      retry: 0,
      expire: 0,
      minimum: 0,
    });
    // As long as the right name, so that only its letters tell.
    const name = parseName(zoneName('rpz', 'korp'));
    writer.record('authority', { name, type: RRTYPE.SOA, class: CLASS.IN, ttl: 0, rdata });
    const answer = scene.handle(buffer.subarray(0, writer.finish()), { protocol: 'tcp' });
    expect(answer.kind === 'message' && answer.bytes[3] & 15).toBe(RCODE.FORMERR);
  });
});
