import { describe, expect, it } from 'vitest';
import { memberTargets } from '../../src/http/views/model-index.ts';
import { createPolicy, createTarget } from '../../src/publish/edits/index.ts';
import { type Json, type Scene, scene } from './scene.ts';

function names(page: Json): string {
  return (page.items as unknown as { name: string }[]).map(({ name }) => name).join(' ');
}

/**
 * Targets a (phishing, severe), b (botnet), c (partner, block only); bundle 1 of what is phishing and
 * 2 of everything; list 1; policies 1 (DNS: bundle 1, list 1, without b), 2 (IP: b) and 3 (predefined).
 */
async function withCatalogue(): Promise<Scene> {
  const made = await scene();
  const { asServer, ok } = made;
  const targets = [
    {
      name: 'a',
      description: 'Landing pages',
      attributes: {
        severity: 5,
        confidence: 90,
        risk: 10,
        danger: 'critical',
        iocType: 'domain',
        threatType: 'phishing',
        trafficType: 'outbound',
        tags: ['mail', 'brand'],
      },
    },
    {
      name: 'b',
      attributes: { severity: 2, confidence: 50, risk: 80, threatType: 'botnet', tags: ['c2'] },
    },
    { name: 'c', partner: true, supportsAllow: false },
  ];
  for (const target of targets) await ok('POST', '/targets', target);
  await ok('PUT', '/targets/1/indicators', 'a1.example\na2.example\n');
  await ok('PUT', '/targets/2/indicators', '192.0.2.0/24\n2001:db8::/32\n2001:db8:1::/48\n');
  await ok('POST', '/bundles', { name: 'severe', filter: { threatType: ['phishing'] } });
  await ok('POST', '/bundles', { name: 'all', description: 'Everything' });
  await ok('POST', '/lists', { name: 'mine', action: 'allow' });
  await ok('PUT', '/lists/1/entries', { entries: ['shop.example', '192.0.2.7'] });
  await ok('POST', '/lists', { name: 'other', description: 'Unused' });
  await ok('POST', '/policies', {
    name: 'corp',
    type: 'dns',
    description: 'Offices',
    attachments: [
      { kind: 'bundle', id: 1 },
      { kind: 'list', id: 1 },
    ],
    excludedTargets: [2],
  });
  const attachments = [{ kind: 'target', id: 2 }];
  await ok('POST', '/policies', { name: 'fw', type: 'ip', attachments });
  await asServer((edit) => createPolicy(edit, { name: 'base', type: 'ip', predefined: true }));
  return made;
}

