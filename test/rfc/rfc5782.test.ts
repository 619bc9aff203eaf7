import { describe, expect, it } from 'vitest';
import { formatRdata, type Message, RCODE, RRTYPE } from '../../src/dns/index.ts';
import { changeIndicators, releasePolicy, rollBackPolicy } from '../../src/publish/edits/index.ts';
import { type House, openHouse } from '../support/house.ts';
import { ALLOW, addList, addPolicy, addTarget, BLOCK, zoneName } from '../support/scene.ts';

const BLOCKED = zoneName('block', 'edge');
const ALLOWED = zoneName('allow', 'edge');

async function openScene(): Promise<House> {
  const house = await openHouse();
  await house.edit((edit) => {
    const scanners = addTarget(edit, 'Scanners', ['198.51.100.0/24', '2001:db8::/32']);
    const worms = addTarget(edit, 'Wörmer', ['198.51.100.7', '0.0.2.0/31'], { severity: 5 });
    const own = addList(edit, 'Own', ['198.51.100.9', '2001:db8::9'], 'allow');
    addPolicy(edit, 'edge', 'ip', {
      targets: [
        [scanners, BLOCK],
        [worms, BLOCK],
      ],
      lists: [[own, ALLOW]],
    });
  });
  return house;
}

const reversed = (address: string): string => address.split('.').reverse().join('.');

function nibbles(...words: readonly string[]): string {
  const hex = words.map((word) => word.padStart(4, '0')).join('');
  return [...hex.padStart(32, '0')].reverse().join('.');
}

const texts = ({ answers }: Message): string[] =>
  answers.map(({ type, rdata }) => formatRdata(type, rdata));

describe('RFC 5782 section 2.1: IPv4 addresses', () => {
  it('that are listed have A 127.0.0.2, with the TTL of the policy', async () => {
    const house = await openScene();
    const answer = house.ask(`${reversed('198.51.100.20')}.q.${BLOCKED}`, 'A');
    expect(texts(answer)).toEqual(['127.0.0.2']);
    expect(answer).toMatchObject({ authoritative: true, answers: [{ ttl: 60 }] });
  });

  it('have a TXT that names who lists them, the deciding one first', async () => {
    const house = await openScene();
    const ask = (address: string) => house.ask(`${reversed(address)}.q.${BLOCKED}`, 'TXT');
    expect(texts(ask('198.51.100.20'))).toEqual(['"Scanners"']);
    const [{ rdata }] = ask('198.51.100.7').answers;
    expect(Buffer.from(rdata.subarray(1)).toString()).toBe('Wörmer, Scanners');
  });

  it('have a TXT that names nobody of now while the policy is rolled back', async () => {
    const house = await openScene();
    const { serial } = house.zone(BLOCKED);
    const [{ id: worms }] = [...house.publisher.model.targets.values()].filter(
      ({ name }) => name === 'Wörmer',
    );
    house.time.now += 1_000;
    await house.edit((edit) => {
      changeIndicators(edit, worms, { add: ['198.51.100.20'] });
    });
    await house.edit((edit) => rollBackPolicy(edit, 1, { serial }));
    const ask = () => house.ask(`${reversed('198.51.100.20')}.q.${BLOCKED}`, 'TXT');
    expect(texts(ask())).toEqual(['"rolled back"']);
    await house.edit((edit) => releasePolicy(edit, 1));
    const [{ rdata }] = ask().answers;
    expect(Buffer.from(rdata.subarray(1)).toString()).toBe('Wörmer, Scanners');
  });

  it('that are not listed do not exist', async () => {
    const house = await openScene();
    for (const address of ['203.0.113.1', '198.51.100.9', '198.51.101.0']) {
      const { rcode } = house.ask(`${reversed(address)}.q.${BLOCKED}`, 'A');
      expect([address, rcode]).toEqual([address, RCODE.NXDOMAIN]);
    }
  });

  it('that one side carved out of the other are on their own side only', async () => {
    const house = await openScene();
    expect(texts(house.ask(`${reversed('198.51.100.9')}.q.${ALLOWED}`, 'TXT'))).toEqual(['"Own"']);
    expect(house.ask(`${reversed('198.51.100.7')}.q.${ALLOWED}`, 'A').rcode).toBe(RCODE.NXDOMAIN);
  });

  it('are written in plain numbers up to 255', async () => {
    const house = await openScene();
    for (const name of ['020.100.51.198', '256.100.51.198', 'a.100.51.198', '1.20.100.51.198']) {
      expect([name, house.ask(`${name}.q.${BLOCKED}`, 'A').rcode]).toEqual([name, RCODE.NXDOMAIN]);
    }
  });
});

