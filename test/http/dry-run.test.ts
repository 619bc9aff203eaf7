import { describe, expect, it } from 'vitest';
import { holdChange } from '../../src/publish/edits/held-changes.ts';
import { createPolicy } from '../../src/publish/edits/index.ts';
import { type Json, type Scene, scene } from './scene.ts';

interface ZonePreview {
  readonly origin: string;
  readonly fromSerial: number | null;
  readonly recordsBefore: number;
  readonly recordsAfter: number;
  readonly recordsRemoved: number;
  readonly recordsAdded: number;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}
interface Preview {
  readonly zones: readonly ZonePreview[];
  readonly devices: readonly { name: string; records: number; recordsMax: number; over: number }[];
  readonly warnings: readonly { code: string; zone: string; text: string; holds: boolean }[];
}
interface ZoneChange {
  readonly zone: string;
  readonly fromSerial: number | null;
  readonly serial: number | null;
  readonly recordsRemoved: number;
  readonly recordsAdded: number;
}

/** Targets 1 (names), 2 (addresses), 3 (more names), 4 (partner); policies 1 (DNS), 2 (IP), 3 (DNS, predefined by nobody). */
async function withEverything(): Promise<Scene> {
  const made = await scene();
  const { ok, asServer } = made;
  for (const [name, lines] of [
    ['names', 'evil.example\nhost:one.example\n192.0.2.0/28\n'],
    ['addresses', '192.0.2.0/24\n2001:db8:1::/48\n'],
    ['more', 'more.example\nevil.example\n'],
    ['sold', 'sold.example\n'],
  ] as const) {
    const { target } = await ok('POST', '/targets', { name, partner: name === 'sold' });
    await ok('PUT', `/targets/${String(target!.id)}/indicators`, lines);
  }
  await ok('POST', '/bundles', { name: 'phish', filter: { threatType: ['phishing'] } });
  await ok('POST', '/lists', { name: 'own' });
  await ok('PUT', '/lists/1/entries', { entries: ['mine.example', '198.51.100.0/25'] });
  const garden = { kind: 'redirect', to: 'garden.example.' };
  await ok('POST', '/behaviours', { name: 'garden', action: garden });
  await ok('POST', '/policies', {
    name: 'corp',
    type: 'dns',
    attachments: [
      { kind: 'target', id: 1 },
      { kind: 'bundle', id: 1, action: { kind: 'behaviour', id: 1 } },
      { kind: 'list', id: 1, action: { kind: 'drop' } },
    ],
  });
  await ok('POST', '/policies', {
    name: 'fw',
    type: 'ip',
    attachments: [
      { kind: 'target', id: 2 },
      { kind: 'list', id: 1 },
    ],
  });
  await ok('POST', '/devices', { name: 'resolver', type: 'dns', policyId: 1 });
  await ok('POST', '/devices', { name: 'firewall', type: 'ip', policyId: 2 });
  await made.addAccount('other');
  await asServer((edit) => createPolicy(edit, { name: 'empty', type: 'dns' }));
  await asServer((edit) =>
    holdChange(edit, {
      actor: 'token admin',
      action: 'target.create',
      reasons: ['a test'],
      request: {
        method: 'POST',
        path: '/targets',
        body: '{"name":"late"}',
        textType: null,
        ifMatch: null,
      },
    }),
  );
  return made;
}

/** The scene's clock stands still, so the first serial is its time and each later one is one more. */
const EARLIER_SERIAL = Date.UTC(2030, 0, 31, 12) / 1000;