describe('the list of targets', () => {
  it('is filtered by every attribute', async () => {
    const { ok } = await withCatalogue();
    const cases = [
      ['severityMin=2', 'a b'],
      ['severityMax=2', 'b c'],
      ['confidenceMin=51', 'a'],
      ['confidenceMin=1&confidenceMax=50', 'b'],
      ['riskMin=11', 'b'],
      ['riskMax=10', 'a c'],
      ['danger=critical', 'a'],
      ['danger=critical&danger=none', 'a b c'],
      ['iocType=DOMAIN', 'a'],
      ['threatType=phishing&threatType=botnet', 'a b'],
      ['trafficType=outbound', 'a'],
      ['trafficType=', 'b c'],
      ['tags=mail&tags=c2', 'a b'],
      ['supportsAllow=false', 'c'],
      ['partner=true', 'c'],
      ['entitled=true', 'a b'],
      ['origin=custom', 'a b c'],
      ['sizeMin=1', 'a b'],
      ['sizeMax=2', 'a c'],
      ['q=landing', 'a'],
      ['severityMin=2&threatType=botnet', 'b'],
    ];
    for (const [query, expected] of cases) {
      expect(names(await ok('GET', `/targets?${query}`)), query).toBe(expected);
    }
  });

  it('is sorted by every column', async () => {
    const { ok } = await withCatalogue();
    const cases = [
      ['-id', 'c b a'],
      ['-name', 'c b a'],
      ['-description', 'a b c'],
      ['severity', 'c b a'],
      ['confidence', 'c b a'],
      ['-risk', 'b a c'],
      ['-danger', 'a b c'],
      ['-iocType', 'a b c'],
      ['threatType', 'c b a'],
      ['-trafficType', 'a b c'],
      ['tags', 'c a b'],
      ['supportsAllow', 'c a b'],
      ['-partner', 'c a b'],
      ['entitled', 'c a b'],
      ['origin', 'a b c'],
      ['-size', 'b a c'],
      ['createdAt', 'a b c'],
      ['-updatedAt', 'a b c'],
    ];
    for (const [sort, expected] of cases) {
      expect(names(await ok('GET', `/targets?sort=${sort}`)), sort).toBe(expected);
    }
  });

  it('tells what is in a policy now, directly or by a bundle, and what is not', async () => {
    const { addAccount, asServer, ok, refused } = await withCatalogue();
    await asServer((edit) => createTarget(edit, { name: 'canary', origin: 'built-in' }));
    expect(names(await ok('GET', '/targets?inPolicy=1'))).toBe('a canary');
    expect(names(await ok('GET', '/targets?notInPolicy=1'))).toBe('b c');
    expect(names(await ok('GET', '/targets?inPolicy=2&notInPolicy=1'))).toBe('b');
    await ok('PATCH', '/targets/2', { attributes: { threatType: 'phishing' } });
    expect(names(await ok('GET', '/targets?inPolicy=1')), 'excluded').toBe('a canary');
    await ok('DELETE', '/policies/1/exclusions/2');
    expect(names(await ok('GET', '/targets?inPolicy=1'))).toBe('a b canary');
    const unknown = { status: 404, field: 'policy id' };
    expect(await refused('GET', '/targets?inPolicy=77')).toMatchObject(unknown);
    const other = await addAccount('other');
    expect(await other.refused('GET', '/targets?inPolicy=1')).toMatchObject(unknown);
    await other.ok('GET', '/targets?inPolicy=3');
  });

  it('of a bundle is searched, sorted and filtered in the same way', async () => {
    const { ok } = await withCatalogue();
    expect(names(await ok('GET', '/bundles/2/targets?sort=-severity'))).toBe('a b c');
    expect(names(await ok('GET', '/bundles/2/targets?partner=false&limit=1'))).toBe('a');
    expect(names(await ok('GET', '/bundles/2/targets?notInPolicy=1'))).toBe('b c');
  });
});

describe('the lists of bundles and lists', () => {
  it('are filtered, sorted and searched by what they hold', async () => {
    const { ok } = await withCatalogue();
    const cases = [
      ['/bundles?sort=targetCount', 'severe all'],
      ['/bundles?sort=-targetCount', 'all severe'],
      ['/bundles?q=everything', 'all'],
      ['/bundles?target=1', 'severe all'],
      ['/bundles?target=2', 'all'],
      ['/bundles?targetCountMin=2', 'all'],
      ['/bundles?targetCountMax=1', 'severe'],
      ['/bundles?inPolicy=1', 'severe'],
      ['/bundles?notInPolicy=1', 'all'],
      ['/lists?sort=-entries', 'mine other'],
      ['/lists?sort=records', 'other mine'],
      ['/lists?sort=-addresses4', 'mine other'],
      ['/lists?sort=addresses6', 'mine other'],
      ['/lists?sort=nextExpiry', 'mine other'],
      ['/lists?sort=owner', 'mine other'],
      ['/lists?sort=-description', 'other mine'],
      ['/lists?action=allow', 'mine'],
      ['/lists?entriesMin=1', 'mine'],
      ['/lists?entriesMax=0', 'other'],
      ['/lists?recordsMin=2', 'mine'],
      ['/lists?recordsMax=1', 'other'],
      ['/lists?expires=true', ''],
      ['/lists?q=UNUSED', 'other'],
      ['/lists?inPolicy=1', 'mine'],
      ['/lists?notInPolicy=1', 'other'],
    ] as const;
    for (const [url, expected] of cases) expect(names(await ok('GET', url)), url).toBe(expected);
  });

  it('sort by exact numbers of addresses', async () => {
    const { ok } = await scene();
    for (const [index, more] of [1, 0, 2].entries()) {
      await ok('POST', '/lists', { name: `more by ${more}` });
      const singles = Array.from({ length: more }, (_, n) => `2001:db9::${n + 1}`);
      await ok('PUT', `/lists/${index + 1}/entries`, { entries: ['2001:db8::/32', ...singles] });
    }
    const page = await ok('GET', '/lists?sort=-addresses6');
    expect(names(page)).toBe('more by 2 more by 1 more by 0');
    expect(page.items).toMatchObject([
      { counts: { addresses6: String(2n ** 96n + 2n) } },
      { counts: { addresses6: String(2n ** 96n + 1n) } },
      { counts: { addresses6: String(2n ** 96n) } },
    ]);
  });
});

