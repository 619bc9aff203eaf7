import { describe, expect, it } from 'vitest';
import { EMPTY_MEMBERS } from '../../src/policy/member-sets.ts';
import type {
  Account,
  Device,
  DeviceKey,
  ListEntry,
  Model,
  Policy,
  Session,
  Target,
  User,
  UserList,
} from '../../src/policy/model.ts';
import { type AuditOptions, auditBody } from '../../src/publish/audit-body.ts';
import { readAuditRecord, SUBJECTS_MAX } from '../../src/publish/audit-record.ts';
import { COLLECTION, emptyModel } from '../../src/publish/entity-codec.ts';
import type { EntityTypes, ZoneChange } from '../../src/publish/publisher.ts';
import type { EntityKind } from '../../src/publish/store-port.ts';

type Things = { readonly [Kind in EntityKind]?: readonly EntityTypes[Kind][] };

function modelOf(things: Things): Model {
  const model = emptyModel();
  for (const [kind, entities] of Object.entries(things)) {
    const collection: Map<number, unknown> = model[COLLECTION[kind as EntityKind]];
    for (const entity of entities) collection.set(entity.id, entity);
  }
  return model;
}

const audited = (parts: Partial<AuditOptions>) => {
  const { body, subjects, accountIds } = auditBody({
    before: modelOf({}),
    after: modelOf({}),
    touched: [],
    members: [],
    entries: [],
    zones: [],
    ...parts,
  });
  return { body, subjects, accountIds, record: readAuditRecord(body) };
};

const account = (id: number) =>
  ({ id, label: `label-${id}`, name: `Account ${id}`, operator: false }) as Account;
const device = { id: 3, accountId: 2, name: 'resolver-1', policyId: null } as unknown as Device;
const key = (parts: Partial<DeviceKey>) =>
  ({
    id: 5,
    deviceId: 3,
    name: 'k.key.',
    algorithm: 'hmac-sha256',
    secret: Uint8Array.of(83, 69, 67, 82, 69, 84),
    expiresAt: null,
    ...parts,
  }) as DeviceKey;
const user = (parts: Partial<User>) =>
  ({ id: 4, accountId: 2, name: 'ada', role: 'viewer', passwordHash: null, ...parts }) as User;
const policy = (parts: Partial<Policy>) =>
  ({
    id: 7,
    accountId: 2,
    name: 'corp',
    description: '',
    ttl: 60,
    attachments: [],
    updatedAt: 1,
    ...parts,
  }) as unknown as Policy;
const list = (entries: readonly Partial<ListEntry>[]) =>
  ({
    id: 9,
    accountId: 2,
    name: 'ours',
    members: EMPTY_MEMBERS,
    entries: new Map(entries.map((entry) => [entry.value, entry])),
  }) as unknown as UserList;
const entry = (value: string, comment = '', expiresAt: number | null = null): ListEntry => ({
  value,
  comment,
  expiresAt,
  createdAt: 1,
});
const zone = (parts: Partial<ZoneChange>): ZoneChange =>
  ({
    origin: 'rpz.corp.a.test.',
    accountId: 2,
    policyId: 7,
    deviceId: null,
    fromSerial: 1,
    toSerial: 2,
    recordsRemoved: 0,
    recordsAdded: 3,
    ...parts,
  }) as ZoneChange;

describe('what was touched', () => {
  const touched = [{ kind: 'policy', id: 7 }] as const;
  const of = (before: Things, after: Things, kinds: AuditOptions['touched'] = touched) =>
    audited({ before: modelOf(before), after: modelOf(after), touched: kinds });

  it('is told by the fields that differ, before and after, without the time of the row', () => {
    const { record } = of(
      { policy: [policy({ ttl: 60, updatedAt: 1 })] },
      { policy: [policy({ ttl: 90, description: 'why', updatedAt: 2 })] },
    );
    expect(record.entities).toEqual([
      {
        kind: 'policy',
        id: 7,
        name: 'corp',
        accountId: 2,
        before: { ttl: 60, description: '' },
        after: { ttl: 90, description: 'why' },
      },
    ]);
  });

  it('has no before when it was made, and no after when it was deleted', () => {
    const made = of({}, { policy: [policy({})] }).record.entities[0];
    expect(made).toMatchObject({ before: null, after: { name: 'corp', ttl: 60, attachments: [] } });
    const deleted = of({ policy: [policy({})] }, {}).record.entities[0];
    expect(deleted).toEqual({ ...made, before: made?.after, after: null });
  });

  it('is left out when the same change made and deleted it', () => {
    const { record, subjects } = of({}, {});
    expect(record.entities).toEqual([]);
    expect(subjects).toEqual([{ kind: 'policy', id: 7 }]);
  });

  it('never shows members or entries, only how many a new or deleted holder has', () => {
    const target = { id: 1, name: 't', members: EMPTY_MEMBERS } as unknown as Target;
    const { record } = of({}, { target: [target], list: [list([entry('a.example')])] }, [
      { kind: 'target', id: 1 },
      { kind: 'list', id: 9 },
    ]);
    expect(record.entities.map(({ after }) => after)).toEqual([
      { name: 't', members: 0 },
      { accountId: 2, name: 'ours', entries: 1 },
    ]);
  });

  it('belongs to an account, and to none when it is of the catalogue', () => {
    const things: Things = {
      account: [account(2)],
      target: [{ id: 1, name: 't', members: EMPTY_MEMBERS } as unknown as Target],
      device: [device],
      key: [key({})],
      user: [user({})],
      session: [{ id: 6, userId: 4, sha256: 'x' } as unknown as Session],
      entitlement: [{ id: 8, accountId: 2, targetId: 1 } as EntityTypes['entitlement']],
      held: [
        {
          id: 10,
          accountId: 2,
          action: 'policy.update 7',
          request: { method: 'PATCH', path: '/policies/7', body: 'BODY', isText: false },
        } as unknown as EntityTypes['held'],
      ],
    };
    const kinds = ['account', 'target', 'key', 'session', 'entitlement', 'held'] as const;
    const ids = [2, 1, 5, 6, 8, 10];
    const { record, body } = of(
      {},
      things,
      kinds.map((kind, place) => ({ kind, id: ids[place]! })),
    );
    expect(record.entities.map(({ name, accountId }) => [name, accountId])).toEqual([
      ['Account 2', 2],
      ['t', null],
      ['k.key.', 2],
      ['ada', 2],
      ['t', 2],
      ['policy.update 7', 2],
    ]);
    expect(body).not.toContain('BODY');
  });
});

