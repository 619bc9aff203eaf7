import { describe, expect, it } from 'vitest';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { makeQuery, type QueryOptions } from '../support/dns-query.ts';
import { type House, openHouse, tsigKeyOf } from '../support/house.ts';
import { addKeyed, addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');

async function openScene() {
  const house = await openHouse();
  let keyId = 0;
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example']);
    const policy = addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
    keyId = addKeyed(edit, 'signer', 'dns', policy);
  });
  return { house, key: tsigKeyOf(house, keyId) };
}

function open(house: House, options: QueryOptions = {}) {
  const nowSeconds = Math.floor(house.time.now / 1000);
  const type = options.have === undefined ? 'AXFR' : 'IXFR';
  const { bytes } = makeQuery(ZONE, type, { nowSeconds, ...options });
  return house.handle(bytes, { protocol: 'tcp' });
}

async function add(house: House, names: readonly string[]): Promise<number> {
  house.time.now += 1_000;
  await house.edit((edit) => changeIndicators(edit, 1, { add: names }));
  return house.zone(ZONE).serial;
}

describe('how a transfer is marked for those who share out places', () => {
  it('is short when it takes about one piece: the SOA alone, few changes, a small zone', async () => {
    const { house } = await openScene();
    const small = house.zone(ZONE).serial;
    expect(open(house)).toMatchObject({ isShort: true });
    const grown = await add(
      house,
      Array.from({ length: 20_000 }, (_, index) => `many-${index}.example`),
    );
    expect(open(house)).toMatchObject({ isShort: false });
    expect(open(house, { have: small })).toMatchObject({ isShort: false });
    expect(open(house, { have: grown })).toMatchObject({ isShort: true });
    await add(house, ['one-more.example']);
    expect(open(house, { have: grown })).toMatchObject({ isShort: true });
  });

  it('carries the key that signed for it', async () => {
    const { house, key } = await openScene();
    expect(open(house, { key })).toMatchObject({ key: { name: key.text, transfersMax: null } });
    expect(open(house)).toMatchObject({ key: null });
  });
});
