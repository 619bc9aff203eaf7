import { describe, expect, it } from 'vitest';
import type { AccountId } from '../../src/policy/model.ts';
import {
  createAccount,
  createBehaviour,
  createPolicy,
  createToken,
  updateBehaviour,
} from '../../src/publish/edits/index.ts';
import { logIn, makeUser, PASSWORD, withToken } from './people.ts';
import { type Json, type Scene, scene } from './scene.ts';

interface Row {
  readonly sequence: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly account: { readonly id: number; readonly name: string } | null;
  readonly entities: readonly {
    readonly kind: string;
    readonly id: number;
    readonly name: string;
    readonly before: Json | null;
    readonly after: Json | null;
  }[];
  readonly members: readonly Json[];
  readonly entries: readonly Json[];
  readonly zones: readonly Json[];
}

async function trail({ ok }: Scene, query = ''): Promise<readonly Row[]> {
  return (await ok('GET', `/audit${query}`)).items as unknown as readonly Row[];
}
const actionsOf = (rows: readonly Row[]) => rows.map(({ action }) => action);

/** A second account with an admin, who asks with the function that is returned. */
async function withStranger(made: Scene) {
  const { accountId, secret } = await made.asServer(({ draft, settings }) => {
    const account = createAccount(
      { draft, settings, system: true },
      { label: 'other', name: 'Other' },
    );
    const edit = { draft, settings, accountId: account.id, system: true };
    return { accountId: account.id, ...createToken(edit, { name: 'theirs', role: 'admin' }) };
  });
  const send = withToken(made, secret);
  const ask = async (method: string, url: string, body?: object) => {
    const answer = await send(method, url, body);
    expect(answer.status, answer.text).toBeLessThan(300);
    return answer;
  };
  return {
    accountId,
    ask,
    trail: async (query = '') => {
      const { body, text } = await ask('GET', `/audit${query}`);
      return { rows: body.items as unknown as readonly Row[], text };
    },
  };
}