describe('secrets', () => {
  it('are never told, only that they changed', () => {
    const touched = [
      { kind: 'key', id: 5 },
      { kind: 'user', id: 4 },
      { kind: 'token', id: 6 },
      { kind: 'session', id: 8 },
    ] as const;
    const token = { id: 6, accountId: 2, name: 'ci', sha256: 'SECRET' } as EntityTypes['token'];
    const session = { id: 8, userId: 4, sha256: 'SECRET' } as Session;
    const { record, body } = audited({
      before: modelOf({
        device: [device],
        key: [key({})],
        user: [user({ passwordHash: null })],
        session: [session],
      }),
      after: modelOf({
        device: [device],
        key: [key({ secret: Uint8Array.of(1, 2, 3) })],
        user: [user({ passwordHash: 'SECRET' })],
        token: [token],
      }),
      touched,
    });
    expect(record.entities.map(({ before, after }) => ({ before, after }))).toEqual([
      { before: { secret: '***' }, after: { secret: '***' } },
      { before: { passwordHash: null }, after: { passwordHash: '***' } },
      { before: null, after: { accountId: 2, name: 'ci', sha256: '***' } },
      { before: { userId: 4, sha256: '***' }, after: null },
    ]);
    expect(body).not.toContain('SECRET');
    expect(body).not.toContain(Buffer.from('SECRET').toString('base64'));
    expect(body).not.toContain('83');
  });
});

describe('list entries', () => {
  it('are told as added, changed and removed, with comment and expiry', () => {
    const { record, subjects } = audited({
      before: modelOf({ list: [list([entry('old'), entry('same'), entry('moved', 'a')])] }),
      after: modelOf({
        list: [list([entry('new', 'why', 77), entry('same'), entry('moved', 'b')])],
      }),
      entries: [{ listId: 9, added: ['new', 'same', 'moved'], removed: ['old', 'never'] }],
    });
    expect(record.entries).toEqual([
      {
        listId: 9,
        name: 'ours',
        accountId: 2,
        added: { count: 1, first: [{ value: 'new', comment: 'why', expiresAt: 77 }] },
        changed: { count: 1, first: [{ value: 'moved', comment: 'b', expiresAt: null }] },
        removed: { count: 1, first: [{ value: 'old', comment: '', expiresAt: null }] },
      },
    ]);
    expect(subjects).toEqual([{ kind: 'list', id: 9 }]);
  });

  it('are counted beyond the first hundred', () => {
    const values = Array.from({ length: 150 }, (_, n) => `${n}.example`);
    const { record } = audited({
      after: modelOf({ list: [list(values.map((value) => entry(value)))] }),
      entries: [{ listId: 9, added: values, removed: [] }],
    });
    expect(record.entries[0]?.added.count).toBe(150);
    expect(record.entries[0]?.added.first).toHaveLength(100);
  });

  it('that stay as they are leave no trace', () => {
    const model = modelOf({ list: [list([entry('a')])] });
    const entries = [{ listId: 9, added: ['a'], removed: ['b'] }];
    expect(audited({ before: model, after: model, entries }).record.entries).toEqual([]);
  });
});

