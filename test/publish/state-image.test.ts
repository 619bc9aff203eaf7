import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import type { Store } from '../../src/publish/store-port.ts';
import { readImageFile } from '../../src/store/image-file.ts';
import { openStore } from '../../src/store/index.ts';
import { type House, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, BLOCK, NXDOMAIN, zoneName } from '../support/scene.ts';
import { temporaryDirectory } from '../support/test-sluice.ts';
import { compareImages, imageOfAxfr, SAME_IMAGE } from '../support/zone-image.ts';

const ZONES = [zoneName('rpz', 'corp'), zoneName('block', 'edge')];
const SOURCES = { corp: '192.0.2.1', edge: '192.0.2.2' };
/** The first owners that an image is made of. */
const OWNERS = 12_000;

const zonesOf = (house: House) =>
  ZONES.map((zone) => {
    const from = zone.includes('.corp.') ? SOURCES.corp : SOURCES.edge;
    return imageOfAxfr(house.transfer(zone, { from }).records);
  });

function sameZones(house: House, before: ReturnType<typeof zonesOf>): void {
  for (const [index, zone] of zonesOf(house).entries()) {
    expect(compareImages(zone, before[index])).toEqual(SAME_IMAGE);
  }
}

const names = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) =>
    n % 7 === 0
      ? `10.${(from + n) >> 8}.${(from + n) & 255}.0/24`
      : `h${from + n}.d${n % 9}.example`,
  );

/** The store of a folder, and what it was asked for. */
function scene() {
  const directory = temporaryDirectory();
  const path = `${directory}/sluice.sqlite`;
  const segments: number[] = [];
  const open = async (): Promise<Store> => {
    const store = await openStore({ path, keyFile: `${directory}/secret.key` });
    return {
      ...store,
      async load(version) {
        const state = await store.load(version);
        segments.push(state.owners.length);
        return state;
      },
    };
  };
  return { image: `${path}.image`, open, segments };
}

async function filled(store: Store): Promise<House> {
  const house = await openHouse({ store });
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', names(0, OWNERS));
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]], source: SOURCES.corp });
    addPolicy(edit, 'edge', 'ip', { targets: [[kits, BLOCK]], source: SOURCES.edge });
  });
  return house;
}

async function stopped(house: House): Promise<void> {
  await house.publisher.close();
  await house.store.close();
}

async function addNames(house: House, from: number, count: number): Promise<void> {
  house.time.now += 1_000;
  const [id] = house.publisher.model.targets.keys();
  if (id === undefined) throw new Error('there is no target');
  await house.edit((edit) =>
    changeIndicators(edit, id, { add: Buffer.from(names(from, count).join('\n')) }),
  );
}

describe('a start from an image of the catalogue', () => {
  it('serves the same zones, and reads no owners', async () => {
    const { open, segments } = scene();
    const first = await filled(await open());
    const before = zonesOf(first);
    await stopped(first);
    const second = await first.restart({ store: await open() });
    expect(segments).toEqual([0, 0]);
    expect(second.publisher.catalogue.count).toBe(first.publisher.catalogue.count);
    sameZones(second, before);
    await addNames(second, 50_000, 30);
    const after = zonesOf(second);
    await stopped(second);
    const third = await second.restart({ store: await open() });
    sameZones(third, after);
    await stopped(third);
  });

  it('reads the owners that came after it, when the process before did not stop well', async () => {
    const { open, segments } = scene();
    const first = await filled(await open());
    await stopped(first);
    const second = await first.restart({ store: await open() });
    await addNames(second, 50_000, 30);
    await addNames(second, 60_000, 30);
    const after = zonesOf(second);
    // As a crash does: nothing is written at the end.
    await second.store.close();
    const third = await second.restart({ store: await open() });
    expect(segments).toEqual([0, 0, 2]);
    sameZones(third, after);
    await stopped(third);
  });

  it('goes without when the file is gone or not ours, and writes it again', async () => {
    const { image, open } = scene();
    const first = await filled(await open());
    const before = zonesOf(first);
    await stopped(first);
    for (const spoil of [() => rmSync(image), () => writeFileSync(image, 'no image')]) {
      spoil();
      const next = await first.restart({ store: await open() });
      sameZones(next, before);
      await stopped(next);
      expect(await readImageFile(image)).not.toBeNull();
    }
  });

  it('reads all owners again when the image is whole but says other things than it has', async () => {
    const { image, open, segments } = scene();
    const first = await filled(await open());
    const before = zonesOf(first);
    await first.publisher.close();
    const kept = await readImageFile(image);
    const parts = kept!.parts.map(({ buffer, octets }) => ({
      octets: new Uint8Array(buffer, 0, octets),
      room: buffer.byteLength - octets,
    }));
    const { version, owners, head } = kept!;
    await first.store.saveImage({ version, owners, head, parts: parts.slice(1) });
    await first.store.close();
    segments.length = 0;
    const second = await first.restart({ store: await open() });
    expect(segments[0]).toBe(0);
    expect(segments[1]).toBeGreaterThan(0);
    sameZones(second, before);
    await stopped(second);
  });

  it('takes what a dry run brought in along', async () => {
    const { open } = scene();
    const first = await filled(await open());
    const [id] = first.publisher.model.targets.keys();
    const count = first.publisher.catalogue.count;
    await first.publisher.preview(
      (draft) =>
        changeIndicators(
          { draft, settings: first.settings, accountId: first.accountId, system: true },
          id!,
          {
            add: Buffer.from('tried.example'),
          },
        ),
      () => undefined,
    );
    expect(first.publisher.catalogue.count).toBeGreaterThan(count);
    const before = zonesOf(first);
    await stopped(first);
    const second = await first.restart({ store: await open() });
    expect(second.publisher.catalogue.count).toBe(first.publisher.catalogue.count);
    sameZones(second, before);
    await stopped(second);
  });
});

describe('the image of a running server', () => {
  it('is written once many owners have come, and not for a few', async () => {
    const { image, open } = scene();
    const house = await filled(await open());
    await house.publisher.idle();
    const written = async () => (await readImageFile(image))?.owners ?? null;
    const first = await written();
    expect(first).toBe(house.publisher.catalogue.count);
    await addNames(house, 50_000, 100);
    await house.publisher.idle();
    expect(await written()).toBe(first);
    await addNames(house, 100_000, 12_000);
    await house.publisher.idle();
    expect(await written()).toBe(house.publisher.catalogue.count);
    await stopped(house);
  });

  it('is not written of a small catalogue', async () => {
    const { image, open } = scene();
    const house = await openHouse({ store: await open() });
    await house.edit((edit) => addTarget(edit, 'kits', ['evil.example']));
    await stopped(house);
    expect(existsSync(image)).toBe(false);
  });

  it('that cannot be written is told, and stops nothing', async () => {
    const { open } = scene();
    const store = await open();
    const house = await filled({ ...store, saveImage: () => Promise.reject(new Error('full')) });
    await addNames(house, 50_000, 10);
    await stopped(house);
  });
});
