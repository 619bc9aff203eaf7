import { describe, expect, it } from 'vitest';
import { type Scene, scene } from './scene.ts';

async function withPolicy(): Promise<Scene> {
  const made = await scene();
  await made.ok('POST', '/targets', { name: 'Kits' });
  const attachments = [{ kind: 'target', id: 1 }];
  await made.ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
  return made;
}

const ZONE = 'rpz.corp.acme.sluice.internal.';

describe('indicators of a target', () => {
  it('are added and removed, and the answer tells what came of each and the new serials', async () => {
    const { ok, publisher } = await withPolicy();
    const first = await ok('PATCH', '/targets/1/indicators', {
      add: ['evil.example', '*.bad.example', '192.0.2.0/24', 'evil.example', 'EVIL.example.'],
    });
    expect(first).toMatchObject({ added: 3, removed: 0, rejectedTotal: 0, rejected: [] });
    expect(first.zones).toMatchObject([{ zone: ZONE, recordsRemoved: 0 }]);
    const served = publisher.zones()[0]!;
    expect(first.zones[0]!.serial).toBe(served.serial);

    const second = await ok('PATCH', '/targets/1/indicators', {
      add: ['evil.example', 'new.example'],
      remove: ['192.0.2.0/24', 'never.example'],
    });
    expect(second).toMatchObject({ added: 1, removed: 1, unchanged: 1 });
    expect(second.zones).toMatchObject([{ zone: ZONE, fromSerial: first.zones[0]!.serial }]);
    expect(await ok('GET', '/targets/1')).toMatchObject({ size: 3 });

    const third = await ok('PATCH', '/targets/1/indicators', { add: ['evil.example'] });
    expect(third).toMatchObject({ added: 0, unchanged: 1, zones: [] });
  });

  it('are listed by page in their text form', async () => {
    const { ok } = await withPolicy();
    await ok('PUT', '/targets/1/indicators', 'a.example\nb.example\nhost:c.example\n192.0.2.7\n');
    const all = await ok('GET', '/targets/1/indicators');
    expect(all).toMatchObject({ total: 4 });
    expect([...(all.items as unknown as string[])].sort()).toEqual([
      '192.0.2.7',
      'a.example',
      'b.example',
      'host:c.example',
    ]);
    const page = await ok('GET', '/targets/1/indicators?limit=2&offset=1');
    expect(page).toMatchObject({ total: 4, limit: 2, offset: 1 });
    expect(page.items).toEqual((all.items as unknown as string[]).slice(1, 3));
  });

  it('are replaced by a text, and every rejected line is told with its number and reason', async () => {
    const { ok } = await withPolicy();
    await ok('PATCH', '/targets/1/indicators', { add: ['old.example', 'kept.example'] });
    const text = [
      '# a comment',
      'kept.example',
      '',
      'https://evil.example/x',
      'new.example',
      'a..example',
      'new.example',
      '300.1.1.1',
    ].join('\n');
    const replaced = await ok('PUT', '/targets/1/indicators', text);
    expect(replaced).toMatchObject({
      added: 1,
      removed: 1,
      unchanged: 1,
      duplicates: 1,
      rejectedTotal: 3,
    });
    expect(replaced.rejected).toMatchObject([
      { list: 'replace', line: 4, text: 'https://evil.example/x', reason: 'url' },
      { line: 6, text: 'a..example', reason: 'empty-label', rule: expect.stringMatching(/label/) },
      { line: 8, text: '300.1.1.1' },
    ]);
    expect(replaced.rejectedByReason).toMatchObject({ url: 1, 'empty-label': 1 });
  });

  it('from a list are rejected by their place in it', async () => {
    const { ok } = await withPolicy();
    const changed = await ok('PATCH', '/targets/1/indicators', {
      add: ['fine.example', 'a b.example'],
      remove: ['@'],
    });
    expect(changed.added).toBe(1);
    expect(changed.rejected).toMatchObject([
      { list: 'add', line: 2, text: 'a b.example' },
      { list: 'remove', line: 1, text: '@' },
    ]);
  });

  it('are refused whole over one bad line when that is asked for', async () => {
    const { ok, refused } = await withPolicy();
    const body = { add: ['fine.example', 'a..example', 'http://b.example/'] };
    const problem = await refused('PATCH', '/targets/1/indicators?rejected=refuse', body);
    expect(problem).toMatchObject({
      status: 422,
      type: '/api/v1/problems/indicators-rejected',
      field: 'add line 2',
      value: 'a..example',
    });
    expect(problem.errors).toHaveLength(2);
    expect(await ok('GET', '/targets/1')).toMatchObject({ size: 0 });
  });

  it('that cover very much need a confirmation', async () => {
    const { call, ok } = await withPolicy();
    const add = ['com', 'co.uk', '10.0.0.0/7'];
    const held = await ok('PATCH', '/targets/1/indicators', { add });
    expect(held).toMatchObject({
      added: 0,
      rejectedByReason: { 'public-suffix': 2, 'prefix-too-short': 1 },
    });
    // The change as a whole is above the limits, too: it would block half of the Internet.
    const url = '/targets/1/indicators?confirmBroad=true';
    expect((await call('PATCH', url, { add })).body).toMatchObject({ held: { id: 1 } });
    expect(await ok('GET', '/targets/1')).toMatchObject({ size: 0 });
    const confirmed = await ok('PATCH', `${url}&confirm=true`, { add });
    expect(confirmed).toMatchObject({ added: 3, rejectedTotal: 0 });
    // What is held may be removed without a second question.
    expect(await ok('PATCH', '/targets/1/indicators', { remove: add })).toMatchObject({
      removed: 3,
    });
  });

  it('stay as they are when a text holds none at all', async () => {
    const { ok, refused } = await withPolicy();
    await ok('PUT', '/targets/1/indicators', 'a.example\n');
    const problem = await refused('PUT', '/targets/1/indicators', '<html>\n<body>\n');
    expect(problem).toMatchObject({
      status: 422,
      type: '/api/v1/problems/nothing-accepted',
      field: 'replace',
    });
    expect(await ok('GET', '/targets/1')).toMatchObject({ size: 1 });
    // A text that is empty on purpose is another matter.
    expect(await ok('PUT', '/targets/1/indicators', '# none\n')).toMatchObject({ removed: 1 });
    await ok('PUT', '/targets/1/indicators', 'a.example\n');
    expect(await ok('PUT', '/targets/1/indicators', '')).toMatchObject({ removed: 1 });
  });

  it('take a hundred thousand lines in one body', async () => {
    const { ok } = await withPolicy();
    const count = 100_000;
    const lines = Array.from(
      { length: count },
      (_, index) => `host${index}.evil${index % 97}.example\n`,
    );
    const replaced = await ok('PUT', '/targets/1/indicators', lines.join(''));
    expect(replaced).toMatchObject({ added: count, removed: 0, rejectedTotal: 0 });
    expect(replaced.zones).toMatchObject([{ zone: ZONE }]);
    expect(await ok('PUT', '/targets/1/indicators', lines.slice(1).join(''))).toMatchObject({
      added: 0,
      removed: 1,
      unchanged: count - 1,
    });
  });

  it('belong to a target that exists', async () => {
    const { refused } = await scene();
    expect(await refused('GET', '/targets/9/indicators')).toMatchObject({ status: 404 });
    expect(await refused('PATCH', '/targets/9/indicators', { add: ['a.example'] })).toMatchObject({
      status: 404,
      value: 9,
    });
    expect(await refused('PATCH', '/targets/9/indicators', { add: 'a.example' })).toMatchObject({
      status: 400,
      field: 'add',
    });
    expect(await refused('PATCH', '/targets/9/indicators', { add: [1] })).toMatchObject({
      status: 400,
      field: 'add[0]',
      value: 1,
    });
  });
});
