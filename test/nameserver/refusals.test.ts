import { describe, expect, it } from 'vitest';
import { parseName, type TsigKey } from '../../src/dns/index.ts';
import { makeQuery } from '../support/dns-query.ts';
import { type House, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');
const MISSING = zoneName('rpz', 'missing');
const STRANGER = '203.0.113.1';
const KEY: TsigKey = {
  name: parseName('nobody.example.'),
  algorithm: 'hmac-sha256',
  secret: new Uint8Array(32),
};

async function openScene(): Promise<House> {
  const house = await openHouse();
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example']);
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
  });
  return house;
}

describe('what the nameserver tells about refusals', () => {
  it('is a zone that is there and not for who asks', async () => {
    const house = await openScene();
    house.ask(ZONE.toUpperCase(), 'SOA', { from: STRANGER });
    expect(house.refusals).toEqual([
      {
        name: ZONE.toUpperCase(),
        address: STRANGER,
        protocol: 'udp',
        reason: 'prohibited',
        tsig: null,
        keyName: null,
        certificateNames: [],
      },
    ]);
  });

  it('is a zone that there is not, for those who ask for zones below the root', async () => {
    const house = await openScene();
    house.ask(MISSING, 'SOA');
    house.ask(MISSING, 'AXFR', { protocol: 'tcp' });
    house.ask(MISSING, 'AXFR', { protocol: 'tcp', from: STRANGER });
    house.ask(`evil.example.${ZONE}`, 'AXFR', { protocol: 'tcp' });
    expect(house.refusals.map(({ name, reason }) => [name, reason])).toEqual([
      [MISSING, 'not-authoritative'],
      [MISSING, 'not-authoritative'],
      [MISSING, 'not-authoritative'],
      [`evil.example.${ZONE}`, 'not-authoritative'],
    ]);
  });

  it('is a signature that was not accepted, with its error and the name of the key', async () => {
    const house = await openScene();
    house.ask(ZONE, 'SOA', { key: KEY });
    expect(house.refusals).toMatchObject([
      { name: ZONE, reason: 'tsig', tsig: { error: 'BADKEY', keyName: 'nobody.example.' } },
    ]);
  });

  it('names the certificate of who asked', async () => {
    const house = await openScene();
    const certificateNames = ['resolver.example.'];
    const { bytes } = makeQuery(ZONE, 'SOA');
    house.handle(bytes, { protocol: 'tls', address: STRANGER, certificateNames });
    expect(house.refusals).toMatchObject([{ protocol: 'tls', certificateNames }]);
  });

  it('is nothing when there was something to answer, and nothing about names of others', async () => {
    const house = await openScene();
    house.ask(ZONE, 'SOA');
    house.ask(`absent.${ZONE}`, 'A');
    house.transfer(ZONE);
    house.ask(MISSING, 'NS');
    house.ask('www.example.', 'SOA');
    expect(house.refusals).toEqual([]);
  });
});
