import { describe, expect, it } from 'vitest';
import { isNewerSerial, serial } from '../../src/dns/index.ts';
import type { PolicyId } from '../../src/policy/model.ts';
import {
  changeIndicators,
  createPolicy,
  deleteDevice,
  deletePolicy,
  updatePolicy,
  updateTarget,
} from '../../src/publish/edits/index.ts';
import { openStore } from '../../src/store/index.ts';
import { NO_VERSION } from '../../src/zone/content-version.ts';
import { nextSerial } from '../../src/zone/next-serial.ts';
import { type House, openHouse } from '../support/house.ts';
import { memoryStore } from '../support/memory-store.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';
import { temporaryDirectory } from '../support/test-sluice.ts';
import { compareImages, imageOfAxfr, SAME_IMAGE } from '../support/zone-image.ts';

const ZONE = zoneName('rpz', 'corp');
/** About three, in milliseconds. */
const YEARS = 10 ** 11;

async function openScene(options: Parameters<typeof openHouse>[0] = {}): Promise<House> {
  const house = await openHouse(options);
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example']);
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
  });
  return house;
}

const serialOf = (house: House, zone = ZONE): number => house.zone(zone).serial;

let changes = 0;
/** One more revision of the zone; returns its serial. */
async function change(house: House): Promise<number> {
  changes += 1;
  await house.edit((edit) => changeIndicators(edit, 1, { add: [`n${changes}.example`] }));
  return serialOf(house);
}

describe('serials', () => {
  it('are the time of the change, in seconds', async () => {
    const house = await openScene();
    house.time.now += 3_600_000;
    expect(await change(house)).toBe(Math.floor(house.time.now / 1000));
  });

  it('rise strictly within a second, and when the clock goes backwards', async () => {
    const house = await openScene();
    let last = serialOf(house);
    for (const step of [0, 0, 1_000, 0, -3_600_000, -1, 0, -YEARS, 86_400_000]) {
      house.time.now += step;
      const next = await change(house);
      expect(next).toBeGreaterThan(last);
      expect(isNewerSerial(serial(next), serial(last))).toBe(true);
      last = next;
    }
  });

  it('rise across restarts, also with a clock that stands years behind', async () => {
    let house = await openScene();
    let last = serialOf(house);
    for (const step of [0, 1_000, -YEARS, 0, YEARS]) {
      house.time.now += step;
      house = await house.restart();
      expect(serialOf(house)).toBe(last);
      const next = await change(house);
      expect(next).toBeGreaterThan(last);
      last = next;
    }
  });

  it('stay where nothing differs', async () => {
    const house = await openScene();
    const before = serialOf(house);
    house.time.now += 60_000;
    const { zones } = await house.edit((edit) => {
      changeIndicators(edit, 1, { add: ['evil.example', 'www.evil.example'] });
      updateTarget(edit, 1, { attributes: { severity: 5 }, description: 'worse' });
    });
    expect([zones, serialOf(house)]).toEqual([[], before]);
  });

  it('rise for zones that are made anew under a name that was there before', async () => {
    const house = await openScene();
    for (let round = 0; round < 3; round++) await change(house);
    const before = serialOf(house);
    await house.edit((edit) => {
      deleteDevice(edit, 1);
      deletePolicy(edit, 1);
    });
    expect(house.publisher.state.zones.has(ZONE)).toBe(false);
    const restarted = await house.restart();
    restarted.time.now -= 86_400_000;
    await restarted.edit((edit) => createPolicy(edit, { name: 'corp', type: 'dns' }));
    expect(serialOf(restarted)).toBeGreaterThan(before);
  });

  it('rise through a new TTL', async () => {
    const house = await openScene();
    let last = await change(house);
    for (const ttl of [30, 60]) {
      await house.edit((edit) => updatePolicy(edit, 1 as PolicyId, { ttl }));
      expect(serialOf(house)).toBeGreaterThan(last);
      last = serialOf(house);
    }
  });

  it('rise when the SOA says something else after a restart', async () => {
    const house = await openScene();
    const before = serialOf(house);
    const restarted = await house.restart({ defaults: { refresh: 1_800 } });
    expect(serialOf(restarted)).toBeGreaterThan(before);
    // It is on disk before anyone hears it.
    expect(serialOf(await house.restart({ defaults: { refresh: 1_800 } }))).toBe(
      serialOf(restarted),
    );
    const back = await house.restart();
    expect(serialOf(back)).toBeGreaterThan(serialOf(restarted));
  });

  it('of both zones of an IP policy are their own: only what differs rises', async () => {
    const house = await openHouse();
    await house.edit((edit) => {
      const scanners = addTarget(edit, 'scanners', ['198.51.100.1']);
      addPolicy(edit, 'edge', 'ip', { targets: [[scanners, { kind: 'block' }]] });
    });
    const allowBefore = serialOf(house, zoneName('allow', 'edge'));
    house.time.now += 5_000;
    const { zones } = await house.edit((edit) =>
      changeIndicators(edit, 1, { add: ['198.51.100.3'] }),
    );
    expect(zones.map(({ origin }) => origin)).toEqual([
      'block.d-edge.dev.acme.sluice.internal.',
      zoneName('block', 'edge'),
    ]);
    expect(serialOf(house, zoneName('allow', 'edge'))).toBe(allowBefore);
  });
});