describe('the audit trail', () => {
  it('tells who did what and when, and what it was before and after', async () => {
    const made = await scene();
    const { ok, time } = made;
    await ok('POST', '/policies', { name: 'corp', type: 'dns' }, 'editor');
    time.now += 5_000;
    await ok('PATCH', '/policies/1', { description: 'for the branch', ttl: 90 });
    time.now += 5_000;
    await ok('DELETE', '/policies/1');
    const [deleted, updated, created] = await trail(made, '?limit=3');
    expect(created).toMatchObject({
      at: '2030-01-31T12:00:00.000Z',
      actor: 'token editor',
      account: { id: 1, name: 'acme' },
      entities: [
        { kind: 'policy', id: 1, name: 'corp', before: null, after: { name: 'corp', ttl: 60 } },
      ],
    });
    expect(updated).toMatchObject({
      at: '2030-01-31T12:00:05.000Z',
      actor: 'token admin',
      action: 'policy.update 1',
    });
    expect(updated!.entities).toEqual([
      {
        kind: 'policy',
        id: 1,
        name: 'corp',
        before: { description: '', ttl: 60 },
        after: { description: 'for the branch', ttl: 90 },
      },
    ]);
    expect(deleted!.entities).toMatchObject([
      { kind: 'policy', id: 1, before: { description: 'for the branch' }, after: null },
    ]);
  });

  it('tells which zones got which serial, exactly as the change itself answered', async () => {
    const made = await scene();
    const { ok, time } = made;
    await ok('POST', '/targets', { name: 'bad' });
    await ok('POST', '/policies', {
      name: 'corp',
      type: 'dns',
      attachments: [{ kind: 'target', id: 1, action: { kind: 'nxdomain' } }],
    });
    time.now += 5_000;
    const { zones } = await ok('PUT', '/targets/1/indicators', 'evil.example\nworse.example\n');
    const [row] = await trail(made, '?limit=1');
    expect(row!.zones).toEqual(zones);
    expect(row!.zones).toMatchObject([
      { zone: 'rpz.corp.acme.sluice.internal.', recordsAdded: 4, recordsRemoved: 0 },
    ]);
    expect(row!.members).toEqual([{ kind: 'target', id: 1, name: 'bad', added: 2, removed: 0 }]);
  });

  it('tells which zones a start made, of the server and of nobody else', async () => {
    const made = await scene({}, {}, { catalogs: true });
    const [row] = (await trail(made)).slice(-1);
    expect(row).toMatchObject({ actor: 'sluice', action: 'renew zones at start', account: null });
    const { serial } = await made.ok('GET', '/zones/catalog.sluice.internal');
    expect(row!.zones).toEqual([
      {
        zone: 'catalog.sluice.internal.',
        serial,
        fromSerial: null,
        recordsAdded: 3,
        recordsRemoved: 0,
      },
    ]);
    const stranger = await withStranger(made);
    expect((await stranger.trail()).text).not.toContain('catalog.sluice.internal');
  });

  it('tells the entries of a list with their comments', async () => {
    const made = await scene();
    const { ok } = made;
    await ok('POST', '/lists', { name: 'ours' });
    await ok('PUT', '/lists/1/entries', {
      entries: [{ value: '198.51.100.0/24', comment: 'lab' }, 'gone.example'],
    });
    await ok('PUT', '/lists/1/entries', {
      entries: [{ value: '198.51.100.0/24', comment: 'the lab' }, 'new.example'],
    });
    const [second, first] = await trail(made, '?limit=2');
    expect(first!.entries).toMatchObject([{ listId: 1, name: 'ours', added: { count: 2 } }]);
    expect(second!.entries).toMatchObject([
      {
        added: { count: 1, first: [{ value: 'new.example', comment: '', expiresAt: null }] },
        changed: { count: 1, first: [{ value: '198.51.100.0/24', comment: 'the lab' }] },
        removed: { count: 1, first: [{ value: 'gone.example' }] },
      },
    ]);
  });

  it('leaves no row of what was refused, or only tried', async () => {
    const made = await scene();
    const { ok, refused } = made;
    const before = await trail(made);
    await refused('POST', '/policies', { name: 'much-too-long', type: 'dns' });
    await ok('POST', '/policies?dryRun=true', { name: 'corp', type: 'dns' });
    expect(await trail(made)).toEqual(before);
  });

  it('holds no secret, neither a key nor a token nor its hash', async () => {
    const made = await scene();
    const { ok, publisher, call } = made;
    await ok('POST', '/devices', { name: 'resolver-1', type: 'dns' });
    const key = await ok('POST', '/devices/1/keys', {});
    const token = await ok('POST', '/tokens', { name: 'ci', role: 'viewer' });
    await ok('DELETE', '/devices/1/keys/1');
    await ok('DELETE', `/tokens/${token.token!.id}`);
    const { text } = await call('GET', '/audit?limit=200');
    const hashes = [...publisher.model.tokens.values()].map(({ sha256 }) => sha256);
    const secrets = [key.secret, token.secret, ...Object.values(made.tokens), ...hashes];
    expect(hashes.length).toBeGreaterThan(3);
    for (const secret of secrets) {
      expect(String(secret).length).toBeGreaterThan(20);
      expect(text).not.toContain(String(secret));
    }
    expect(text).toContain('"secret":"***"');
    expect(text).toContain('"sha256":"***"');
  });

  it('tells of users, their logins and new passwords, without password, hash or cookie', async () => {
    const made = await scene();
    const ada = await makeUser(made, { name: 'ada' });
    const cookie = await logIn(made, 'ada');
    await made.ok('PUT', `/users/${ada}/password`, { password: 'another long passphrase' });
    const { text } = await made.call('GET', `/audit?kind=user&id=${ada}`);
    const rows = JSON.parse(text).items as readonly Row[];
    expect(rows.map(({ actor, action }) => `${actor}: ${action}`)).toEqual([
      `token admin: user.password ${ada}`,
      'user ada: session.create',
      'token admin: user.create',
    ]);
    expect(rows[1]!.entities).toMatchObject([
      { kind: 'session', name: 'ada', before: null, after: { userId: ada, sha256: '***' } },
    ]);
    expect(rows[0]!.entities).toContainEqual(
      expect.objectContaining({
        kind: 'user',
        before: { passwordHash: '***' },
        after: { passwordHash: '***' },
      }),
    );
    const hashes = [...made.publisher.model.users.values()].map((user) => user.passwordHash);
    for (const secret of [PASSWORD, 'another long passphrase', cookie.split('=')[1], ...hashes]) {
      expect(text).not.toContain(String(secret));
    }
  });

  it('is on disk with the change that it tells', async () => {
    const made = await scene();
    await made.ok('POST', '/policies', { name: 'corp', type: 'dns' });
    const [stored] = await made.store.changes({ limit: 1 });
    expect(stored).toMatchObject({ actor: 'token admin', action: 'policy.create', accountId: 1 });
  });
});

