import { describe, expect, it } from 'vitest';
import {
  assignPolicy,
  attach,
  changeIndicators,
  createDevice,
  createPolicy,
  createTarget,
  deletePolicy,
  duplicatePolicy,
  type Edit,
  updatePolicy,
} from '../../../src/publish/edits/index.ts';
import type { PlannedChange } from '../../../src/publish/publisher.ts';
import {
  findWarnings,
  type SafetySettings,
  type Warning,
} from '../../../src/publish/safety/warnings.ts';
import { type House, openHouse } from '../../support/house.ts';
import { safetySettings } from '../../support/safety.ts';

const DNS_ZONE = 'rpz.corp.acme.sluice.internal.';
const IP_ZONE = 'block.fw.acme.sluice.internal.';

interface Watch extends House {
  /** What is unusual in an edit, which is then not made. */
  warnings(edit: (edit: Edit) => unknown, settings?: Partial<SafetySettings>): Promise<Warning[]>;
}

/** Target 1 in DNS policy 1 (blocked) and in IP policy 2; target 2 allowed in DNS policy 1; target 3 in neither. */
async function watch(): Promise<Watch> {
  const house = await openHouse();
  await house.edit((edit) => {
    for (const name of ['blocked', 'allowed', 'spare']) {
      createTarget(edit, { name, supportsAllow: true });
    }
    createPolicy(edit, {
      name: 'corp',
      type: 'dns',
      attachments: [
        { kind: 'target', id: 1 },
        { kind: 'target', id: 2, action: { kind: 'allow' } },
      ],
    });
  });
  await house.edit((edit) => changeIndicators(edit, 1, { add: ['192.0.2.0/24', 'evil.example'] }));
  await house.edit((edit) =>
    createPolicy(edit, { name: 'fw', type: 'ip', attachments: [{ kind: 'target', id: 1 }] }),
  );
  return {
    ...house,
    warnings: (change, settings) => {
      const { accountId, settings: edits } = house;
      const safety = safetySettings(settings);
      return house.publisher.preview(
        (draft) => change({ draft, settings: edits, accountId, system: true }),
        (planned: PlannedChange) => findWarnings(planned, safety),
      );
    },
  };
}

const add =
  (...lines: string[]) =>
  (edit: Edit) =>
    changeIndicators(edit, 1, { add: lines, confirmBroad: true, confirmRoot: true });
const allow =
  (...lines: string[]) =>
  (edit: Edit) =>
    changeIndicators(edit, 2, { add: lines, confirmBroad: true });

