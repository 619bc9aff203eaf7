import { describe, expect, it } from 'vitest';
import { formatName } from '../../src/dns/index.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { makeQuery } from '../support/dns-query.ts';
import { CLIENT_ADDRESS, type House, type HouseEvent, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');
const STRANGER = '203.0.113.1';

async function openScene(): Promise<House> {
  const house = await openHouse();
  await house.edit((edit) => {
    const kits = addTarget(
      edit,
      'kits',
      Array.from({ length: 200 }, (_, index) => `n${index}.example`),
    );
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
  });
  return house;
}

/** What was told since the last time, without what is the same everywhere. */
function told(house: House): object[] {
  return house.events.splice(0).map((event: HouseEvent) => {
    const { zone, deviceId, address, protocol, key, ...rest } = event;
    expect([formatName(zone.settings.origin), deviceId, address]).toEqual([
      ZONE,
      1,
      CLIENT_ADDRESS,
    ]);
    expect(key).toBeNull();
    return { ...rest, protocol, serial: zone.serial };
  });
}

describe('what the nameserver tells about devices', () => {
  it('is a poll for each SOA query and for each IXFR query of one that has it all', async () => {
    const house = await openScene();
    const { serial } = house.zone(ZONE);
    house.ask(ZONE, 'SOA');
    house.ask(ZONE, 'SOA', { protocol: 'tcp' });
    house.transfer(ZONE, { have: serial });
    house.transfer(ZONE, { have: serial, protocol: 'udp' });
    const polled = { kind: 'polled', serial };
    // Only an IXFR question tells what the client holds.
    expect(told(house)).toEqual([
      { ...polled, protocol: 'udp' },
      { ...polled, protocol: 'tcp' },
      { ...polled, protocol: 'tcp', clientSerial: serial },
      { ...polled, protocol: 'udp', clientSerial: serial },
    ]);
  });

  it('is a transfer with its kind and octets, over UDP too', async () => {
    const house = await openScene();
    const before = house.zone(ZONE).serial;
    house.time.now += 1_000;
    await house.edit((edit) => changeIndicators(edit, 1, { add: ['fresh.example'] }));
    const { serial } = house.zone(ZONE);
    const framed = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size + 2, 0);
    const axfr = house.transfer(ZONE);
    const ixfr = house.transfer(ZONE, { have: before });
    const full = house.transfer(ZONE, { have: 1 });
    const udp = house.transfer(ZONE, { have: before, protocol: 'udp' });
    const done = { kind: 'transferred', serial, completed: true, protocol: 'tcp' };
    expect(told(house)).toEqual([
      { ...done, transfer: 'AXFR', octets: framed(axfr.sizes), durationMs: 1, clientSerial: null },
      {
        ...done,
        transfer: 'IXFR',
        octets: framed(ixfr.sizes),
        durationMs: 1,
        clientSerial: before,
      },
      { ...done, transfer: 'AXFR', octets: framed(full.sizes), durationMs: 1, clientSerial: 1 },
      {
        ...done,
        protocol: 'udp',
        transfer: 'IXFR',
        octets: udp.sizes[0],
        durationMs: 0,
        clientSerial: before,
      },
    ]);
  });

  it('is no transfer when a datagram was too small: the client has nothing yet', async () => {
    const house = await openScene();
    house.transfer(ZONE, { have: 1, protocol: 'udp' });
    expect(told(house)).toEqual([]);
  });

  it('says when a transfer was cut', async () => {
    const house = await openScene();
    const answer = house.handle(makeQuery(ZONE, 'AXFR').bytes, { protocol: 'tcp' });
    if (answer.kind !== 'stream') throw new Error('an AXFR is a stream');
    answer.ended({ completed: false, octets: 10, durationMs: 7 });
    expect(told(house)).toMatchObject([{ completed: false, octets: 10, durationMs: 7 }]);
  });

  it('is nothing for other questions, and nothing of strangers', async () => {
    const house = await openScene();
    house.ask(ZONE, 'NS');
    house.ask(`n1.example.${ZONE}`, 'A');
    house.ask(ZONE, 'SOA', { from: STRANGER });
    house.transfer(ZONE, { from: STRANGER });
    house.ask(ZONE, 'AXFR');
    expect(told(house)).toEqual([]);
  });
});