describe('a search in the audit trail', () => {
  const filled = async () => {
    const made = await scene();
    const { ok, time } = made;
    await ok('POST', '/policies', { name: 'one', type: 'dns' }, 'editor');
    time.now += 60_000;
    await ok('POST', '/policies', { name: 'two', type: 'ip' });
    time.now += 60_000;
    await ok('PATCH', '/policies/1', { description: 'x' }, 'editor');
    await ok('POST', '/lists', { name: 'ours' });
    return { ...made, search: async (query: string) => actionsOf(await trail(made, `?${query}`)) };
  };

  it('finds by actor, by the beginning of the action, and by both', async () => {
    const { search } = await filled();
    expect(await search('actor=token%20editor')).toEqual(['policy.update 1', 'policy.create']);
    expect(await search('action=policy.')).toEqual([
      'policy.update 1',
      'policy.create',
      'policy.create',
    ]);
    expect(await search('action=policy.create&actor=token%20admin')).toHaveLength(1);
    expect(await search('actor=nobody')).toEqual([]);
  });

  it('finds by what was touched', async () => {
    const { search } = await filled();
    expect(await search('kind=policy&id=1')).toEqual(['policy.update 1', 'policy.create']);
    expect(await search('kind=list&id=1')).toEqual(['list.create']);
    expect(await search('kind=policy&id=99')).toEqual([]);
  });

  it('finds a key under its device, also after it is gone', async () => {
    const made = await scene();
    await made.ok('POST', '/devices', { name: 'resolver-1', type: 'dns' });
    await made.ok('POST', '/devices/1/keys', {});
    await made.ok('DELETE', '/devices/1/keys/1');
    expect(actionsOf(await trail(made, '?kind=device&id=1'))).toHaveLength(3);
  });

  it('finds by time, both ends included', async () => {
    const { search } = await filled();
    const at = '2030-01-31T12:01:00.000Z';
    expect(await search(`from=${at}&to=${at}`)).toEqual(['policy.create']);
    expect(await search(`from=${at}&action=policy`)).toHaveLength(2);
    expect(await search(`to=${at}&action=policy`)).toHaveLength(2);
    expect(await search('from=2031-01-01T00:00:00Z')).toEqual([]);
    expect(await search('to=2030-01-31T13:01:00%2B01:00&action=policy')).toHaveLength(2);
  });

  it('is read page by page, and loses no row to changes made meanwhile', async () => {
    const { ok } = await filled();
    const all = (await ok('GET', '/audit')).items as unknown as readonly Row[];
    const first = await ok('GET', '/audit?limit=2');
    await ok('POST', '/lists', { name: 'later' });
    const pages = [...(first.items as unknown as readonly Row[])];
    let next = first.next as unknown as number | null;
    while (next !== null) {
      const page: Json = await ok('GET', `/audit?limit=2&before=${next}`);
      pages.push(...(page.items as unknown as readonly Row[]));
      next = page.next as unknown as number | null;
    }
    expect(pages.map(({ sequence }) => sequence)).toEqual(all.map(({ sequence }) => sequence));
  });

  it('is refused with the field, the value and the rule when it makes no sense', async () => {
    const { refused } = await filled();
    const cases = [
      ['kind=policy', 'id'],
      ['id=1', 'kind'],
      ['kind=cloud&id=1', 'kind'],
      ['from=yesterday', 'from'],
      ['to=2030-01-31', 'to'],
      ['limit=0', 'limit'],
      ['limit=201', 'limit'],
      ['before=x', 'before'],
      ['who=me', 'who'],
    ] as const;
    for (const [query, field] of cases) {
      const problem = await refused('GET', `/audit?${query}`);
      expect(problem, query).toMatchObject({ status: 400, field });
      expect(problem.rule, query).toMatch(/\.$/);
    }
  });

  it('is for admins alone', async () => {
    const { refused } = await scene();
    for (const role of ['editor', 'viewer', 'sensor'] as const) {
      expect(await refused('GET', '/audit', undefined, role)).toMatchObject({ status: 403 });
    }
    expect(await refused('GET', '/audit', undefined, null)).toMatchObject({ status: 401 });
  });
});

