import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { FeedProgress } from '../../../src/feeds/worker/feed-job.ts';
import { startFeedWorker } from '../../../src/feeds/worker/start-feed-worker.ts';
import { startRawServer } from '../sources/fetching.ts';
import { startTaxiiServer } from '../sources/taxii-server.ts';
import { httpOf, jobOf, octetsOf, quietly } from './job-of.ts';
import { closed, contentOf, oddWorker, reasonOf, textsOf } from './jobs.ts';

const ok = (body: string | Uint8Array, headers = '') =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${headers}\r\n`),
    Buffer.from(body),
  ]);

const TEXT = 'a.example\n192.0.2.0/24\nb.example\na.example\nno name\n';

describe('a run of a feed', () => {
  const worker = startFeedWorker({ directory: null });
  afterAll(() => worker.close());

  it('is fetched, unpacked and parsed in the thread, and comes back packed', async () => {
    const server = await startRawServer((socket) =>
      socket.end(ok(gzipSync(TEXT), 'ETag: "v1"\r\n')),
    );
    const outcome = contentOf(await worker.run(jobOf(httpOf(server.url)), quietly));
    expect(textsOf(outcome.content.packed)).toEqual(['a.example', '192.0.2.0/24', 'b.example']);
    expect(outcome.content).toMatchObject({ duplicates: 1, rejected: 1 });
    expect(outcome).toMatchObject({ octets: TEXT.length, incremental: false });
    const contentHash = createHash('sha256').update(TEXT).digest('hex');
    expect(outcome.validators).toEqual({
      etag: '"v1"',
      lastModified: null,
      contentHash,
      addedAfter: null,
    });
    expect(outcome.ms).toBeGreaterThan(0);
  });

  it('ends as unchanged when the server says so, or when the content is the same', async () => {
    const server = await startRawServer((socket, request) =>
      socket.end(
        request.includes('"v2"') ? 'HTTP/1.1 304 Not Modified\r\n\r\n' : ok(TEXT, 'ETag: "v2"\r\n'),
      ),
    );
    const first = contentOf(await worker.run(jobOf(httpOf(server.url)), quietly)).validators;
    const told = await worker.run(jobOf(httpOf(server.url), { validators: first }), quietly);
    expect(told).toEqual({ kind: 'unchanged', validators: first });
    // The same content under another ETag, packed this time: the new ETag is what to ask with next.
    const validators = { ...first, etag: '"v1"' };
    const same = await worker.run(jobOf(httpOf(server.url), { validators }), quietly);
    expect(same).toEqual({ kind: 'unchanged', validators: first });
    const packed = { kind: 'octets', octets: gzipSync(TEXT) } as const;
    expect((await worker.run(jobOf(packed, { validators }), quietly)).kind).toBe('unchanged');
  });

  it('reads files below the folder of feeds, and none when there is no such folder', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-feeds-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, 'names.txt'), TEXT);
    const reader = closed(startFeedWorker({ directory }));
    const job = jobOf({ kind: 'file', path: 'names.txt' });
    const { content, validators } = contentOf(await reader.run(job, quietly));
    expect(content.packed.count).toBe(3);
    expect((await reader.run({ ...job, validators }, quietly)).kind).toBe('unchanged');
    const outside = jobOf({ kind: 'file', path: '../names.txt' });
    expect(reasonOf(await reader.run(outside, quietly))).toBe('outside');
    expect(reasonOf(await worker.run(job, quietly))).toBe('outside');
  });

  it('brings the indicators of a TAXII collection, then only what was added or taken back', async () => {
    const added = (number: number, name: string, revoked = false) => ({
      added: `2026-02-01T00:00:0${number}.000Z`,
      object: {
        type: 'indicator',
        id: `indicator--${name}`,
        modified: `2026-02-01T00:00:0${number}.000Z`,
        pattern: `[domain-name:value = '${name}']`,
        pattern_type: 'stix',
        valid_from: '2026-01-01T00:00:00Z',
        revoked,
      },
    });
    const server = await startTaxiiServer({
      objects: [added(0, 'a.example'), added(1, 'b.example'), added(2, 'c.example')],
      pageMax: 2,
    });
    const source = { ...httpOf(server.url), kind: 'taxii' } as const;
    const first = contentOf(await worker.run(jobOf(source), quietly));
    expect(textsOf(first.content.packed)).toEqual(['a.example', 'b.example', 'c.example']);
    expect(first.incremental).toBe(false);
    const { validators } = first;
    expect(validators.addedAfter).toBe('2026-02-01T00:00:02.000Z');
    const unchanged = await worker.run(jobOf(source, { validators }), quietly);
    expect(unchanged).toEqual({ kind: 'unchanged', validators });
    server.add(added(3, 'd.example'));
    server.add(added(4, 'b.example', true));
    const second = contentOf(await worker.run(jobOf(source, { validators }), quietly));
    expect(textsOf(second.content.packed)).toEqual(['d.example']);
    expect(textsOf(second.content.withdrawn)).toEqual(['b.example']);
    expect(second.incremental).toBe(true);
    expect(second.validators).toMatchObject({
      addedAfter: '2026-02-01T00:00:04.000Z',
      contentHash: null,
    });
  });

  it('leaves out what must not be blocked, public suffixes by their list among it', async () => {
    const text = 'co.uk\ngithub.io\nown.example\nfine.example.co.uk\n10.0.0.0/8\n';
    const parse = { guardNames: ['own.example'] };
    const job = jobOf(octetsOf(text), { format: { kind: 'lines' }, parse });
    const { content } = contentOf(await worker.run(job, quietly));
    expect(textsOf(content.packed)).toEqual(['fine.example.co.uk']);
    expect(content.guardedShown.map(({ text }) => text)).toHaveLength(4);
  });

  it('fails with a reason that may be shown: without credentials, and of a URL the origin only', async () => {
    const server = await startRawServer((socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'),
    );
    const credentials = { kind: 'bearer', token: 's3cret' } as const;
    const source = { ...httpOf(`${server.url}k3y/names?key=k3y`), credentials };
    const outcome = await worker.run(jobOf(source), quietly);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'http-status' });
    expect(JSON.stringify(outcome)).not.toMatch(/s3cret|k3y/);
  });

  it('fails at an address that is not public, unless its source says that it may be', async () => {
    const source = { ...httpOf('http://127.0.0.1:9/'), allowPrivate: false };
    expect(reasonOf(await worker.run(jobOf(source), quietly))).toBe('private-address');
    const taxii = { ...source, kind: 'taxii' } as const;
    expect(reasonOf(await worker.run(jobOf(taxii), quietly))).toBe('private-address');
  });

  it('says for how long the server does not want to be asked again', async () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    const cases: readonly [string, number | undefined][] = [
      ['120', 120_000],
      ['9999999', 86_400_000],
      ['soon', undefined],
    ];
    const afterOf = async (header: string) => {
      const server = await startRawServer((socket) =>
        socket.end(`HTTP/1.1 429 Slow\r\nRetry-After: ${header}\r\nContent-Length: 0\r\n\r\n`),
      );
      const outcome = await worker.run(jobOf(httpOf(server.url)), quietly);
      if (outcome.kind !== 'failed') throw new Error(outcome.kind);
      expect(outcome.text).toContain('429 Too Many Requests');
      return outcome.retryAfterMs;
    };
    for (const [header, ms] of cases) expect(await afterOf(header)).toBe(ms);
    const ms = await afterOf(inAMinute);
    expect(ms).toBeGreaterThan(50_000);
    expect(ms).toBeLessThanOrEqual(60_000);
  });

  it('fails when it is longer than its limits, of time, of octets or of lines', async () => {
    const silent = await startRawServer(() => {});
    const late = await worker.run(jobOf(httpOf(silent.url), { limits: { timeMs: 300 } }), quietly);
    expect(reasonOf(late)).toBe('timeout');
    const big = {
      kind: 'octets',
      octets: gzipSync(Buffer.alloc(2_000_000, 'a.example\n')),
    } as const;
    const large = await worker.run(jobOf(big, { limits: { octetsMax: 1_000_000 } }), quietly);
    expect(reasonOf(large)).toBe('too-large');
    const long = await worker.run(jobOf(octetsOf(TEXT), { limits: { linesMax: 2 } }), quietly);
    expect(reasonOf(long)).toBe('format');
  });

  it('fails when there are several documents where one is meant', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-feeds-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    for (const name of ['a.json', 'b.json']) writeFileSync(join(directory, name), '["a.example"]');
    const reader = closed(startFeedWorker({ directory }));
    const format = { kind: 'json', path: '', value: '' } as const;
    const outcome = await reader.run(jobOf({ kind: 'file', path: '.' }, { format }), quietly);
    expect(outcome).toMatchObject({ reason: 'format', text: expect.stringContaining('2 files') });
  });
});

describe('the progress of a run', () => {
  it('is told while octets arrive, ten times a second at most', async () => {
    const server = await startRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n');
      let sent = 0;
      const send = () => {
        if (socket.destroyed || sent === 1_000_000) return;
        socket.write('a.example\n'.repeat(1_000));
        sent += 10_000;
        setTimeout(send, 10);
      };
      send();
    });
    const worker = closed(startFeedWorker({ directory: null }));
    const told: FeedProgress[] = [];
    const begin = performance.now();
    await worker.run(jobOf(httpOf(server.url)), (progress) => told.push(progress));
    const seconds = (performance.now() - begin) / 1000;
    const fetched = told.filter(({ phase }) => phase === 'fetch');
    expect(fetched.length).toBeGreaterThan(3);
    expect(fetched.length).toBeLessThanOrEqual(seconds * 10 + 1);
    expect(fetched.every(({ octets }, at) => at === 0 || octets > fetched[at - 1]!.octets)).toBe(
      true,
    );
    expect(told.at(-1)).toMatchObject({ phase: 'parse', octets: 1_000_000, lines: 100_000 });
  });
});

describe('runs beside one another', () => {
  /** Holds its answers back until it is told to send them. */
  async function startHeldServer() {
    const held: (() => void)[] = [];
    const server = await startRawServer((socket) => held.push(() => socket.end(ok(TEXT))));
    return { ...server, held };
  }
  const until = async (what: () => boolean) => {
    while (!what()) await sleep(5);
  };

  it('are one at a time of each feed, and so many at once of all', async () => {
    const server = await startHeldServer();
    const worker = closed(startFeedWorker({ directory: null, jobsMax: 2 }));
    const ended: string[] = [];
    const run = async (feedId: number, name: string) => {
      await worker.run(jobOf(httpOf(`${server.url}${name}`), { feedId }), quietly);
      ended.push(name);
    };
    const runs = [run(1, 'a'), run(1, 'b'), run(2, 'c'), run(3, 'd')];
    await until(() => server.held.length === 2);
    await sleep(100);
    const asked = () => server.requests.map((head) => head.slice(5, 6)).join('');
    expect(asked()).toBe('ac');
    server.held[1]!();
    await until(() => server.held.length === 3);
    expect(asked()).toBe('acd');
    server.held[0]!();
    await until(() => server.held.length === 4);
    expect(asked()).toBe('acdb');
    for (const send of server.held.slice(2)) send();
    await Promise.all(runs);
    expect(ended.slice(0, 2)).toEqual(['c', 'a']);
  });

  it('end when they are stopped, those that wait as well, and the connection is given up', async () => {
    const server = await startHeldServer();
    const worker = closed(startFeedWorker({ directory: null }));
    const runs = [1, 1, 2].map((feedId) =>
      worker.run(jobOf(httpOf(server.url), { feedId }), quietly),
    );
    await until(() => server.held.length === 2);
    worker.stop(1);
    expect((await Promise.all(runs.slice(0, 2))).map(reasonOf)).toEqual(['stopped', 'stopped']);
    // The place is free again when the thread has let go.
    const next = worker.run(jobOf(httpOf(server.url), { feedId: 1 }), quietly);
    await until(() => server.held.length === 3);
    for (const send of server.held.slice(1)) send();
    expect((await Promise.all([runs[2]!, next])).map(reasonOf)).toEqual(['content', 'content']);
  });

  it('are all stopped when the worker is closed, and none begins after that', async () => {
    const server = await startHeldServer();
    const worker = startFeedWorker({ directory: null });
    const runs = [1, 1, 2, 3].map((feedId) =>
      worker.run(jobOf(httpOf(server.url), { feedId }), quietly),
    );
    await until(() => server.held.length === 2);
    await worker.close();
    expect((await Promise.all(runs)).map(reasonOf)).toEqual(Array(4).fill('stopped'));
    expect(reasonOf(await worker.run(jobOf(octetsOf(TEXT)), quietly))).toBe('stopped');
    await worker.close();
  });
});

describe('a run that fills the memory', () => {
  it('fails with a reason, and the others are done again in a new thread', async () => {
    const server = await startRawServer((socket) => {
      setTimeout(() => socket.end(ok(TEXT)), 600);
    });
    const worker = oddWorker({ heapMegabytesMax: 64, jobsMax: 3 });
    const bystander = worker.run(jobOf(httpOf(server.url), { feedId: 2 }), quietly);
    while (server.requests.length === 0) await sleep(5);
    const culprit = worker.run(jobOf(octetsOf('fill\n')), quietly);
    expect(await culprit).toMatchObject({ kind: 'failed', reason: 'out-of-memory' });
    expect(textsOf(contentOf(await bystander).content.packed)).toContain('a.example');
    expect(server.requests).toHaveLength(2);
    expect(reasonOf(await worker.run(jobOf(octetsOf(TEXT)), quietly))).toBe('content');
  });

  /** Documents that need twenty to fifty times their octets, each of which once ended the process. */
  const EXPLOSIVES: readonly [string, (number: number) => string][] = [
    ['empty objects', () => '{}'],
    ['empty lists', () => '[]'],
    ['objects of one name each', (number) => `{"${number.toString(36)}":1}`],
    ['lists in lists', () => '[[[[[[[[[[]]]]]]]]]]'],
  ];

  it.each(EXPLOSIVES)('fails with a reason when it is a document of %s', async (_, item) => {
    const worker = closed(startFeedWorker({ directory: null, heapMegabytesMax: 64 }));
    const items: string[] = [];
    for (let number = 0, length = 0; length < 10_000_000; number++) {
      items.push(item(number));
      length += items.at(-1)!.length + 1;
    }
    for (const kind of ['stix', 'misp-json'] as const) {
      const job = jobOf(octetsOf(`{"objects":[${items.join(',')}]}`), { format: { kind } });
      expect(reasonOf(await worker.run(job, quietly))).toBe('out-of-memory');
    }
    expect(reasonOf(await worker.run(jobOf(octetsOf(TEXT)), quietly))).toBe('content');
  });
});

describe('a run that takes too long', () => {
  it('ends by itself, in a thread that goes on', async () => {
    const server = await startRawServer((socket) => {
      setTimeout(() => socket.end(ok(TEXT)), 600);
    });
    const worker = oddWorker({ parseMsMax: 1_500, graceMs: 30_000, jobsMax: 2 });
    const bystander = worker.run(jobOf(httpOf(server.url), { feedId: 2 }), quietly);
    while (server.requests.length === 0) await sleep(5);
    const crawling = await worker.run(jobOf(octetsOf('crawl\n')), quietly);
    expect(crawling).toMatchObject({ reason: 'timeout', text: expect.stringContaining('1.5 s') });
    expect(reasonOf(await bystander)).toBe('content');
    expect(server.requests).toHaveLength(1);
  });

  it('ends at once when it is stopped, although it hears no messages', async () => {
    const worker = oddWorker({ graceMs: 30_000 });
    const parsing = Promise.withResolvers<void>();
    const crawling = worker.run(jobOf(octetsOf('crawl\n')), () => parsing.resolve());
    await parsing.promise;
    worker.stop(1);
    expect(reasonOf(await crawling)).toBe('stopped');
    expect(reasonOf(await worker.run(jobOf(octetsOf(TEXT)), quietly))).toBe('content');
  });
});

describe('a thread that dies', () => {
  it('while several are fetched is not held against all of them: each is done again, alone', async () => {
    let asked = 0;
    const server = await startRawServer(async (socket, request) => {
      const isAgain = ++asked > 3;
      if (request.startsWith('GET /leave')) {
        while (asked < 3) await sleep(5);
        socket.end(ok(TEXT));
      } else if (isAgain) socket.end(ok(TEXT));
    });
    const worker = oddWorker({ jobsMax: 3 });
    const runs = ['a', 'leave', 'b'].map((name, feedId) =>
      worker.run(jobOf(httpOf(`${server.url}${name}`), { feedId }), quietly),
    );
    const reasons = (await Promise.all(runs)).map(reasonOf);
    expect(reasons).toEqual(['content', 'worker-died', 'content']);
    expect(server.requests).toHaveLength(6);
  });

  it('was ended from outside as it did not end itself, or ended in the middle of a parse', async () => {
    const worker = oddWorker({ parseMsMax: 1_500, graceMs: 100 });
    const spinning = await worker.run(jobOf(octetsOf('spin\n')), quietly);
    expect(spinning).toMatchObject({ reason: 'timeout', text: expect.stringContaining('1.5 s') });
    expect(reasonOf(await worker.run(jobOf(octetsOf('leave\n')), quietly))).toBe('worker-died');
    expect(reasonOf(await worker.run(jobOf(octetsOf('throw\n')), quietly))).toBe('unexpected');
    expect(reasonOf(await worker.run(jobOf(octetsOf(TEXT)), quietly))).toBe('content');
  });

  it('stops a run at once even when its thread is busy with it', async () => {
    const worker = oddWorker({ parseMsMax: 1_500, graceMs: 100 });
    const parsing = Promise.withResolvers<void>();
    const spinning = worker.run(jobOf(octetsOf('spin\n')), () => parsing.resolve());
    await parsing.promise;
    worker.stop(1);
    expect(reasonOf(await spinning)).toBe('stopped');
    expect(reasonOf(await worker.run(jobOf(octetsOf(TEXT)), quietly))).toBe('content');
  });

  it('that cannot even start fails its runs and no more', async () => {
    const worker = oddWorker({
      thread: new URL('./missing-thread.ts', import.meta.url),
      jobsMax: 3,
    });
    const runs = [1, 2].map((feedId) =>
      worker.run(jobOf({ kind: 'file', path: 'a' }, { feedId }), quietly),
    );
    expect((await Promise.all(runs)).map(reasonOf)).toEqual(['worker-died', 'worker-died']);
  });
});
