import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { FeedFailure } from '../../../src/feeds/sources/feed-failure.ts';
import { keepPeersTidy, requirePeer, startNginx } from '../../interop/peers/index.ts';
import type { Nginx } from '../../interop/peers/nginx.ts';
import { bodyOf, failureOf, get } from './fetching.ts';

keepPeersTidy();

const LINES = Array.from({ length: 2_000 }, (_, number) => `host-${number}.example\n`).join('');

/** What a large provider of feeds may have configured. */
const SERVER = (folder: string) => `
  location = /gzip.txt { gzip on; gzip_min_length 1; gzip_types text/plain; }
  location = /packed.txt.gz { gzip off; }
  location = /private.txt { auth_basic "feeds"; auth_basic_user_file ${folder}/users; }
  location = /bearer.txt { if ($http_authorization != "Bearer t0ken") { return 401; } }
  location = /key.txt { if ($http_x_api_key != "k3y") { return 403; } }
  location = /loop { return 302 /loop; }
  location = /moved { return 301 /names.txt; }
  location = /nowhere { return 302 ftp://feeds.example/names.txt; }
  location = /slow.txt { limit_rate 1k; }
  location = /busy { return 503; }
`;

describe.skipIf(!requirePeer('nginx'))('a feed that nginx serves', () => {
  let nginx: Nginx;
  beforeAll(async () => {
    nginx = await startNginx({
      files: {
        'names.txt': LINES,
        'gzip.txt': LINES,
        'packed.txt.gz': gzipSync(LINES),
        'private.txt': LINES,
        'bearer.txt': LINES,
        'key.txt': LINES,
        'slow.txt': LINES,
        '../users': 'reader:{PLAIN}s3cret\n',
      },
      server: SERVER,
    });
  });

  it('arrives whole, with what says later whether it changed', async () => {
    const got = await bodyOf(get(nginx.url('/names.txt')));
    expect(got.text).toBe(LINES);
    expect(got.etag).toMatch(/^"[0-9a-f]+-[0-9a-f]+"$/);
    expect(Date.parse(got.lastModified ?? '')).toBeGreaterThan(Date.UTC(2024));
  });

  it('is not sent again while its ETag or its time is the same, and is when it changed', async () => {
    const path = join(nginx.files, 'changing.txt');
    writeFileSync(path, 'one.example\n');
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    const { etag, lastModified } = await bodyOf(get(nginx.url('/changing.txt')));
    for (const validators of [{ etag }, { lastModified }, { etag, lastModified }]) {
      const again = await get(nginx.url('/changing.txt'), validators);
      expect(again).toEqual({ kind: 'unchanged' });
    }
    writeFileSync(path, 'one.example\ntwo.example\n');
    const changed = await bodyOf(get(nginx.url('/changing.txt'), { etag, lastModified }));
    expect(changed.text).toBe('one.example\ntwo.example\n');
    expect(changed.etag).not.toBe(etag);
  });

  it('is decoded when it is sent as gzip, and its weak ETag holds', async () => {
    const got = await bodyOf(get(nginx.url('/gzip.txt')));
    expect(got.headers['content-encoding']).toBe('gzip');
    expect(got.text).toBe(LINES);
    expect(got.etag).toMatch(/^W\//);
    expect(await get(nginx.url('/gzip.txt'), { etag: got.etag })).toEqual({ kind: 'unchanged' });
  });

  it('stays packed when it is a packed file: what is in it is no concern of HTTP', async () => {
    const got = await bodyOf(get(nginx.url('/packed.txt.gz')));
    expect(Buffer.from(got.octets)).toEqual(gzipSync(LINES));
  });

  it('is read with the right credentials of each kind', async () => {
    const basic = { kind: 'basic', user: 'reader', password: 's3cret' } as const;
    const bearer = { kind: 'bearer', token: 't0ken' } as const;
    const header = { kind: 'header', name: 'X-Api-Key', value: 'k3y' } as const;
    const path = { basic: '/private.txt', bearer: '/bearer.txt', header: '/key.txt' };
    for (const credentials of [basic, bearer, header]) {
      const got = await bodyOf(get(nginx.url(path[credentials.kind]), { credentials }));
      expect(got.text).toBe(LINES);
    }
  });

  it('is refused with the wrong ones, and the failure does not repeat them', async () => {
    const credentials = { kind: 'basic', user: 'reader', password: 'wr0ng-s3cret' } as const;
    const failure = await failureOf(get(nginx.url('/private.txt?key=in-the-url'), { credentials }));
    expect(failure.reason).toBe('http-status');
    expect(failure.message).toContain('401 Unauthorized');
    expect(failure.message).not.toMatch(/wr0ng|reader|in-the-url/);
  });

  it('is told apart from a page that says that it is missing', async () => {
    const missing = await failureOf(get(nginx.url('/missing.txt')));
    expect([missing.reason, missing.message]).toEqual([
      'http-status',
      expect.stringContaining('answered 404 Not Found'),
    ]);
    expect((await failureOf(get(nginx.url('/busy')))).message).toContain('503');
  });

  it('is found behind a redirect, but not at the end of a loop or outside of HTTP', async () => {
    expect((await bodyOf(get(nginx.url('/moved')))).text).toBe(LINES);
    const loop = await failureOf(get(nginx.url('/loop'), { limits: { redirectsMax: 3 } }));
    expect(loop.reason).toBe('redirect');
    expect(nginx.url('/loop')).toContain(loop.message.match(/last to (\S+)/)?.[1]);
    const none = await failureOf(get(nginx.url('/moved'), { limits: { redirectsMax: 0 } }));
    expect(none.reason).toBe('redirect');
    expect((await failureOf(get(nginx.url('/nowhere')))).message).toContain('ftp:');
  });

  it('ends at its limit of time when it is slow', async () => {
    const limit = new AbortController();
    setTimeout(() => limit.abort(new FeedFailure('timeout', 'the limit is 0.5 s')), 500);
    const begin = performance.now();
    const slow = get(nginx.url('/slow.txt'), { signal: limit.signal });
    expect((await failureOf(slow)).reason).toBe('timeout');
    expect(performance.now() - begin).toBeLessThan(2_000);
  });

  it('is not begun when it announces more than is allowed', async () => {
    const failure = await failureOf(get(nginx.url('/names.txt'), { limits: { octetsMax: 1_000 } }));
    expect(failure.reason).toBe('too-large');
    expect(failure.message).toContain(`${LINES.length} octets, and 1000 are allowed`);
  });

  it('may fit as it is sent and still be too large as it is decoded', async () => {
    const octetsMax = LINES.length - 1;
    expect(gzipSync(LINES).length).toBeLessThan(octetsMax);
    const failure = await failureOf(get(nginx.url('/gzip.txt'), { limits: { octetsMax } }));
    expect(failure.reason).toBe('too-large');
  });
});
