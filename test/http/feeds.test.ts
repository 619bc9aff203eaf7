import { describe, expect, it } from 'vitest';
import { API_PREFIX } from '../../src/http/index.ts';
import { type Json, type Scene, scene } from './scene.ts';

const URL = 'https://feeds.example/list.txt';
const SOURCE = { kind: 'http', url: URL };

/** A target with a feed; `settings` are those of the feed. */
async function makeFeed(
  { ok }: Pick<Scene, 'ok'>,
  settings: object = {},
  name = 'Fed',
): Promise<{ readonly feedId: number; readonly targetId: number; readonly feed: Json }> {
  const { target } = await ok('POST', '/targets', { name });
  const targetId = Number(target?.id);
  const { feed } = await ok('POST', '/feeds', { targetId, source: SOURCE, ...settings });
  return { feedId: Number(feed?.id), targetId, feed: feed! };
}

/** Pairs of field and kind of problem, of all that was refused. */
async function refusals(
  { refused }: Pick<Scene, 'refused'>,
  method: string,
  url: string,
  body: object,
): Promise<(readonly [string | undefined, string])[]> {
  const { type, field, errors } = await refused(method, url, body);
  const kind = (path: string) => path.split('/').at(-1)!;
  return errors?.map((error) => [error.field, kind(error.type)] as const) ?? [[field, kind(type)]];
}