describe('a commit that fails', () => {
  it('shows nobody its serial, and leaves zone and model as they were', async () => {
    const store = memoryStore();
    const house = await openScene({ store });
    const before = imageOfAxfr(house.transfer(ZONE).records);
    store.failNextCommit(new Error('disk full'));
    house.time.now += 1_000;
    await expect(change(house)).rejects.toThrow('disk full');
    expect(imageOfAxfr(house.transfer(ZONE).records)).toEqual(before);
    const next = await change(house);
    expect(next).toBeGreaterThan(before.serial);
    const after = imageOfAxfr(house.transfer(ZONE).records);
    const restarted = imageOfAxfr((await house.restart()).transfer(ZONE).records);
    expect(compareImages(restarted, after)).toEqual(SAME_IMAGE);
  });
});

describe('a second start', () => {
  it('serves the same zones under the same serials, from the real database', async () => {
    const directory = temporaryDirectory();
    const open = () =>
      openStore({ path: `${directory}/sluice.sqlite`, keyFile: `${directory}/secret.key` });
    const first = await openScene({ store: await open() });
    for (let round = 0; round < 5; round++) await change(first);
    const before = imageOfAxfr(first.transfer(ZONE).records);
    const history = first.zone(ZONE).revisions;
    await first.store.close();

    const store = await open();
    const second = await first.restart({ store });
    second.time.now += 1_000_000;
    expect(compareImages(imageOfAxfr(second.transfer(ZONE).records), before)).toEqual(SAME_IMAGE);
    // Which contents the steps led to in memory is of no use to another process.
    const NO_CONTENTS = { fromContent: NO_VERSION, toContent: NO_VERSION };
    expect(second.zone(ZONE).revisions).toEqual(
      history.map((revision) => ({ ...revision, ...NO_CONTENTS })),
    );
    expect(await change(second)).toBeGreaterThan(before.serial);
    await store.close();
  });
});

describe('the next serial', () => {
  const atSeconds = (seconds: number) => seconds * 1000;

  it('is the time where that is higher, else one more', () => {
    expect(nextSerial(null, atSeconds(1_000))).toBe(1_000);
    expect(nextSerial(serial(999), atSeconds(1_000))).toBe(1_000);
    expect(nextSerial(serial(1_000), atSeconds(1_000))).toBe(1_001);
    expect(nextSerial(serial(5_000), atSeconds(1_000))).toBe(5_001);
  });

  it('is never 0, and goes round behind the last one there is', () => {
    expect(nextSerial(null, 0)).toBe(1);
    expect(nextSerial(serial(0xffffffff), atSeconds(0xfffffffff))).toBe(1);
    expect(isNewerSerial(nextSerial(serial(0xffffffff), 0), serial(0xffffffff))).toBe(true);
  });
});
