import { describe, expect, it } from 'vitest';
import type { PolicyId } from '../../src/policy/model.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { openStore } from '../../src/store/index.ts';
import { type House, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, BLOCK, NXDOMAIN, zoneName } from '../support/scene.ts';
import { temporaryDirectory } from '../support/test-sluice.ts';
import { compareImages, formOf, imageOfAxfr, SAME_IMAGE } from '../support/zone-image.ts';

const ZONES = [zoneName('rpz', 'corp'), zoneName('block', 'edge'), zoneName('allow', 'edge')];
const SOURCES = { corp: '192.0.2.1', edge: '192.0.2.2' };
/** The catalogue is not looked at below 100,000 owners. */
const PASSING = 120_000;

const from = (zone: string): string => (zone.includes('.corp.') ? SOURCES.corp : SOURCES.edge);
const images = (house: House) =>
  ZONES.map((zone) => imageOfAxfr(house.transfer(zone, { from: from(zone) }).records));

/** A list that was large once: its owners stay in the catalogue while the process runs. */
async function openScene(store: Parameters<typeof openHouse>[0]): Promise<House> {
  const house = await openHouse(store);
  const lasting = ['evil.example', '*.below.evil.example', '198.51.100.0/24', '2001:db8::1'];
  const { value: id } = await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', lasting);
    const targets = (action: typeof BLOCK) => [[kits, action]] as const;
    addPolicy(edit, 'corp', 'dns', { targets: targets(NXDOMAIN), source: SOURCES.corp });
    addPolicy(edit, 'edge', 'ip', { targets: targets(BLOCK), source: SOURCES.edge });
    return kits;
  });
  const passing = Array.from({ length: PASSING }, (_, index) => `p${index}.example`).join('\n');
  house.time.now += 1_000;
  await house.edit((edit) => changeIndicators(edit, id, { add: Buffer.from(passing) }));
  await house.edit((edit) => changeIndicators(edit, id, { replace: [...lasting, 'late.example'] }));
  return house;
}

describe('a start over a catalogue of which most is used no more', () => {
  it('writes it anew, and serves the same zones under the same serials', async () => {
    const directory = temporaryDirectory();
    const open = () =>
      openStore({ path: `${directory}/sluice.sqlite`, keyFile: `${directory}/secret.key` });
    const first = await openScene({ store: await open() });
    const before = images(first);
    expect(first.publisher.catalogue.count).toBeGreaterThan(PASSING);
    await first.store.close();

    const store = await open();
    const second = await first.restart({ store });
    expect(second.publisher.catalogue.count).toBeLessThan(20);
    for (const [index, image] of images(second).entries()) {
      expect(compareImages(image, before[index])).toEqual(SAME_IMAGE);
    }
    // Ids are others now, so that history could not be told: who is behind gets the zone.
    const { records } = second.transfer(ZONES[0], {
      from: SOURCES.corp,
      have: before[0].serial - 1,
    });
    expect(formOf(records)).toBe('full');
    await expectWorking(second, before[0].serial);
    await store.close();
  });
});

describe('a rolled-back policy', () => {
  it('goes on with what it was rolled back to, although nobody holds that any more', async () => {
    const first = await openScene({});
    const [before] = first.zone(ZONES[0]).revisions.slice(-1);
    first.time.now += 1_000;
    const change = { add: ['x.late.example'], remove: ['late.example', 'evil.example'] };
    await first.edit((edit) => changeIndicators(edit, 1, change));
    await first.edit((edit) => edit.draft.rollBack(1 as PolicyId, { [ZONES[0]]: before.toSerial }));
    const served = images(first);
    expect(first.publisher.catalogue.count).toBeGreaterThan(PASSING);
    const second = await first.restart();
    expect(second.publisher.catalogue.count).toBeLessThan(20);
    for (const [index, image] of images(second).entries()) {
      expect(compareImages(image, served[index])).toEqual(SAME_IMAGE);
    }
    const blocked = second.ask(`evil.example.${ZONES[0]}`, 'CNAME', { from: SOURCES.corp });
    expect(blocked.answers).toHaveLength(1);
  });
});

/** Edits, history and the next start are as ever. */
async function expectWorking(house: House, serialBefore: number): Promise<void> {
  house.time.now += 1_000;
  await house.edit((edit) =>
    changeIndicators(edit, 1, { add: ['fresh.example', '198.51.101.1'], remove: ['late.example'] }),
  );
  const [rpz] = images(house);
  expect(rpz.serial).toBeGreaterThan(serialBefore);
  const store = { ...house.store, close: async () => {} };
  const restarted = await house.restart({ store });
  for (const [index, image] of images(restarted).entries()) {
    expect(compareImages(image, images(house)[index])).toEqual(SAME_IMAGE);
  }
}