describe('the list of policies', () => {
  it('shows each in short, with exact addresses of both kinds and sides', async () => {
    const { ok } = await withCatalogue();
    await ok('POST', '/devices', { name: 'r1', type: 'ip', policyId: 2 });
    const { items } = await ok('GET', '/policies?sort=name');
    expect(items).toMatchObject([
      { name: 'base', predefined: true },
      {
        name: 'corp',
        type: 'dns',
        description: 'Offices',
        predefined: false,
        attachmentCount: 2,
        deviceCount: 0,
        rolledBack: false,
        counts: { records: 2 + 3 * 2 + 1, block: null, allow: null },
      },
      {
        name: 'fw',
        attachmentCount: 1,
        deviceCount: 1,
        counts: {
          block: { addresses4: 256, addresses6: String(2n ** 96n) },
          allow: { addresses4: 0, addresses6: 0 },
        },
      },
    ]);
  });

  it('is filtered and sorted by what they hold, too', async () => {
    const { ok } = await withCatalogue();
    await ok('POST', '/devices', { name: 'r1', type: 'ip', policyId: 2 });
    const cases = [
      ['type=ip', 'fw base'],
      ['predefined=false', 'corp fw'],
      ['assigned=true', 'fw'],
      ['target=1', 'corp'],
      ['target=2', 'fw'],
      ['bundle=1', 'corp'],
      ['list=1', 'corp'],
      ['list=2', ''],
      ['q=OFFICE', 'corp'],
      ['recordsMax=2', ''],
      ['sort=-blockAddresses6', 'fw base corp'],
      ['sort=blockAddresses4', 'corp base fw'],
      ['sort=-allowAddresses4', 'fw base corp'],
      ['sort=-deviceCount', 'fw corp base'],
      ['sort=-attachmentCount', 'corp fw base'],
      ['sort=-predefined', 'base corp fw'],
      ['sort=type', 'corp fw base'],
      ['sort=ttl', 'corp fw base'],
    ];
    for (const [query, expected] of cases) {
      expect(names(await ok('GET', `/policies?${query}`)), query).toBe(expected);
    }
  });

  it('names exactly those that have a target as a member now', async () => {
    const { asServer, ok, publisher } = await withCatalogue();
    await asServer((edit) => createTarget(edit, { name: 'canary', origin: 'built-in' }));
    const allow = { kind: 'allow' };
    await ok('PATCH', '/targets/3', { supportsAllow: true });
    await ok('POST', '/policies/1/attachments', { kind: 'bundle', id: 2, action: allow });
    await ok('PATCH', '/targets/3', { supportsAllow: false, partner: false });
    await ok('POST', '/policies', {
      name: 'more',
      type: 'dns',
      attachments: [{ kind: 'bundle', id: 2 }],
    });
    const { model } = publisher;
    for (const target of model.targets.values()) {
      const wanted = [...model.policies.values()].filter((policy) =>
        memberTargets(policy, model).has(target.id),
      );
      const page = await ok('GET', `/policies?target=${target.id}`);
      expect(names(page), target.name).toBe(wanted.map(({ name }) => name).join(' '));
    }
    expect(names(await ok('GET', '/policies?target=3'))).toBe('more');
    expect(names(await ok('GET', '/policies?target=77'))).toBe('');
  });

  it('counts the zones of a former name once only', async () => {
    const { ok } = await withCatalogue();
    const before = await ok('GET', '/policies?q=corp');
    await ok('PATCH', '/policies/1', { name: 'corp2' });
    const after = await ok('GET', '/policies?q=corp');
    expect(after.items![0 as never]!.counts).toEqual(before.items![0 as never]!.counts);
  });
});