describe('what belongs to another account', () => {
  it('is not in the trail of an account, and the account that runs the server asks for its own', async () => {
    const made = await scene();
    const stranger = await withStranger(made);
    await made.ok('POST', '/policies', { name: 'mine', type: 'dns' });
    await stranger.ask('POST', '/policies', { name: 'theirs', type: 'dns' });
    const { rows, text } = await stranger.trail();
    expect(actionsOf(rows)).toEqual(['policy.create', 'test']);
    expect(rows[0]!.account).toEqual({ id: stranger.accountId, name: 'Other' });
    expect(text).not.toContain('mine');
    expect(text).not.toContain('.acme.');
    expect(JSON.stringify(await trail(made, '?action=policy.'))).not.toContain('theirs');
  });

  it('is left out of what the server itself did to both', async () => {
    const made = await scene();
    const stranger = await withStranger(made);
    await made.asServer((edit) => {
      createPolicy(edit, { name: 'mine', type: 'dns' });
      const theirs = { ...edit, accountId: stranger.accountId as AccountId };
      createPolicy(theirs, { name: 'theirs', type: 'dns' });
    });
    const { rows, text } = await stranger.trail('?limit=1');
    expect(rows[0]!.entities.map(({ name }) => name)).toEqual(['theirs']);
    expect(rows[0]!.zones).toMatchObject([{ zone: 'rpz.theirs.other.sluice.internal.' }]);
    expect(text).not.toContain('mine');
    expect(text).not.toContain('.acme.');

    const [whole] = await trail(made, '?limit=1');
    expect(whole!.entities.map(({ name }) => name)).toEqual(['mine', 'theirs']);
    expect(whole!.zones).toHaveLength(2);
  });

  it('gives an account no row of the server that does not concern it, not even that there is one', async () => {
    const made = await scene();
    const stranger = await withStranger(made);
    await made.asServer((edit) => createPolicy(edit, { name: 'mine', type: 'dns' }));
    expect(actionsOf((await stranger.trail()).rows)).toEqual(['test']);
    expect((await stranger.trail('?kind=policy&id=1')).rows).toEqual([]);
    expect(await trail(made, '?kind=policy&id=1')).toHaveLength(1);
  });
});