describe('a change that blocks what should never be blocked', () => {
  it.each([
    ['the name itself', 'google.com', ['google.com']],
    ['the name alone, without what is below it', 'host:google.com', ['google.com']],
    ['only what is below it', '*.google.com', ['google.com']],
    ['a host that is on the list', 'host:ocsp.digicert.com', ['ocsp.digicert.com']],
    ['a public suffix', 'co.uk', ['co.uk']],
    ['a suffix that nothing of the list is below', 'com.pg', ['com.pg']],
    ['a top-level domain', 'museum', ['museum']],
    ['its name servers', 'nsname:cloudflare.com', ['cloudflare.com']],
  ])('is told when it blocks %s', async (_what, line, named) => {
    const found = await (await watch()).warnings(add(line));
    expect(found).toEqual([
      { code: 'never-block', zone: DNS_ZONE, text: expect.any(String), holds: true },
    ]);
    for (const name of named) expect(found[0]!.text).toContain(name);
    expect(found[0]!.text).toContain(DNS_ZONE);
  });

  it('is told once for all names, and by the broadest of them', async () => {
    const { warnings } = await watch();
    const [warning, ...others] = await warnings(add('com', 'google.com', 'host:ocsp.digicert.com'));
    expect(others).toEqual([]);
    expect(warning!.text).toContain('newly blocks com:');
    const [root] = await warnings(add('*'));
    expect(root!.text).toContain('newly blocks the root:');
    const names = [
      'google.com',
      'apple.com',
      'bing.com',
      'ebay.com',
      'bbc.com',
      'cnn.com',
      'x.com',
    ];
    const [many] = await warnings(add(...names));
    expect(many!.text).toMatch(/newly blocks ([a-z]+\.com, ){4}[a-z]+\.com and 2 more:/);
  });

  it('is not told of a host below a listed name, nor of names that only look alike', async () => {
    const { warnings } = await watch();
    expect(
      await warnings(add('evil.google.com', 'google.com.evil.example', 'xgoogle.com', 'goo.gle')),
    ).toEqual([]);
  });

  it('is not told of names for examples and tests, nor of addresses for documentation', async () => {
    const { warnings } = await watch();
    const lines = ['example', 'test', 'invalid', 'canary.sluice.example', 'a.test'];
    const addresses = ['198.51.100.0/24', '203.0.113.7', '2001:db8::/32', '3fff::/20'];
    expect(await warnings(add(...lines, ...addresses))).toEqual([]);
  });

  it('goes by the final verdict: what is allowed all the same is not blocked', async () => {
    const { edit, warnings } = await watch();
    await edit(allow('google.com'));
    expect(await warnings(add('google.com'))).toEqual([]);
    const [broad] = await warnings(add('com'));
    expect(broad!.text).toContain('newly blocks com:');
    const [narrow] = await warnings(add('google.com', 'apple.com'));
    expect(narrow!.text).toContain('newly blocks apple.com:');
  });

  it('is told when the permission goes and the block was there all the time', async () => {
    const { edit, warnings } = await watch();
    await edit(allow('google.com'));
    await edit(add('google.com'));
    const found = await warnings((edit) => changeIndicators(edit, 2, { remove: ['google.com'] }));
    expect(found).toMatchObject([{ code: 'never-block', holds: true }]);
    expect(found[0]!.text).toContain('google.com');
  });

  it('is told only when it is new: what was blocked before stays so without a word', async () => {
    const { edit, warnings } = await watch();
    await edit(add('com'));
    expect(await warnings(add('google.com', 'host:apple.com', '*.bing.com'))).toEqual([]);
    expect(await warnings((edit) => updatePolicy(edit, 1, { ttl: 300 }))).toEqual([]);
  });

  it('is told for any action but allow, also when it changes nothing else', async () => {
    const { edit, warnings } = await watch();
    await edit((draft) => changeIndicators(draft, 3, { add: ['google.com'] }));
    for (const action of [
      { kind: 'drop' },
      { kind: 'nodata' },
      { kind: 'tcp-only' },
      { kind: 'redirect', to: 'garden.example.' },
    ]) {
      const found = await warnings((edit) => attach(edit, 1, { kind: 'target', id: 3, action }));
      expect(found, action.kind).toMatchObject([{ code: 'never-block' }]);
    }
    const allowed = { kind: 'target', id: 3, action: { kind: 'allow' } };
    expect(await warnings((edit) => attach(edit, 1, allowed))).toEqual([]);
  });

  it('is told of a new policy by all that it holds, also a copy, and not of its further zones', async () => {
    const { edit, warnings } = await watch();
    await edit(add('google.com', 'com.pg', '10.1.2.3'));
    const made = await warnings((edit) => duplicatePolicy(edit, 1, { name: 'copy' }));
    expect(made.map(({ code }) => code)).toEqual(['never-block', 'private-address']);
    expect(made[0]!.zone).toBe('rpz.copy.acme.sluice.internal.');
    expect(made[0]!.text).toContain('newly blocks com.pg, google.com:');
    // The policy was looked at when it came to hold them; a device brings nothing new.
    const device = { name: 'resolver', type: 'dns', policyId: 1 };
    expect(await warnings((edit) => createDevice(edit, device))).toEqual([]);
    await edit((draft) => createDevice(draft, { ...device, policyId: null }));
    expect(await warnings((edit) => assignPolicy(edit, 1, 1))).toEqual([]);
    expect(await warnings((edit) => updatePolicy(edit, 1, { name: 'other' }))).toEqual([]);
  });

  it('names the zone of the policy and counts the zones of its devices', async () => {
    const { edit, warnings } = await watch();
    await edit((draft) => {
      createDevice(draft, { name: 'one', type: 'dns', policyId: 1 });
      createDevice(draft, { name: 'two', type: 'dns', policyId: 1 });
    });
    const found = await warnings(add('google.com'));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ zone: DNS_ZONE });
    expect(found[0]!.text).toContain('(and 2 zones with the same content)');
  });

  it('only warns where the settings say so', async () => {
    const { warnings } = await watch();
    const found = await warnings(add('google.com', '10.0.0.0/8'), { holdNeverBlock: false });
    expect(found.length).toBeGreaterThan(1);
    expect(found.filter(({ holds }) => holds)).toEqual([]);
  });
});