describe('things that two people edit', () => {
  it('have an ETag that an edit can be bound to', async () => {
    const { app, ok, tokens, call } = await withCatalogue();
    await ok('POST', '/behaviours', { name: 'x', action: { kind: 'redirect', to: 'x.example.' } });
    const send = async (url: string, etag: string, description: string) =>
      app.inject({
        method: 'PATCH',
        url: `/api/v1${url}`,
        headers: { authorization: `Bearer ${tokens.editor}`, 'if-match': etag },
        payload: { description },
      });
    for (const url of ['/targets/1', '/bundles/1', '/lists/1', '/policies/1', '/behaviours/1']) {
      const etag = String((await call('GET', url)).headers.etag);
      expect(etag, url).toMatch(/^"[\w-]+"$/);
      const first = await send(url, etag, 'first');
      expect(first.statusCode, first.body).toBe(200);
      expect(first.headers.etag, url).not.toBe(etag);
      const second = await send(url, etag, 'second');
      expect(second.statusCode, url).toBe(412);
      expect(second.json()).toMatchObject({ type: '/api/v1/problems/entity-changed' });
      expect((await call('GET', url)).headers.etag).toBe(first.headers.etag);
    }
  });

  it('can be edited on trial', async () => {
    const { ok, publisher } = await withCatalogue();
    const before = publisher.model;
    const cases = [
      ['POST', '/targets', { name: 'new' }],
      ['PATCH', '/targets/1', { attributes: { threatType: 'none' } }],
      ['DELETE', '/targets/3', undefined],
      ['PUT', '/targets/1/indicators', 'new.example\n'],
      ['PATCH', '/targets/1/indicators', { add: ['new.example'] }],
      ['POST', '/bundles', { name: 'new' }],
      ['PATCH', '/bundles/1', { filter: {} }],
      ['DELETE', '/bundles/2', undefined],
      ['POST', '/lists', { name: 'new' }],
      ['PATCH', '/lists/1', { action: 'block' }],
      ['DELETE', '/lists/2', undefined],
      ['PUT', '/lists/1/entries', { entries: [] }],
      ['PATCH', '/lists/1/entries', { add: ['new.example'] }],
      ['POST', '/policies', { name: 'new', type: 'dns' }],
      ['PATCH', '/policies/1', { name: 'new' }],
      ['DELETE', '/policies/1', undefined],
      ['POST', '/policies/1/duplicate', { name: 'new' }],
      ['POST', '/policies/1/attachments', { kind: 'bundle', id: 2, asTargets: true }],
      ['POST', '/behaviours', { name: 'new', action: { kind: 'redirect', to: 'x.example.' } }],
    ] as const;
    for (const [method, url, body] of cases) {
      const answer = await ok(method, `${url}?dryRun=true`, body);
      expect(answer, `${method} ${url}`).toMatchObject({ dryRun: true, preview: {} });
    }
    expect(publisher.model).toBe(before);
  });
});