describe('what another account does to an account', () => {
  /** Account other shares list 1 with acme, whose policy 1 attaches it. */
  async function withSharedList() {
    const made = await scene();
    const stranger = await withStranger(made);
    await stranger.ask('POST', '/lists', { name: 'hidden name' });
    await stranger.ask('PUT', '/lists/1/shares/acme');
    await made.ok('POST', '/policies', {
      name: 'mine',
      type: 'dns',
      attachments: [{ kind: 'list', id: 1 }],
    });
    return { made, stranger };
  }

  it('is in its trail, with its own part and without a word of who it was', async () => {
    const { made, stranger } = await withSharedList();
    await stranger.ask('POST', '/policies', {
      name: 'secret',
      type: 'dns',
      attachments: [{ kind: 'list', id: 1 }],
    });
    await stranger.ask('PATCH', '/lists/1/entries', { add: ['evil.example'] });
    const { text } = await made.call('GET', '/audit?limit=1');
    const [row] = JSON.parse(text).items as readonly Row[];
    expect(row).toMatchObject({
      actor: 'another account',
      action: 'list.entries.change',
      account: null,
      entities: [],
      members: [],
      entries: [],
      zones: [{ zone: 'rpz.mine.acme.sluice.internal.', recordsAdded: 2 }],
    });
    for (const word of ['theirs', 'hidden name', 'secret', 'Other', '.other.']) {
      expect(text).not.toContain(word);
    }
    const { rows } = await stranger.trail('?limit=1');
    expect(rows[0]).toMatchObject({
      actor: expect.stringContaining('theirs'),
      action: 'list.entries.change 1',
    });
    expect(rows[0]!.zones).toHaveLength(1);
  });

  it('tells what became of its own policies', async () => {
    const { made, stranger } = await withSharedList();
    await stranger.ask('DELETE', '/lists/1/shares/acme?detach=true');
    const [row] = await trail(made, '?kind=policy&id=1&limit=1');
    expect(row).toMatchObject({ actor: 'another account', action: 'list.unshare' });
    expect(row!.entities).toContainEqual(
      expect.objectContaining({ kind: 'policy', id: 1, after: { attachments: [] } }),
    );
    expect(row!.entities.filter(({ kind }) => kind === 'list')).toEqual([]);
    expect(await trail(made, '?kind=list&id=1')).toEqual([]);
    expect(await trail(made, '?action=list.unshare 1')).toEqual([]);
    const own = (await stranger.trail('?limit=1')).rows[0]!;
    expect(await trail(made, `?actor=${encodeURIComponent(own.actor)}`)).toEqual([]);
  });

  it('names the account that runs the server as such, where its catalogue changes zones', async () => {
    const made = await scene();
    const stranger = await withStranger(made);
    await made.ok('POST', '/targets', { name: 'bad' });
    await made.ok('POST', '/policies', {
      name: 'mine',
      type: 'dns',
      attachments: [{ kind: 'target', id: 1 }],
    });
    await stranger.ask('POST', '/policies', {
      name: 'theirs',
      type: 'dns',
      attachments: [{ kind: 'target', id: 1 }],
    });
    await made.ok('PUT', '/targets/1/indicators', 'evil.example\n');
    const { rows, text } = await stranger.trail('?limit=1');
    expect(rows[0]).toMatchObject({
      actor: 'the account that runs the server',
      action: 'target.indicators.replace',
      account: null,
      members: [{ kind: 'target', id: 1, added: 1 }],
      zones: [{ zone: 'rpz.theirs.other.sluice.internal.' }],
    });
    expect(text).not.toContain('.acme.');
    const [whole] = await trail(made, '?limit=1');
    expect(whole).toMatchObject({ actor: expect.stringContaining('admin'), zones: [{}, {}] });
  });
});

describe('a page of large rows', () => {
  it('ends early, and the next one goes on behind it', async () => {
    const made = await scene();
    const ids = await made.asServer((edit) =>
      Array.from({ length: 100 }, (_, n) => {
        const action = { kind: 'redirect', to: 'garden.example.' } as const;
        return createBehaviour(edit, { name: `b${n}`, action }).id;
      }),
    );
    const commits = 14;
    for (let commit = 0; commit < commits; commit++) {
      const description = 'abcdefghijklmn'[commit]!.repeat(1_000);
      await made.asServer((edit) => ids.map((id) => updateBehaviour(edit, id, { description })));
    }
    const sequences: number[] = [];
    let next: number | null = Number.MAX_SAFE_INTEGER;
    let pages = 0;
    while (next !== null) {
      const { body, text } = await made.call('GET', `/audit?limit=200&before=${next}`);
      expect(text.length).toBeLessThan(2_600_000);
      sequences.push(...(body.items as unknown as readonly Row[]).map(({ sequence }) => sequence));
      next = body.next as unknown as number | null;
      pages++;
    }
    expect(pages).toBeGreaterThan(1);
    expect(sequences).toEqual(sequences.map((_, place) => sequences.length - place));
    expect(sequences.length).toBeGreaterThanOrEqual(commits);
  });
});
