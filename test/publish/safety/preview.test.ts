import { describe, expect, it } from 'vitest';
import {
  assignPolicy,
  changeIndicators,
  createDevice,
  createPolicy,
  createTarget,
  type Edit,
  updatePolicy,
} from '../../../src/publish/edits/index.ts';
import { type Preview, previewChange } from '../../../src/publish/safety/preview.ts';
import { type House, openHouse } from '../../support/house.ts';
import { safetySettings } from '../../support/safety.ts';

function preview(house: House, change: (edit: Edit) => unknown): Promise<Preview> {
  const { accountId, publisher, settings } = house;
  return publisher.preview(
    (draft) => change({ draft, settings, accountId, system: true }),
    (planned) => previewChange(planned, safetySettings()),
  );
}

const names = (from: number, to: number, below = 'example') =>
  Array.from({ length: to - from }, (_, index) => `n${from + index}.${below}`);

async function houseWith(...policies: readonly (readonly string[])[]): Promise<House> {
  const house = await openHouse();
  await house.edit((edit) => {
    createTarget(edit, { name: 'common' });
    changeIndicators(edit, 1, { add: names(0, 500) });
    for (const [index, own] of policies.entries()) {
      createTarget(edit, { name: `own ${index}` });
      changeIndicators(edit, 2 + index, { add: own });
      const attachments = [1, 2 + index].map((id) => ({ kind: 'target', id }));
      createPolicy(edit, { name: `p${index}`, type: 'dns', attachments });
    }
  });
  return house;
}

describe('a preview', () => {
  it('counts every zone, and shows records of the first two hundred', async () => {
    const house = await houseWith(
      ...Array.from({ length: 210 }, (_, index) => [`own${index}.example`]),
    );
    const { zones } = await preview(house, (edit) =>
      changeIndicators(edit, 1, { add: ['new.example'] }),
    );
    expect(zones).toHaveLength(210);
    expect(zones.every(({ recordsAdded }) => recordsAdded === 2)).toBe(true);
    expect(zones.filter(({ added }) => added.length === 2)).toHaveLength(200);
  });

  it('measures each policy by its own size, also where they take the same step', async () => {
    const house = await houseWith([], names(0, 5000, 'own.example'));
    const { warnings, zones } = await preview(house, (edit) =>
      changeIndicators(edit, 1, { remove: names(0, 400) }),
    );
    expect(zones.map(({ recordsRemoved }) => recordsRemoved)).toEqual([800, 800]);
    expect(warnings).toMatchObject([
      { code: 'shrinks', zone: 'rpz.p0.acme.sluice.internal.', holds: true },
    ]);
  });

  it('lists what holds the change before what only warns', async () => {
    const house = await houseWith(names(0, 200, 'a.example'), []);
    const { warnings } = await preview(house, (edit) => {
      changeIndicators(edit, 1, { remove: names(0, 150) });
      changeIndicators(edit, 3, { add: ['google.com'] });
    });
    expect(warnings.map(({ code, holds }) => [code, holds])).toEqual([
      ['never-block', true],
      ['shrinks', false],
      ['shrinks', false],
    ]);
  });

  it('shows zones that begin anew by all their records', async () => {
    const house = await houseWith(['own.example']);
    const { zones } = await preview(house, (edit) => updatePolicy(edit, 1, { ttl: 300 }));
    expect(zones).toMatchObject([{ recordsBefore: 1004, recordsAfter: 1004 }]);
    const [{ removed, added }] = zones as [Preview['zones'][number]];
    expect(removed).toHaveLength(20);
    expect(removed[0]).toMatch(/ 60 IN CNAME \.$/);
    expect(added).toEqual(removed.map((line) => line.replace(' 60 ', ' 300 ')));
  });

  it('shows what a device gets by another policy, once for all devices that change alike', async () => {
    const house = await houseWith(['one.example'], ['two.example']);
    await house.edit((edit) => {
      for (const name of ['a', 'b']) createDevice(edit, { name, type: 'dns', policyId: 1 });
    });
    const { zones, devices, warnings } = await preview(house, (edit) => {
      assignPolicy(edit, 1, 2);
      assignPolicy(edit, 2, 2);
    });
    expect(zones).toHaveLength(2);
    for (const zone of zones) {
      expect(zone).toMatchObject({
        policyId: 2,
        removed: ['one.example 60 IN CNAME .', '*.one.example 60 IN CNAME .'],
        added: ['two.example 60 IN CNAME .', '*.two.example 60 IN CNAME .'],
      });
    }
    expect(devices.map(({ name, over }) => [name, over])).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
    expect(warnings).toEqual([]);
  });

  it('warns when a device is given a policy that is much smaller', async () => {
    const house = await houseWith(names(0, 3000, 'a.example'), []);
    await house.edit((edit) => createDevice(edit, { name: 'a', type: 'dns', policyId: 1 }));
    const { warnings } = await preview(house, (edit) => assignPolicy(edit, 1, 2));
    expect(warnings).toMatchObject([
      { code: 'shrinks', zone: 'rpz.a.dev.acme.sluice.internal.', holds: true },
    ]);
  });
});