describe('a change that blocks addresses', () => {
  it.each([
    ['10.1.2.3', 'private-address', '10.0.0.0/8 (private use, RFC 1918)'],
    ['172.16.0.0/11', 'private-address', '172.16.0.0/12'],
    ['192.168.0.0/16', 'private-address', '192.168.0.0/16'],
    ['100.127.255.255', 'private-address', '100.64.0.0/10'],
    ['127.0.0.1', 'private-address', '127.0.0.0/8'],
    ['169.254.169.254', 'private-address', '169.254.0.0/16'],
    ['fd00:1::/32', 'private-address', 'fc00::/7'],
    ['fe80::1', 'private-address', 'fe80::/10'],
    ['::1', 'private-address', '::1/128'],
    ['8.8.8.8', 'never-block', '8.8.8.8'],
    ['1.1.1.0/24', 'never-block', '1.1.1.1'],
    ['2606:4700:4700::1111', 'never-block', '2606:4700:4700::1111'],
    ['198.41.0.4', 'never-block', '198.41.0.4'],
  ])('is told of %s in both kinds of policy', async (line, code, text) => {
    const found = await (await watch()).warnings(add(line));
    expect(found).toMatchObject([
      { code, zone: IP_ZONE, holds: true },
      { code, zone: DNS_ZONE, holds: true },
    ]);
    for (const warning of found) expect(warning.text).toContain(text);
  });

  it('is told of the own network, where the settings name it', async () => {
    const { warnings } = await watch();
    const ownPrefixes = ['198.51.100.0/24', '2001:db8:1::/48'];
    const found = await warnings(add('198.51.100.77', '2001:db8::/32'), { ownPrefixes });
    expect(found).toMatchObject([
      { code: 'own-address', zone: IP_ZONE },
      { code: 'own-address', zone: DNS_ZONE },
    ]);
    expect(found[0]!.text).toContain('198.51.100.0/24 (own network), 2001:db8:1::/48');
    expect(await warnings(add('198.51.101.0', '203.0.113.0/24'), { ownPrefixes })).toEqual([]);
  });

  it('is told of clients and of name servers by their addresses', async () => {
    const { warnings } = await watch();
    for (const line of ['clientip:10.0.0.0/8', 'nsip:192.168.1.1']) {
      expect(await warnings(add(line)), line).toMatchObject([
        { code: 'private-address', zone: DNS_ZONE },
      ]);
    }
  });

  it('is not told of neighbours, nor of prefixes that merely join', async () => {
    const { edit, warnings } = await watch();
    const around = ['9.255.255.255', '11.0.0.0', '172.15.255.255', '172.32.0.0', '8.8.8.9'];
    expect(await warnings(add(...around))).toEqual([]);
    await edit(add('10.0.0.0/9', '10.128.0.0/10'));
    expect(await warnings(add('10.1.0.0/16', '11.0.0.0/8'))).toEqual([]);
    // The second half of the range is new, although its first half was there.
    expect(await warnings(add('10.192.0.0/10'))).toMatchObject([
      { code: 'private-address', zone: IP_ZONE },
      { code: 'private-address', zone: DNS_ZONE },
    ]);
  });

  it('is not told of what is allowed', async () => {
    const { edit, warnings } = await watch();
    await edit(allow('203.0.113.1'));
    await edit((draft) => attach(draft, 2, { kind: 'target', id: 2, action: { kind: 'allow' } }));
    expect(await warnings(allow('10.0.0.0/8', '8.8.8.8'))).toEqual([]);
    await edit(allow('10.0.0.0/8'));
    expect(await warnings(add('10.20.0.0/16'))).toEqual([]);
  });
});

