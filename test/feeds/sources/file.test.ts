import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type ReadFilesOptions, readFiles } from '../../../src/feeds/sources/file.ts';
import { failureOf } from './fetching.ts';

let outside: string;
let directory: string;

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'sluice-files-'));
  directory = join(outside, 'feeds');
  mkdirSync(directory);
  onTestFinished(() => rmSync(outside, { recursive: true }));
});

const write = (name: string, content: string | Uint8Array) =>
  writeFileSync(join(directory, name), content);

const read = (path: string, options: Partial<ReadFilesOptions> = {}) =>
  readFiles({
    directory,
    path,
    etag: null,
    octetsMax: 1_000_000,
    signal: new AbortController().signal,
    onOctets: () => {},
    ...options,
  });

async function bodyOf(path: string, options: Partial<ReadFilesOptions> = {}) {
  const result = await read(path, options);
  if (result.kind !== 'body') throw new Error('nothing changed');
  return { ...result, text: new TextDecoder().decode(result.octets) };
}

describe('a file as a source', () => {
  it('is read, and unpacked when it is packed', async () => {
    write('names.txt', 'a.example\n');
    write('names.txt.gz', gzipSync('b.example\n'));
    expect((await bodyOf('names.txt')).text).toBe('a.example\n');
    expect((await bodyOf('names.txt.gz')).text).toBe('b.example\n');
  });

  it('is not read again until it changes, be it in size, in time or by another in its place', async () => {
    write('names.txt', 'a.example\n');
    let { etag } = await bodyOf('names.txt');
    const isUnchanged = async () => (await read('names.txt', { etag })).kind === 'unchanged';
    expect(await isUnchanged()).toBe(true);
    const changes = [
      () => write('names.txt', 'a.example\nb.example\n'),
      () => utimesSync(join(directory, 'names.txt'), 1_700_000_000, 1_700_000_000),
      () => {
        write('new', 'c.example\nd.example\n');
        utimesSync(join(directory, 'new'), 1_700_000_000, 1_700_000_000);
        renameSync(join(directory, 'new'), join(directory, 'names.txt'));
      },
    ];
    for (const change of changes) {
      change();
      expect(await isUnchanged()).toBe(false);
      ({ etag } = await bodyOf('names.txt'));
    }
    expect((await bodyOf('names.txt')).lastModified).toBe('Tue, 14 Nov 2023 22:13:20 GMT');
  });

  it('must be there, and be a regular file', async () => {
    expect((await failureOf(read('missing.txt'))).reason).toBe('not-found');
    const socket = createServer().listen(join(directory, 'socket'));
    onTestFinished(() => void socket.close());
    await once(socket, 'listening');
    expect((await failureOf(read('socket'))).message).toContain('no regular file');
  });

  it('is refused when it is larger than allowed, as it is or unpacked', async () => {
    write('names.txt', 'a.example\n'.repeat(100));
    write('names.gz', gzipSync('a.example\n'.repeat(100)));
    for (const name of ['names.txt', 'names.gz']) {
      expect((await failureOf(read(name, { octetsMax: 999 }))).reason).toBe('too-large');
      expect((await bodyOf(name, { octetsMax: 1_000 })).octets.length).toBe(1_000);
    }
  });

  it('is refused when it changes while it is read', async () => {
    write('names.txt', 'a.example\n'.repeat(300_000));
    const cut = () => truncateSync(join(directory, 'names.txt'), 2_000_000);
    const failure = await failureOf(read('names.txt', { octetsMax: 10_000_000, onOctets: cut }));
    expect([failure.reason, failure.message]).toEqual([
      'truncated',
      expect.stringContaining('changed while it was read'),
    ]);
  });

  it('is never outside of the folder of feeds, by its path or by a link', async () => {
    writeFileSync(join(outside, 'secret.txt'), 'secret.example\n');
    mkdirSync(join(outside, 'feeds-other'));
    writeFileSync(join(outside, 'feeds-other', 'a.txt'), 'secret.example\n');
    symlinkSync(join(outside, 'secret.txt'), join(directory, 'link.txt'));
    symlinkSync(join(outside, 'feeds-other'), join(directory, 'other'));
    const paths = ['../secret.txt', '/etc/hosts', 'x/../../secret.txt', 'link.txt', 'other/a.txt'];
    for (const path of [...paths, 'other', '..', 'a\0b']) {
      const failure = await failureOf(read(path));
      expect([path, failure.reason]).toEqual([path, 'outside']);
      expect(failure.message).not.toContain(outside);
    }
  });

  it('may be reached by a link within the folder of feeds, and by a link to that folder', async () => {
    write('names.txt', 'a.example\n');
    symlinkSync('names.txt', join(directory, 'current.txt'));
    symlinkSync(directory, join(outside, 'linked'));
    expect((await bodyOf('current.txt')).text).toBe('a.example\n');
    const linked = await bodyOf('names.txt', { directory: join(outside, 'linked') });
    expect(linked.text).toBe('a.example\n');
  });
});

describe('a folder as a source', () => {
  it('is one text of its regular files in the order of their names', async () => {
    mkdirSync(join(directory, 'list'));
    mkdirSync(join(directory, 'list', 'deeper'));
    write('list/b.txt', '\ufeffb.example\n');
    write('list/a.txt', 'a.example');
    write('list/c.gz', gzipSync('c.example\n'));
    write('list/.hidden', 'hidden.example\n');
    write('list/deeper/d.txt', 'd.example\n');
    const body = await bodyOf('list');
    expect(body.text).toBe('a.example\nb.example\nc.example\n');
    expect(body.files).toBe(3);
  });

  it('has changed when a file is added, removed or renamed', async () => {
    mkdirSync(join(directory, 'list'));
    write('list/a.txt', 'a.example\n');
    let { etag } = await bodyOf('list');
    const changes = [
      () => write('list/b.txt', 'b.example\n'),
      () => renameSync(join(directory, 'list/b.txt'), join(directory, 'list/c.txt')),
      () => rmSync(join(directory, 'list/c.txt')),
    ];
    for (const change of changes) {
      expect((await read('list', { etag })).kind).toBe('unchanged');
      change();
      ({ etag } = await bodyOf('list', { etag }));
    }
  });

  it('is refused with a link that leaves it, without files, and beyond its limits', async () => {
    mkdirSync(join(directory, 'list'));
    expect((await failureOf(read('list'))).message).toContain('has no files');
    write('list/a.txt', 'a.example\n');
    write('list/b.txt', 'b.example\n');
    expect((await failureOf(read('list', { octetsMax: 19 }))).reason).toBe('too-large');
    expect((await bodyOf('list', { octetsMax: 20 })).octets.length).toBe(20);
    symlinkSync('/etc/hosts', join(directory, 'list', 'c.txt'));
    const failure = await failureOf(read('list'));
    expect([failure.reason, failure.message]).toEqual([
      'outside',
      expect.stringContaining('list/c.txt'),
    ]);
  });
});
