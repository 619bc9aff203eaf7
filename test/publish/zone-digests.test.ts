import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { formatRdata, parseName, RRTYPE } from '../../src/dns/index.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { withDigests } from '../../src/publish/zone-digests.ts';
import { PENDING_DIGEST, type ZoneSnapshot } from '../../src/zone/snapshot.ts';
import { openHouse } from '../support/house.ts';
import { addPolicy, addTarget, BLOCK, zoneName } from '../support/scene.ts';
import { imageOfAxfr } from '../support/zone-image.ts';
import { naiveZoneDigest } from '../zone/naive-zone-digest.ts';

const ORIGIN = zoneName('block', 'gate');
/** 15 ms or more of work at the first time, on a quick machine. */
const MANY = 120_000;
/** Of 2 ms each. */
const TURNS_MIN = 3;

/** A house with one IP policy of so many addresses, which no two make a prefix together. */
async function openGate(addresses: number) {
  const house = await openHouse({ defaults: { zonemd: true } });
  const { value: target } = await house.edit((edit) => {
    const id = addTarget(edit, 'scanners', ['198.51.100.1']);
    addPolicy(edit, 'gate', 'ip', { targets: [[id, BLOCK]] });
    const lines = Array.from({ length: addresses }, (_, index) => {
      const address = index * 2;
      return `11.${address >> 16}.${(address >> 8) & 255}.${address & 255}`;
    });
    changeIndicators(edit, id, { add: Buffer.from(lines.join('\n')) });
    return id;
  });
  return { house, target };
}

/** As a plan leaves it, and none of its pages made ready before. */
function pending(zone: ZoneSnapshot): ReadonlyMap<string, ZoneSnapshot> {
  const { body } = zone;
  if (body.kind !== 'ip') throw new Error('this is the zone of an IP policy');
  const v4 = body.content.v4.map((page) => ({ ...page }));
  const content = { ...body.content, v4 };
  return new Map([[ORIGIN, { ...zone, body: { ...body, content }, digest: PENDING_DIGEST }]]);
}

describe('the digest of a large zone', () => {
  it('is made in slices between which others have their turn', async () => {
    const { house } = await openGate(MANY);
    const zones = pending(house.zone(ORIGIN));
    let turns = 0;
    let isDone = false;
    const others = (async () => {
      for (; !isDone; await nextTurn()) turns++;
    })();
    const after = await withDigests(zones, [ORIGIN]);
    isDone = true;
    await others;
    expect(turns).toBeGreaterThanOrEqual(TURNS_MIN);
    expect(after.get(ORIGIN)!.digest).toEqual(house.zone(ORIGIN).digest);
  });

  it('is right when many are made at the same time', async () => {
    const { house } = await openGate(30_000);
    const zone = house.zone(ORIGIN);
    const made = await Promise.all(
      Array.from({ length: 5 }, () => withDigests(pending(zone), [ORIGIN])),
    );
    for (const zones of made) expect(zones.get(ORIGIN)!.digest).toEqual(zone.digest);
  });
});

describe('the digests of zones', () => {
  it('are made where they are pending and asked for, and nowhere else', async () => {
    const { house } = await openGate(10);
    const zone = house.zone(ORIGIN);
    const zones = pending(zone);
    expect(await withDigests(zones, [])).toBe(zones);
    expect(await withDigests(zones, ['gone.example.'])).toBe(zones);
    const served = new Map([[ORIGIN, zone]]);
    expect(await withDigests(served, [ORIGIN])).toBe(served);
  });

  it('belong to the serial that is served while the next edit is already under way', async () => {
    const { house, target } = await openGate(2_000);
    const add = (last: number) =>
      house.edit((edit) => changeIndicators(edit, target, { add: [`203.0.113.${last}`] }));
    const edits = [1, 3, 5, 7].map(add);
    for (const edit of edits) {
      await edit;
      const image = imageOfAxfr(house.transfer(ORIGIN).records);
      const records = [...image.records.values()];
      const { rdata } = records.find(({ type }) => type === RRTYPE.ZONEMD)!;
      const naive = naiveZoneDigest(parseName(ORIGIN), records);
      expect(formatRdata(RRTYPE.ZONEMD, rdata)).toBe(`${image.serial} 1 1 ${naive}`);
    }
  });
});