describe('a change of size', () => {
  const names = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `n${from + index}.example`);

  async function withNames(count: number): Promise<Watch> {
    const made = await watch();
    await made.edit(add(...names(0, count)));
    return made;
  }
  const remove = (from: number, to: number) => (edit: Edit) =>
    changeIndicators(edit, 1, { remove: names(from, to) });

  it('is told when a zone loses more than the set share, and held above the other', async () => {
    const { warnings } = await withNames(1000);
    expect(await warnings(remove(0, 190))).toEqual([]);
    const [some] = await warnings(remove(0, 300));
    expect(some).toMatchObject({ code: 'shrinks', zone: DNS_ZONE, holds: false });
    expect(some!.text).toBe(
      `${DNS_ZONE} shrinks by 29.9 %, from 2005 to 1405 records: more than 20 % is unusual.`,
    );
    const [most] = await warnings(remove(0, 600));
    expect(most).toMatchObject({ code: 'shrinks', holds: true });
    expect(most!.text).toBe(
      `${DNS_ZONE} shrinks by 59.9 %, from 2005 to 805 records: changes above 50 % are held.`,
    );
    expect(await warnings(remove(0, 600), { holdShrinkShare: null })).toMatchObject([
      { code: 'shrinks', holds: false },
    ]);
  });

  it('is told when a zone gains more than the set share, and held above the other', async () => {
    const { warnings } = await withNames(600);
    expect(await warnings(add(...names(600, 1100)))).toEqual([]);
    expect(await warnings(add(...names(600, 1300)))).toMatchObject([
      { code: 'grows', holds: false },
    ]);
    expect(await warnings(add(...names(600, 3700)))).toMatchObject([
      { code: 'grows', holds: true },
    ]);
    expect(await warnings(add(...names(600, 3700)), { holdGrowShare: null })).toMatchObject([
      { code: 'grows', holds: false },
    ]);
  });

  it('is not measured for small zones, new ones, and zones that go', async () => {
    const { edit, warnings } = await withNames(400);
    expect(await warnings(remove(0, 400))).toEqual([]);
    expect(await warnings(remove(0, 400), { recordsMin: 500 })).toMatchObject([
      { code: 'shrinks' },
    ]);
    await edit(add(...names(400, 2000)));
    expect(await warnings((edit) => duplicatePolicy(edit, 1, { name: 'copy' }))).toEqual([]);
    expect(await warnings((edit) => deletePolicy(edit, 1))).toEqual([]);
  });

  it('is told when a device cannot take it, and by how much, but is not held for that', async () => {
    const { edit, warnings } = await withNames(10);
    await edit((draft) => {
      createDevice(draft, { name: 'small', type: 'dns', policyId: 1, recordsMax: 30 });
      createDevice(draft, { name: 'large', type: 'dns', policyId: 1, recordsMax: 3000 });
    });
    expect(await warnings(add('n10.example'))).toEqual([]);
    expect(await warnings(add(...names(10, 20)))).toEqual([
      {
        code: 'over-capacity',
        zone: 'rpz.small.dev.acme.sluice.internal.',
        text: 'rpz.small.dev.acme.sluice.internal. has 45 records, 15 above the 30 that device "small" takes.',
        holds: false,
      },
    ]);
  });
});