describe('zones', () => {
  it('carry their serials, and belong to their account, or to nobody', () => {
    const model = modelOf({ policy: [policy({})], device: [{ ...device, accountId: 3 } as never] });
    const { record } = audited({
      before: model,
      after: model,
      zones: [
        zone({}),
        zone({ origin: 'rpz.r.dev.b.test.', accountId: 3 as never, fromSerial: null }),
        zone({ origin: 'catalog.test.', accountId: null, toSerial: null }),
      ],
    });
    expect(record.zones).toEqual([
      ['rpz.corp.a.test.', 2, 1, 2, 0, 3],
      ['rpz.r.dev.b.test.', 3, null, 2, 0, 3],
      ['catalog.test.', 0, 1, null, 0, 3],
    ]);
  });

  it('are read from the first form of the trail too', () => {
    const renewed = { origin: 'rpz.old.a.test.', toSerial: 5 };
    const body = JSON.stringify({ zones: [zone({}), renewed] });
    expect(readAuditRecord(body)).toEqual({
      entities: [],
      members: [],
      entries: [],
      zones: [
        ['rpz.corp.a.test.', 0, 1, 2, 0, 3],
        ['rpz.old.a.test.', 0, null, 5, 0, 0],
      ],
      omitted: { entities: 0, members: 0, entries: 0, zones: 0 },
    });
  });
});

describe('a search', () => {
  it('finds a change by all that it touched, and a key by its device too', () => {
    const { subjects } = audited({
      after: modelOf({ device: [device], key: [key({})] }),
      touched: [{ kind: 'key', id: 5 }],
      members: [{ holder: { kind: 'target', id: 1 }, added: 1, removed: 0 }],
      entries: [{ listId: 9, added: [], removed: [] }],
    });
    expect(subjects).toEqual([
      { kind: 'key', id: 5 },
      { kind: 'device', id: 3 },
      { kind: 'target', id: 1 },
      { kind: 'list', id: 9 },
    ]);
  });
});

describe('whom a change concerns', () => {
  it('is told by the accounts of things, entries and zones, each once and nobody for the catalogue', () => {
    const zoneOf = (accountId: number | null) =>
      zone({ origin: `z${accountId}.test.`, accountId: accountId as never });
    const { accountIds } = audited({
      before: modelOf({ policy: [policy({ id: 9 as never, accountId: 5 as never })] }),
      after: modelOf({
        device: [device],
        key: [key({})],
        list: [list([])],
        policy: [policy({ id: 8 as never, accountId: 3 as never })],
        target: [{ id: 1, name: 't', members: EMPTY_MEMBERS } as unknown as Target],
      }),
      touched: [
        { kind: 'target', id: 1 },
        { kind: 'key', id: 5 },
        { kind: 'policy', id: 9 },
      ],
      members: [{ holder: { kind: 'target', id: 1 }, added: 1, removed: 0 }],
      zones: [zoneOf(3), zoneOf(null)],
    });
    expect([...accountIds].sort()).toEqual([2, 3, 5]);
  });
});

describe('however large the change is', () => {
  it('counts of members are told once of each holder', () => {
    const { record } = audited({
      after: modelOf({ list: [list([])] }),
      members: [
        { holder: { kind: 'list', id: 9 }, added: 3, removed: 1 },
        { holder: { kind: 'list', id: 9 }, added: 1, removed: 0 },
      ],
    });
    expect(record.members).toEqual([
      { kind: 'list', id: 9, name: 'ours', accountId: 2, added: 4, removed: 1 },
    ]);
  });

  it('its row stays below a megabyte, and says how much it leaves out', () => {
    const many = 20_000;
    const ids = Array.from({ length: many }, (_, n) => n + 1);
    const policies = ids.map((id) =>
      policy({ id: id as Policy['id'], description: 'x'.repeat(500) }),
    );
    const { body, record, subjects } = audited({
      after: modelOf({ policy: policies }),
      touched: ids.map((id) => ({ kind: 'policy', id })),
      members: ids.map((id) => ({ holder: { kind: 'target', id }, added: 1, removed: 0 })),
      zones: ids.map((id) => zone({ origin: `rpz.p${id}.a.test.`, policyId: id as never })),
    });
    expect(body.length).toBeLessThan(1_000_000);
    expect(record.omitted.entities).toBe(many - record.entities.length);
    expect(record.omitted.zones).toBe(many - record.zones.length);
    expect(record.omitted.members).toBe(many - record.members.length);
    expect(record.entities.length).toBeGreaterThan(100);
    expect(record.zones.length).toBeGreaterThanOrEqual(1_000);
    expect(subjects).toHaveLength(SUBJECTS_MAX);
  });

  it('a long list in a field is told by its length and the items that differ', () => {
    const attachment = (id: number) => ({ kind: 'target', id, action: { kind: 'nxdomain' } });
    const first = Array.from({ length: 300 }, (_, n) => attachment(n));
    const { record } = audited({
      before: modelOf({ policy: [policy({ attachments: first as never })] }),
      after: modelOf({
        policy: [policy({ attachments: [...first.slice(1), attachment(999)] as never })],
      }),
      touched: [{ kind: 'policy', id: 7 }],
    });
    expect(record.entities[0]).toMatchObject({
      before: { attachments: { items: 300, first: [attachment(0)] } },
      after: { attachments: { items: 300, first: [attachment(999)] } },
    });
  });

  it('a long text in a field is cut', () => {
    const { record } = audited({
      after: modelOf({ policy: [policy({ description: 'y'.repeat(5_000) })] }),
      touched: [{ kind: 'policy', id: 7 }],
    });
    expect(record.entities[0]?.after?.description).toBe(`${'y'.repeat(200)}…`);
  });
});