/** One request for every route that changes the model; each is really made before the next is tried. */
const REQUESTS: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ['POST', '/targets', { name: 'new' }],
  ['PATCH', '/targets/:id=3', { attributes: { threatType: 'phishing' } }],
  ['PUT', '/targets/:id=1/indicators', 'evil.example\nother.example\nnsip:203.0.113.0/24\n'],
  ['PATCH', '/targets/:id=2/indicators', { add: ['203.0.113.0/24'], remove: ['192.0.2.0/24'] }],
  ['POST', '/bundles', { name: 'other', filter: { severityMin: 5 } }],
  ['PATCH', '/bundles/:id=1', { filter: { threatType: ['phishing', 'none'] } }],
  ['POST', '/lists', { name: 'second', action: 'allow' }],
  ['PATCH', '/lists/:id=1', { action: 'allow' }],
  ['PUT', '/lists/:id=1/entries', 'mine.example\n198.51.100.0/24\n'],
  ['PATCH', '/lists/:id=1/entries', { add: ['theirs.example'], remove: ['mine.example'] }],
  ['PUT', '/lists/:id=1/shares/:label=other'],
  ['DELETE', '/lists/:id=1/shares/:label=other'],
  ['POST', '/behaviours', { name: 'page', action: { kind: 'redirect', to: 'page.example.' } }],
  ['PATCH', '/behaviours/:id=1', { action: { kind: 'redirect', to: 'rose.example.' } }],
  ['DELETE', '/behaviours/:id=2'],
  ['POST', '/policies', { name: 'fresh', type: 'dns', attachments: [{ kind: 'target', id: 1 }] }],
  ['POST', '/policies/:id=1/duplicate', { name: 'twin' }],
  ['PATCH', '/policies/:id=1', { ttl: 300 }],
  ['PATCH', '/policies/:id=1', { name: 'corp2' }],
  ['POST', '/policies/:id=3/attachments', { kind: 'target', id: 1 }],
  [
    'PATCH',
    '/policies/:id=3/attachments/:kind=target/:memberId=1',
    { action: { kind: 'local-data', records: [{ type: 'TXT', data: '"no"' }] } },
  ],
  ['POST', '/policies/:id=3/rollback', { serial: EARLIER_SERIAL }],
  ['DELETE', '/policies/:id=3/rollback'],
  ['PUT', '/policies/:id=3/exclusions/:targetId=1'],
  ['DELETE', '/policies/:id=3/exclusions/:targetId=1'],
  ['POST', '/devices', { name: 'third', type: 'dns', policyId: 3 }],
  ['PATCH', '/devices/:id=1', { recordsMax: 5 }],
  ['PUT', '/devices/:id=1/policy', { policyId: 3 }],
  ['POST', '/policies/:id=1/devices', { add: [1, 3] }],
  ['POST', '/devices/:id=1/keys', {}],
  ['POST', '/devices/:id=1/keys/rotate', {}],
  ['PATCH', '/devices/:id=1/keys/:keyId=1', { transfersMax: 2 }],
  ['DELETE', '/devices/:id=1/keys/:keyId=1'],
  ['PUT', '/devices/:id=2/policy', { policyId: null }],
  ['DELETE', '/policies/:id=3/attachments/:kind=target/:memberId=1'],
  ['POST', '/entitlements', { accountId: 1, targetId: 4 }],
  ['POST', '/policies/:id=1/attachments', { kind: 'target', id: 4 }],
  ['PATCH', '/entitlements/:id=1', { note: 'paid' }],
  ['DELETE', '/entitlements/:id=1'],
  ['POST', '/accounts', { label: 'third', name: 'Third' }],
  ['PATCH', '/accounts/:id=3', { name: 'Third one' }],
  ['DELETE', '/accounts/:id=3'],
  ['POST', '/users', { name: 'ann', role: 'editor', password: 'correct horse battery' }],
  ['PATCH', '/users/:id=1', { displayName: 'Ann' }],
  ['PUT', '/users/:id=1/password', { password: 'another horse battery' }],
  ['DELETE', '/users/:id=1/sessions'],
  ['DELETE', '/users/:id=1'],
  ['POST', '/tokens', { name: 'spare', role: 'viewer' }],
  ['DELETE', '/tokens/:id=4'],
  ['DELETE', '/held-changes/:id=1'],
  ['POST', '/feeds', { targetId: 3, source: { kind: 'upload' } }],
  ['PATCH', '/feeds/:id=1', { enabled: false }],
  ['DELETE', '/feeds/:id=1'],
  ['POST', '/feed-presets/:name=feodo-tracker/enable', {}],
  [
    'POST',
    '/batch',
    {
      operations: [
        { method: 'PATCH', path: '/targets/1/indicators', body: { add: ['batch.example'] } },
        { method: 'DELETE', path: '/policies/2/attachments/target/2' },
      ],
    },
  ],
  ['DELETE', '/bundles/:id=2'],
  ['DELETE', '/lists/:id=2'],
  ['DELETE', '/devices/:id=2'],
  ['DELETE', '/policies/:id=2'],
  ['DELETE', '/targets/:id=2'],
];

const urlOf = (path: string): string => path.replaceAll(/:\w+=/g, '');
const patternOf = (path: string): string => path.replaceAll(/:(\w+)=[\w-]+/g, '{$1}');

