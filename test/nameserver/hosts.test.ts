import { describe, expect, it } from 'vitest';
import { formatRdata } from '../../src/dns/index.ts';
import { updatePolicy } from '../../src/publish/edits/index.ts';
import { type House, openHouse } from '../support/house.ts';
import { readIpZone } from '../support/ip-zone.ts';
import { ALLOW, addList, addPolicy, addTarget, BLOCK, zoneName } from '../support/scene.ts';

const ZONE = zoneName('block', 'edge');

const addresses = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}`);

/** Mild and severe single addresses, one of them allowed, and a prefix that no host record can say. */
async function openScene(hostsMax: number | null, count = 3): Promise<House> {
  const house = await openHouse();
  await house.edit((edit) => {
    const mild = addTarget(edit, 'mild', addresses(count), { severity: 1 });
    const severe = addTarget(edit, 'severe', ['198.51.100.7', '2001:db8::7', '203.0.113.0/24'], {
      severity: 5,
    });
    const own = addList(edit, 'own', ['10.0.0.0'], 'allow');
    addPolicy(edit, 'edge', 'ip', {
      targets: [
        [mild, BLOCK],
        [severe, BLOCK],
      ],
      lists: [[own, ALLOW]],
      ...(hostsMax === null ? {} : { hostsMax }),
    });
  });
  return house;
}

const ask = (house: House, name: string, type: 'A' | 'AAAA', zone = ZONE): string[] =>
  house
    .ask(`${name}.${zone}`, type, { protocol: 'tcp' })
    .answers.map((answer) => formatRdata(answer.type, answer.rdata));

function counted(house: House, zone = ZONE) {
  const { summary, hosts } = readIpZone(zone, house.transfer(zone).records);
  expect(summary.get('hosts')).toBe(String(hosts));
  return { hosts, leftOut: Number(summary.get('hosts-left-out')) };
}

describe('hosts records', () => {
  it('are there only where the policy asks for them', async () => {
    const house = await openScene(null);
    expect(counted(house)).toEqual({ hosts: 0, leftOut: 0 });
    expect(ask(house, '0.hosts', 'A')).toEqual([]);
    await house.edit((edit) => updatePolicy(edit, 1, { hostsMax: 50 }));
    expect(ask(house, '0.hosts', 'A')).toEqual(['10.0.0.1', '10.0.0.2', '198.51.100.7']);
    expect(ask(house, '0.hosts', 'AAAA')).toEqual(['2001:db8::7']);
    expect(counted(house)).toEqual({ hosts: 4, leftOut: 0 });
  });

  it('are single addresses of their own side', async () => {
    const house = await openScene(50);
    const allowed = zoneName('allow', 'edge');
    expect(ask(house, '0.hosts', 'A', allowed)).toEqual(['10.0.0.0']);
    expect(counted(house, allowed)).toEqual({ hosts: 1, leftOut: 0 });
  });

  it('are the most severe ones up to the capacity, and the others are counted', async () => {
    const house = await openScene(3, 40);
    expect(ask(house, '0.hosts', 'A')).toEqual(['10.0.0.1', '198.51.100.7']);
    expect(ask(house, '0.hosts', 'AAAA')).toEqual(['2001:db8::7']);
    expect(counted(house)).toEqual({ hosts: 3, leftOut: 38 });
    await house.edit((edit) => updatePolicy(edit, 1, { hostsMax: 2 }));
    expect(ask(house, '0.hosts', 'A')).toEqual(['198.51.100.7']);
    expect(counted(house)).toEqual({ hosts: 2, leftOut: 39 });
  });

  it('stand on pages of at most a hundred of a family, all of them answered as they are transferred', async () => {
    const house = await openScene(5_000, 1_500);
    const { records } = house.transfer(ZONE);
    expect(readIpZone(ZONE, records).largestRrset).toBeLessThanOrEqual(100);
    expect(counted(house)).toEqual({ hosts: 1_501, leftOut: 0 });
    const found: string[] = [];
    for (let page = 0; page < 64; page++) found.push(...ask(house, `${page}.hosts`, 'A'));
    expect(found.toSorted()).toEqual([...addresses(1_500).slice(1), '198.51.100.7'].toSorted());
  });
});