describe('RFC 5782 section 2.4: IPv6 addresses', () => {
  it('are their nibbles in reverse', async () => {
    const house = await openScene();
    const listed = nibbles('2001', 'db8', '0', '0', '0', '0', '0', '1');
    expect(texts(house.ask(`${listed}.q.${BLOCKED}`, 'A'))).toEqual(['127.0.0.2']);
    expect(texts(house.ask(`${listed.toUpperCase()}.Q.${BLOCKED}`, 'TXT'))).toEqual(['"Scanners"']);
    const carved = nibbles('2001', 'db8', '0', '0', '0', '0', '0', '9');
    expect(house.ask(`${carved}.q.${BLOCKED}`, 'A').rcode).toBe(RCODE.NXDOMAIN);
    expect(texts(house.ask(`${carved}.q.${ALLOWED}`, 'TXT'))).toEqual(['"Own"']);
  });
});

describe('names on the way to an address', () => {
  it('exist, at every depth, or a resolver that asks label by label would stop there', async () => {
    const house = await openScene();
    const labels = nibbles('2001', 'db8', '0', '0', '0', '0', '0', '1').split('.');
    for (let depth = 1; depth < labels.length; depth++) {
      const name = `${labels.slice(-depth).join('.')}.q.${BLOCKED}`;
      expect([name, house.ask(name, 'A').rcode]).toEqual([name, RCODE.NOERROR]);
    }
    for (const name of ['100.51.198', '51.198', '198', '255']) {
      expect([name, house.ask(`${name}.q.${BLOCKED}`, 'A').rcode]).toEqual([name, RCODE.NOERROR]);
    }
    expect(house.ask(`q.${BLOCKED}`, 'A').rcode).toBe(RCODE.NOERROR);
    expect(house.ask(`256.q.${BLOCKED}`, 'A').rcode).toBe(RCODE.NXDOMAIN);
  });

  it('may be an IPv4 address of single digits as well', async () => {
    const house = await openScene();
    expect(texts(house.ask(`0.2.0.0.q.${BLOCKED}`, 'A'))).toEqual(['127.0.0.2']);
    expect(texts(house.ask(`9.2.0.0.q.${BLOCKED}`, 'A'))).toEqual([]);
    expect(house.ask(`9.2.0.0.q.${BLOCKED}`, 'A').rcode).toBe(RCODE.NOERROR);
  });
});

describe('RFC 5782 section 5: test entries', () => {
  const listed = [reversed('127.0.0.2'), nibbles('ffff', '7f00', '2')];
  const unlisted = [reversed('127.0.0.1'), nibbles('ffff', '7f00', '1')];

  it.each([BLOCKED, ALLOWED])('127.0.0.2 is always in %s, 127.0.0.1 never', async (zone) => {
    const house = await openScene();
    for (const name of listed)
      expect(texts(house.ask(`${name}.q.${zone}`, 'A'))).toEqual(['127.0.0.2']);
    for (const name of unlisted) {
      expect(house.ask(`${name}.q.${zone}`, 'A').rcode).toBe(RCODE.NXDOMAIN);
    }
  });
});

describe('check names', () => {
  it('are answered, but not transferred', async () => {
    const house = await openScene();
    const { records } = house.transfer(BLOCKED);
    expect(records.filter(({ type }) => type === RRTYPE.A)).toEqual([]);
  });

  it('are for devices of the policy only, and for IP zones only', async () => {
    const house = await openScene();
    const name = `${reversed('198.51.100.20')}.q.${BLOCKED}`;
    expect(house.ask(name, 'A', { from: '203.0.113.1' }).rcode).toBe(RCODE.REFUSED);
    await house.edit((edit) => {
      const kits = addTarget(edit, 'kits', ['q']);
      addPolicy(edit, 'corp', 'dns', { targets: [[kits, ALLOW]], source: '192.0.2.30' });
    });
    const inRpz = house.ask(`2.0.0.127.q.${zoneName('rpz', 'corp')}`, 'A', { from: '192.0.2.30' });
    expect(texts(inRpz)).toEqual(['rpz-passthru.']);
  });
});