describe('a dry run', () => {
  it('tells of every kind of change exactly what the change then does, and changes nothing', async () => {
    const { call, ok, publisher } = await withEverything();
    let zonesSeen = 0;
    for (const [method, path, body] of REQUESTS) {
      const url = urlOf(path);
      const label = `${method} ${url}`;
      const { state } = publisher;
      const trail = await publisher.changes({ limit: 1 });
      const tried = await call(method, `${url}?dryRun=true`, body);
      expect(tried.status, `${label}: ${tried.text}`).toBe(200);
      expect(tried.body.dryRun, label).toBe(true);
      expect(publisher.state, label).toBe(state);
      expect(await publisher.changes({ limit: 1 }), label).toEqual(trail);

      const preview = tried.body.preview as unknown as Preview;
      const { zones } = (await ok(method, `${url}?confirm=true`, body)) as unknown as {
        zones: ZoneChange[];
      };
      const told = preview.zones.map(({ origin, fromSerial, recordsRemoved, recordsAdded }) => ({
        zone: origin,
        fromSerial,
        recordsRemoved,
        recordsAdded,
      }));
      const done = zones.map(({ zone, fromSerial, recordsRemoved, recordsAdded }) => ({
        zone,
        fromSerial,
        recordsRemoved,
        recordsAdded,
      }));
      expect(told, label).toEqual(done);
      for (const { origin, recordsBefore, recordsAfter } of preview.zones) {
        expect(recordsBefore, label).toBe(state.zones.get(origin)?.records ?? 0);
        expect(recordsAfter, label).toBe(publisher.state.zones.get(origin)?.records ?? 0);
      }
      zonesSeen += zones.length;
    }
    expect(zonesSeen).toBeGreaterThan(50);
  });

  it('is there for every route that changes the model', async () => {
    const { call } = await scene();
    const document = JSON.parse((await call('GET', '/api/openapi.json', undefined, null)).text) as {
      paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
    };
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { parameters = [] }]) =>
        parameters.some(({ name }) => name === 'dryRun')
          ? [`${method.toUpperCase()} ${path.replace('/api/v1', '')}`]
          : [],
      ),
    );
    const tried = new Set(REQUESTS.map(([method, path]) => `${method} ${patternOf(path)}`));
    // Only who is logged in can change the own password, and it reaches no zone.
    tried.add('PUT /session/password');
    // It needs an account that is empty but for who restores it.
    tried.add('POST /restore');
    expect(documented.filter((operation) => !tried.has(operation))).toEqual([]);
    expect(documented.length).toBeGreaterThan(45);
  });

  it('shows records that go and come as lines of a zone file, twenty of each at most', async () => {
    const { ok } = await withEverything();
    const url = '/targets/1/indicators?dryRun=true';
    const { preview } = (await ok('PUT', url, 'evil.example\nnew.example\n')) as unknown as {
      preview: Preview;
    };
    const zone = preview.zones.find(({ origin }) => origin === 'rpz.corp.acme.sluice.internal.');
    expect(zone).toMatchObject({
      recordsRemoved: 2,
      recordsAdded: 2,
      removed: ['one.example 60 IN CNAME .', '28.0.2.0.192.rpz-ip 60 IN CNAME .'],
      added: ['new.example 60 IN CNAME .', '*.new.example 60 IN CNAME .'],
    });
    const many = Array.from({ length: 50 }, (_, index) => `host:n${index}.example`).join('\n');
    const large = (await ok('PUT', url, many)) as unknown as { preview: Preview };
    expect(large.preview.zones[0]!.recordsAdded).toBe(50);
    expect(large.preview.zones[0]!.added).toHaveLength(20);
    const made = (await ok('POST', '/policies/1/duplicate?dryRun=true', { name: 'twin' })) as {
      preview: Json;
    };
    expect((made.preview as unknown as Preview).zones).toMatchObject([
      { origin: 'rpz.twin.acme.sluice.internal.', fromSerial: null, recordsBefore: 0, removed: [] },
    ]);
    expect((made.preview as unknown as Preview).zones[0]!.added).toContain(
      '*.evil.example 60 IN CNAME .',
    );
    const gone = (await ok('DELETE', '/policies/3?dryRun=true')) as unknown as { preview: Preview };
    expect(gone.preview.zones).toMatchObject([{ recordsBefore: 2, recordsAfter: 0, added: [] }]);
  });

  it('shows IP zones by their records, too', async () => {
    const { ok } = await withEverything();
    const url = '/targets/2/indicators?dryRun=true';
    const { preview } = (await ok('PATCH', url, { add: ['203.0.113.9'] })) as unknown as {
      preview: Preview;
    };
    const zone = preview.zones.find(({ origin }) => origin === 'block.fw.acme.sluice.internal.')!;
    expect(zone.removed).toEqual([expect.stringMatching(/v4 60 IN APL 1:192\.0\.2\.0\/24/)]);
    expect(zone.added).toEqual([expect.stringMatching(/v4 60 IN APL .*1:203\.0\.113\.9\/32/)]);
  });

  it('tells of each device that the change reaches its size and capacity, and warns above it', async () => {
    const { ok } = await withEverything();
    await ok('PATCH', '/devices/1', { recordsMax: 10 });
    const { preview } = (await ok('PATCH', '/targets/1/indicators?dryRun=true', {
      add: ['x.example'],
    })) as unknown as { preview: Preview };
    expect(preview.devices).toEqual([
      { id: 1, name: 'resolver', records: 11, recordsMax: 10, over: 1 },
    ]);
    expect(preview.warnings).toEqual([
      {
        code: 'over-capacity',
        zone: 'rpz.resolver.dev.acme.sluice.internal.',
        text: 'rpz.resolver.dev.acme.sluice.internal. has 11 records, 1 above the 10 that device "resolver" takes.',
        holds: false,
      },
    ]);
  });

  it('is refused as the change itself would be', async () => {
    const { refused } = await withEverything();
    expect(
      await refused('POST', '/policies?dryRun=true', { name: 'corp', type: 'dns' }),
    ).toMatchObject({ status: 409, field: 'name' });
    expect(await refused('DELETE', '/policies/1?dryRun=true')).toMatchObject({ status: 409 });
    expect(await refused('DELETE', '/policies/1?dryRun=perhaps')).toMatchObject({
      status: 400,
      field: 'dryRun',
    });
    expect(await refused('DELETE', '/policies/1?dryRun=true', undefined, 'viewer')).toMatchObject({
      status: 403,
    });
  });
});
