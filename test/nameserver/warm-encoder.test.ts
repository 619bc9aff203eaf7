import { describe, expect, it } from 'vitest';
import { warmEncoder } from '../../src/nameserver/index.ts';
import { openHouse } from '../support/house.ts';
import { addPolicy, addTarget, NODATA, NXDOMAIN, zoneName } from '../support/scene.ts';
import { compareImages, imageOfAxfr, SAME_IMAGE } from '../support/zone-image.ts';

const names = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `name-${index}.example.com`);

describe('trying the encoding of transfers after a start', () => {
  it('takes the largest zone of rules, and every state in it', async () => {
    const house = await openHouse();
    await house.edit((edit) => {
      const few = addTarget(edit, 'few', ['few.example']);
      const many = addTarget(edit, 'many', [...names(3_000), 'host:only.example', '192.0.2.1']);
      addPolicy(edit, 'small', 'dns', { targets: [[few, NODATA]] });
      addPolicy(edit, 'large', 'dns', { targets: [[many, NXDOMAIN]] });
    });
    const { body } = house.zone(zoneName('rpz', 'large'));
    if (body.kind !== 'rpz') throw new Error('an RPZ zone has rules');
    const before = imageOfAxfr(house.transfer(zoneName('rpz', 'large')).records);
    const messages = await warmEncoder(
      house.publisher.state.zones.values(),
      house.publisher.catalogue,
    );
    expect(messages).toBeGreaterThan(body.content.size);
    expect(messages).toBeLessThanOrEqual(body.content.size * 25);
    const after = imageOfAxfr(house.transfer(zoneName('rpz', 'large')).records);
    expect(compareImages(after, before)).toEqual(SAME_IMAGE);
  });

  it('does nothing where there are no rules', async () => {
    const house = await openHouse();
    expect(await warmEncoder([], house.publisher.catalogue)).toBe(0);
  });
});