describe('a feed', () => {
  it('is made with defaults for all but its target and source', async () => {
    const { feed } = await makeFeed(await scene());
    expect(feed).toMatchObject({
      id: 1,
      target: { id: 1, name: 'Fed' },
      preset: null,
      enabled: true,
      source: { kind: 'http', url: URL, credentials: { kind: 'none' }, allowPrivate: false },
      format: { kind: 'auto' },
      namesAs: 'name',
      schedule: { kind: 'interval', seconds: 3_600 },
      gates: { shrinkPercent: 50, growPercent: 300, rejectedPercent: 20 },
      confidenceMin: null,
      ttlSeconds: null,
      status: { state: 'new', running: null, lastRunAt: null, ageSeconds: null, failures: 0 },
    });
  });

  it('is changed in what is given, and keeps the rest', async () => {
    const made = await scene();
    const { feed } = await makeFeed(made, { limits: { seconds: 10 } });
    const changed = await made.ok('PATCH', '/feeds/1', {
      schedule: { kind: 'cron', expression: '15  */6 * * *' },
      gates: { shrinkPercent: null },
      ttlSeconds: 86_400,
    });
    expect(changed.feed).toMatchObject({
      source: feed.source,
      schedule: { kind: 'cron', expression: '15 */6 * * *' },
      limits: { seconds: 10, linesMax: 5_000_000 },
      gates: { shrinkPercent: null, growPercent: 300 },
      ttlSeconds: 86_400,
    });
    const read = await made.call('GET', '/feeds/1');
    expect(read.body).toEqual(changed.feed);
    expect(read.headers.etag).toMatch(/^"/);
    const shorter = await made.ok('PATCH', '/feeds/1', {
      schedule: { kind: 'interval', seconds: 60 },
      ttlSeconds: null,
    });
    expect(shorter.feed).toMatchObject({ jitterSeconds: 30, ttlSeconds: null });
  });

  it('is changed only as it was read, when the request says so', async () => {
    const made = await scene();
    await makeFeed(made);
    const { headers } = await made.call('GET', '/feeds/1');
    await made.ok('PATCH', '/feeds/1', { enabled: false });
    const late = await made.app.inject({
      method: 'PATCH',
      url: `${API_PREFIX}/feeds/1`,
      headers: {
        authorization: `Bearer ${made.tokens.admin}`,
        'if-match': String(headers.etag),
      },
      payload: { enabled: true },
    });
    expect(late.statusCode).toBe(412);
  });

  it('is the only one of its target', async () => {
    const made = await scene();
    await makeFeed(made);
    const problem = await made.refused('POST', '/feeds', { targetId: 1, source: SOURCE });
    expect(problem).toMatchObject({ status: 409, type: '/api/v1/problems/fed-by-feed' });
    const nowhere = await made.refused('POST', '/feeds', { targetId: 9, source: SOURCE });
    expect(nowhere).toMatchObject({ status: 422, field: 'targetId' });
  });

  it('changes nothing when it is only tried', async () => {
    const made = await scene();
    const { ok } = made;
    await ok('POST', '/targets', { name: 'Fed' });
    const tried = await ok('POST', '/feeds?dryRun=true', { targetId: 1, source: SOURCE });
    expect(tried).toMatchObject({ dryRun: true });
    expect(await ok('GET', '/feeds')).toMatchObject({ total: 0 });
  });

  it('keeps hands off the indicators of its target while it is enabled', async () => {
    const made = await scene();
    const { ok, refused } = made;
    await makeFeed(made);
    for (const [method, body] of [
      ['PUT', 'evil.example\n'],
      ['PATCH', { add: ['evil.example'] }],
    ] as const) {
      const problem = await refused(method, '/targets/1/indicators', body);
      expect(problem).toMatchObject({ status: 409, type: '/api/v1/problems/fed-by-feed' });
      expect(problem.rule).toMatch(/pause or delete the feed/);
    }
    await ok('PATCH', '/feeds/1', { enabled: false });
    await ok('PUT', '/targets/1/indicators', 'evil.example\n');
  });

  it('leaves its target as it stands when it is deleted', async () => {
    const made = await scene();
    const { ok, refused, publisher } = made;
    await ok('POST', '/targets', { name: 'Fed' });
    await ok('PUT', '/targets/1/indicators', 'evil.example\n');
    await ok('POST', '/feeds', { targetId: 1, source: SOURCE });
    expect(await ok('DELETE', '/feeds/1')).toMatchObject({ deleted: { id: 1, targetId: 1 } });
    expect(await ok('GET', '/targets/1')).toMatchObject({ size: 1 });
    expect((await refused('GET', '/feeds/1')).status).toBe(404);
    await ok('PATCH', '/targets/1/indicators', { add: ['more.example'] });
    expect(publisher.model.feeds.size).toBe(0);
  });

  it('goes with its target', async () => {
    const made = await scene();
    await makeFeed(made);
    await made.ok('DELETE', '/targets/1');
    expect(await made.ok('GET', '/feeds')).toMatchObject({ total: 0 });
    await makeFeed(made, {}, 'Another');
  });

  it('is the business of the account that runs the server', async () => {
    const made = await scene();
    await makeFeed(made);
    const other = await made.addAccount('other');
    for (const url of ['/feeds', '/feeds/1', '/feeds/1/runs', '/feeds/1/held', '/feeds/1/events']) {
      const problem = await other.refused('GET', url);
      expect(problem, url).toMatchObject({ status: 403, type: '/api/v1/problems/not-allowed' });
    }
    for (const [method, url, body] of [
      ['POST', '/feeds', { targetId: 1, source: SOURCE }],
      ['PATCH', '/feeds/1', { enabled: false }],
      ['DELETE', '/feeds/1', undefined],
    ] as const) {
      const { type } = await other.refused(method, url, body);
      expect(type, url).toBe('/api/v1/problems/catalogue-read-only');
    }
    for (const url of ['/feeds/1/run', '/feeds/1/release', '/feeds/1/discard']) {
      expect((await other.refused('POST', url)).status, url).toBe(403);
    }
    expect(made.feeds.asked).toEqual([]);
  });

  it('needs an admin to be changed, an editor to be run and a viewer to be read', async () => {
    const made = await scene();
    await makeFeed(made);
    const status = async (method: string, url: string, as: 'editor' | 'viewer', body?: object) =>
      (await made.call(method, url, body, as)).status;
    expect(await status('PATCH', '/feeds/1', 'editor', { enabled: false })).toBe(403);
    expect(await status('POST', '/feeds/1/run', 'viewer')).toBe(403);
    expect(await status('POST', '/feeds/1/run', 'editor')).toBe(202);
    expect(await status('GET', '/feeds/1', 'viewer')).toBe(200);
  });
});

describe('the settings of a feed', () => {
  it('are refused with the field and the rule', async () => {
    const made = await scene();
    await makeFeed(made);
    const refusal = (body: object) => refusals(made, 'PATCH', '/feeds/1', body);
    const source = (given: object) => refusal({ source: given });
    for (const url of [
      'ftp://feeds.example/list.txt',
      'file:///etc/passwd',
      'feeds.example/list.txt',
      'https://user:word@feeds.example/list.txt',
      'https://feeds.example/list.txt#part',
      'https://feeds.example/a b',
    ]) {
      expect(await source({ url }), url).toEqual([['source.url', 'feed-source']]);
    }
    expect(await source({ kind: 'taxii', url: 'https://taxii.example/api/' })).toEqual([
      ['source.url', 'feed-source'],
    ]);
    for (const path of ['/etc/passwd', '../secret', 'a/../../b', 'C:\\feeds', 'a\\b']) {
      expect(await source({ kind: 'file', path }), path).toEqual([['source.path', 'feed-source']]);
    }
    expect(await source({ kind: 'file', path: 'lists', url: URL })).toEqual([
      ['source.url', 'field-unknown'],
    ]);
    for (const expression of ['* * * * * *', '61 * * * *', '0 0 30 2 *', '@hourly', '? * * * *']) {
      expect(await refusal({ schedule: { kind: 'cron', expression } }), expression).toEqual([
        ['schedule.expression', 'feed-schedule'],
      ]);
    }
    const interval = (seconds: number) => refusal({ schedule: { kind: 'interval', seconds } });
    expect(await interval(59)).toEqual([['schedule.seconds', 'invalid-value']]);
    expect(await interval(30 * 86_400 + 1)).toEqual([['schedule.seconds', 'invalid-value']]);
    const often = { schedule: { kind: 'interval', seconds: 60 }, jitterSeconds: 61 };
    expect(await refusal(often)).toEqual([['jitterSeconds', 'invalid-value']]);
    expect(await refusal({ gates: { shrinkPercent: 101 } })).toEqual([
      ['gates.shrinkPercent', 'invalid-value'],
    ]);
    expect(await refusal({ targetId: 2 })).toEqual([['targetId', 'field-unknown']]);
  });

  it('describe formats with exactly the fields that each has', async () => {
    const made = await scene();
    await makeFeed(made);
    const refusal = (format: object) => refusals(made, 'PATCH', '/feeds/1', { format });
    expect(await refusal({ kind: 'csv' })).toEqual([['format.value', 'field-missing']]);
    expect(await refusal({ kind: 'csv', value: 'ip' })).toEqual([
      ['format.value', 'invalid-value'],
    ]);
    expect(await refusal({ kind: 'lines', value: 1 })).toEqual([['format.value', 'field-unknown']]);
    expect(await refusal({ kind: 'json', value: 'a..b' })).toEqual([
      ['format.value', 'invalid-value'],
    ]);
    expect(await refusal({ kind: 'regex', pattern: '(?<value>' })).toEqual([
      ['format.pattern', 'invalid-value'],
    ]);
    expect(await refusal({ kind: 'regex', pattern: '^(\\S+)$' })).toEqual([
      ['format.pattern', 'invalid-value'],
    ]);
    expect(await refusal({ kind: 'regex', pattern: '(?<value>.)(?<name>.)' })).toEqual([
      ['format.pattern', 'invalid-value'],
    ]);
    for (const format of [
      { kind: 'csv', value: 2, separator: 'tab', kindColumn: 3, commentPrefix: '//' },
      { kind: 'csv', value: 'ip', header: true },
      { kind: 'json', path: 'data.items[*]', value: 'indicator' },
      { kind: 'jsonl', value: '' },
      { kind: 'regex', pattern: '^(?<value>\\S+)\\s+(?<comment>.*)$' },
      { kind: 'misp-json' },
    ]) {
      const { feed } = await made.ok('PATCH', '/feeds/1', { format });
      expect(feed?.format).toMatchObject(format);
    }
    expect(await refusal({ kind: 'yaml' })).toEqual([['format.kind', 'invalid-value']]);
  });

  it('take zones of other primaries, and STIX alone by TAXII', async () => {
    const made = await scene();
    const secret = Buffer.alloc(32, 7).toString('base64');
    const source = {
      kind: 'transfer',
      zone: 'RPZ.Example',
      form: 'rpz',
      address: '2001:DB8::53',
      key: { name: 'Transfer.Example', secret },
    };
    const { feed } = await makeFeed(made, { source });
    expect(feed.source).toEqual({
      kind: 'transfer',
      zone: 'rpz.example.',
      form: 'rpz',
      address: '2001:db8::53',
      port: 53,
      key: { name: 'transfer.example.', algorithm: 'hmac-sha256', secret: '***' },
    });
    const refusal = (given: object) => refusals(made, 'PATCH', '/feeds/1', { source: given });
    expect(await refusal({ address: '224.0.0.1' })).toEqual([['source.address', 'address-form']]);
    expect(await refusal({ zone: 'a..b' })).toEqual([['source.zone', 'name-form']]);
    expect(await refusal({ key: { secret: 'short' } })).toEqual([
      ['source.key.secret', 'feed-source'],
    ]);
    expect(await refusal({ key: { algorithm: 'hmac-md5' } })).toEqual([
      ['source.key.algorithm', 'key-algorithm'],
    ]);
    await made.ok('PATCH', '/feeds/1', { source: { port: 5300 } });
    const [stored] = made.publisher.model.feeds.values();
    expect(stored?.source).toMatchObject({ port: 5300, key: { secret } });

    const url = 'https://taxii.example/api/collections/1/objects/';
    const taxii = await makeFeed(made, { source: { kind: 'taxii', url } }, 'Taxii');
    expect(taxii.feed.format).toEqual({ kind: 'stix' });
    expect(
      await refusals(made, 'PATCH', `/feeds/${taxii.feedId}`, { format: { kind: 'lines' } }),
    ).toEqual([['format', 'invalid-value']]);
  });
});

describe('the secrets of a feed', () => {
  const credentials = { kind: 'bearer', token: 'very-secret-token' };
  const stored = ({ publisher }: Scene) => [...publisher.model.feeds.values()][0]?.source;

  it('are never read back, not in answers, problems, the audit trail or ETags', async () => {
    const made = await scene();
    await makeFeed(made, { source: { ...SOURCE, credentials } });
    expect(stored(made)).toMatchObject({ credentials });
    await made.ok('PATCH', '/feeds/1', {
      source: { credentials: { kind: 'basic', user: 'ada', password: 'very-secret-word' } },
    });
    await made.ok('PATCH', '/feeds/1', {
      source: { credentials: { kind: 'header', name: 'X-Api-Key', value: 'very-secret-value' } },
    });
    const answers = [
      await made.call('GET', '/feeds'),
      await made.call('GET', '/feeds/1'),
      await made.call('GET', '/audit'),
      await made.call('PATCH', '/feeds/1', { source: { credentials: { token: 'very-secret' } } }),
      await made.call('PATCH', '/feeds/1', { source: { credentials: 'very-secret' } }),
      await made.call('PATCH', '/feeds/1', { source: { token: 'very-secret' } }),
      await made.call('PATCH', '/feeds/1', {
        source: { kind: 'file', path: 'a', credentials: { kind: 'bearer', token: 'very-secret' } },
      }),
      await made.call('PATCH', '/feeds/1', {
        source: { credentials: { kind: 'bearer', token: 'very-secret\n' } },
      }),
      await made.call('PATCH', '/feeds/1', { source: { url: 'https://a:very-secret@b.example/' } }),
    ];
    for (const { text } of answers) expect(text).not.toMatch(/very-secret/);
    expect(answers.map(({ status }) => status)).toEqual([
      200, 200, 200, 400, 400, 400, 400, 422, 422,
    ]);
    expect(answers[1]!.body.source).toMatchObject({
      credentials: { kind: 'header', name: 'X-Api-Key', value: '***' },
    });
    expect(answers[2]!.text).toMatch(/"value":"\*\*\*"/);
  });

  it('stay when a change leaves them out or sends back what was shown', async () => {
    const made = await scene();
    await makeFeed(made, { source: { ...SOURCE, credentials } });
    await made.ok('PATCH', '/feeds/1', { source: { url: 'https://feeds.example/other.txt' } });
    expect(stored(made)).toMatchObject({ credentials });
    const { source } = await made.ok('GET', '/feeds/1');
    await made.ok('PATCH', '/feeds/1', { source });
    expect(stored(made)).toMatchObject({ credentials });
    await made.ok('PATCH', '/feeds/1', { source: { credentials: { kind: 'none' } } });
    expect(stored(made)).toMatchObject({ credentials: { kind: 'none' } });
  });

  it('do not follow a change of the address to another server', async () => {
    const made = await scene();
    await makeFeed(made, { source: { ...SOURCE, credentials } });
    const elsewhere = 'https://elsewhere.example/list.txt';
    const refusal = (source: object) => refusals(made, 'PATCH', '/feeds/1', { source });
    expect(await refusal({ url: elsewhere })).toEqual([['source.credentials', 'feed-source']]);
    const shown = { kind: 'bearer', token: '***' };
    expect(await refusal({ url: elsewhere, credentials: shown })).toEqual([
      ['source.credentials.token', 'feed-source'],
    ]);
    // The same host without TLS is another server, too.
    expect(await refusal({ url: URL.replace('https', 'http') })).toEqual([
      ['source.credentials', 'feed-source'],
    ]);
    await made.ok('PATCH', '/feeds/1', {
      source: { url: elsewhere, credentials: { kind: 'none' } },
    });
  });

  it('are sent by themselves: a batch may be held, and what is held waits in clear', async () => {
    const made = await scene();
    const body = { targetId: 1, source: { ...SOURCE, credentials } };
    const batch = { operations: [{ method: 'POST', path: '/feeds', body }] };
    const problem = await made.refused('POST', '/batch', batch);
    expect(problem.rule).toMatch(/secret/);
  });

  it('cannot be headers that frame or route the request', async () => {
    const made = await scene();
    await makeFeed(made);
    const header = (name: string, value = 'x') =>
      refusals(made, 'PATCH', '/feeds/1', {
        source: { credentials: { kind: 'header', name, value } },
      });
    expect(await header('Host')).toEqual([['source.credentials.name', 'feed-source']]);
    expect(await header('a b')).toEqual([['source.credentials.name', 'feed-source']]);
    expect(await header('X-Key', 'a\r\nHost: b')).toEqual([
      ['source.credentials.value', 'feed-source'],
    ]);
  });
});

describe('the runs of a feed', () => {
  it('are asked for, and told in the name of who asked', async () => {
    const made = await scene();
    const { ok, feeds, refused } = made;
    await makeFeed(made);
    const asked = await made.call('POST', '/feeds/1/run', undefined, 'editor');
    expect(asked.status).toBe(202);
    expect(asked.body).toMatchObject({ status: { state: 'new' } });
    expect(feeds.asked).toEqual([{ feedId: 1, actor: 'token editor' }]);
    feeds.end(1, { end: 'failed', reasons: ['The server answered 500.'] });
    expect(await ok('GET', '/feeds/1')).toMatchObject({
      status: { state: 'failing', failures: 1, reasons: ['The server answered 500.'] },
    });
    feeds.end(1, { added: 7, rejected: 1, rejectedByReason: { 'not-a-name': 1 } });
    made.time.now += 90_000;
    expect(await ok('GET', '/feeds/1')).toMatchObject({ status: { state: 'ok', ageSeconds: 90 } });
    const { items } = await ok('GET', '/feeds/1/runs');
    expect(items).toMatchObject([
      { end: 'published', added: 7, rejectedByReason: { 'not-a-name': 1 } },
      { end: 'failed' },
    ]);
    await ok('PATCH', '/feeds/1', { source: { kind: 'upload' } });
    expect(await refused('POST', '/feeds/1/run')).toMatchObject({ status: 422 });
  });

  it('that are held are shown, released or discarded', async () => {
    const made = await scene();
    const { ok, refused, feeds } = made;
    await makeFeed(made);
    expect(await ok('GET', '/feeds/1/held')).toEqual({ held: null });
    for (const what of ['release', 'discard']) {
      const problem = await refused('POST', `/feeds/1/${what}`);
      expect(problem).toMatchObject({ status: 409, type: '/api/v1/problems/nothing-held' });
    }
    feeds.hold(1);
    expect(await ok('GET', '/feeds/1/held')).toMatchObject({
      held: {
        added: 1,
        removedShown: ['old.example'],
        run: { end: 'held', reasons: ['The target would shrink by 90 %.'] },
      },
    });
    expect(await ok('GET', '/feeds?state=held')).toMatchObject({ total: 1 });
    expect(await ok('POST', '/feeds/1/release')).toMatchObject({
      run: { end: 'published', actor: 'token admin' },
    });
    feeds.hold(1);
    expect(await ok('POST', '/feeds/1/discard')).toMatchObject({ status: { state: 'ok' } });
    expect(await ok('GET', '/feeds/1/held')).toEqual({ held: null });
  });

  it('take what is uploaded, as text or as octets of any form', async () => {
    const made = await scene();
    const { feeds, app, tokens } = made;
    await makeFeed(made);
    const { run } = await made.ok('POST', '/feeds/1/upload', 'evil.example\n');
    expect(run).toMatchObject({ end: 'published', octets: 13, actor: 'token admin' });
    const octets = Uint8Array.from([0x1f, 0x8b, 0, 255]);
    const send = (type: string, payload: Uint8Array | string, url = '/feeds/1/upload') =>
      app.inject({
        method: 'POST',
        url: `${API_PREFIX}${url}`,
        headers: { authorization: `Bearer ${tokens.editor}`, 'content-type': type },
        payload: Buffer.from(payload),
      });
    expect((await send('application/octet-stream', octets)).statusCode).toBe(200);
    expect(feeds.uploads.map((given) => [...given])).toEqual([
      [...Buffer.from('evil.example\n')],
      [...octets],
    ]);
    expect((await send('application/json', '{}')).statusCode).toBe(415);
    expect((await send('application/octet-stream', '')).statusCode).toBe(400);
    expect((await send('application/octet-stream', octets, '/bundles')).statusCode).toBe(415);
  });
});

describe('If-Match at what is done with a feed', () => {
  it('asks for nothing when somebody changed the feed since it was read', async () => {
    const made = await scene();
    const { app, tokens, feeds } = made;
    await makeFeed(made);
    const read = String((await made.call('GET', '/feeds/1')).headers.etag);
    await made.ok('PATCH', '/feeds/1', { format: { kind: 'lines' } });
    const now = String((await made.call('GET', '/feeds/1')).headers.etag);
    feeds.hold(1);
    const send = (what: string, ifMatch: string) =>
      app.inject({
        method: 'POST',
        url: `${API_PREFIX}/feeds/1/${what}`,
        headers: {
          authorization: `Bearer ${tokens.admin}`,
          'if-match': ifMatch,
          ...(what === 'upload' ? { 'content-type': 'text/plain' } : {}),
        },
        ...(what === 'upload' ? { payload: 'evil.example\n' } : {}),
      });
    for (const what of ['run', 'upload', 'discard', 'release']) {
      const stale = await send(what, read);
      expect(stale.statusCode, `${what}: ${stale.body}`).toBe(412);
    }
    expect([feeds.asked, feeds.uploads]).toEqual([[], []]);
    expect((await send('run', now)).statusCode).toBe(202);
  });
});

describe('the list of feeds', () => {
  it('is searched, filtered, sorted and cut with cursors', async () => {
    const made = await scene();
    const { ok, feeds } = made;
    const names = ['alpha', 'beta', 'gamma', 'delta'];
    for (const name of names) await makeFeed(made, {}, name);
    await ok('PATCH', '/feeds/2', { enabled: false });
    await ok('PATCH', '/feeds/3', { source: { kind: 'upload' } });
    feeds.end(1, {});
    feeds.end(4, { end: 'failed', reasons: ['It hangs.'] });
    const found = async (query: string): Promise<string[]> => {
      const { items } = await ok('GET', `/feeds?${query}`);
      return (items as unknown as { target: { name: string } }[]).map(({ target }) => target.name);
    };
    expect(await found('state=ok')).toEqual(['alpha']);
    expect(await found('state=paused&state=failing')).toEqual(['beta', 'delta']);
    expect(await found('source=upload')).toEqual(['gamma']);
    expect(await found('enabled=false')).toEqual(['beta']);
    expect(await found('targetId=4')).toEqual(['delta']);
    expect(await found('q=ALPH')).toEqual(['alpha']);
    expect(await found('sort=-target')).toEqual(['gamma', 'delta', 'beta', 'alpha']);
    const first = await ok('GET', '/feeds?sort=target&limit=3');
    await ok('DELETE', '/feeds/1');
    expect(await found(`sort=target&limit=3&cursor=${first.next}`)).toEqual(['gamma']);
  });
});
