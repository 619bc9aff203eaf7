import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { detailOf, FeedFailure } from './feed-failure.ts';
import { joinTexts } from './join-octets.ts';
import { collectOctets } from './octet-collector.ts';
import { type UnpackedText, unpack } from './unpack.ts';

export interface ReadFilesOptions {
  /** The folder that all files of feeds are in. */
  readonly directory: string;
  /** Below it: a file, or a folder, which means all files directly in it. */
  readonly path: string;
  /** What an earlier read gave: when it still holds, nothing is read. */
  readonly etag: string | null;
  readonly octetsMax: number;
  readonly signal: AbortSignal;
  readonly onOctets: (read: number) => void;
}

export type ReadFilesResult =
  | { readonly kind: 'unchanged' }
  | ({
      readonly kind: 'body';
      readonly etag: string;
      readonly lastModified: string;
    } & UnpackedText);

const FILES_MAX = 1_000;
const READ_OCTETS = 1024 * 1024;

interface Found {
  /** As it is told: relative to the folder of feeds. */
  readonly shown: string;
  /** Without symbolic links. */
  readonly real: string;
  readonly stats: BigIntStats;
}

/**
 * Reads a file, or the regular files of a folder in the order of their names; files whose names
 * begin with a dot are passed over. Each may be gzip or zip. A symbolic link may lead anywhere
 * within the folder of feeds; one that leaves it is a failure, since to pass over it would publish
 * less than the operator meant. Throws a FeedFailure.
 */
export async function readFiles(options: ReadFilesOptions): Promise<ReadFilesResult> {
  const found = await findFiles(options);
  const etag = digestOf(found);
  if (etag === options.etag) return { kind: 'unchanged' };
  const texts: UnpackedText[] = [];
  let read = 0;
  for (const file of found) {
    const packed = await readWhole(file, options, read);
    read += packed.length;
    const made = texts.reduce((sum, { octets }) => sum + octets.length, 0);
    const { octetsMax, signal } = options;
    const text = await unpack(packed, { octetsMax: octetsMax - made, signal });
    if (made + text.octets.length > octetsMax) throw tooLarge(octetsMax);
    texts.push(text);
  }
  return {
    kind: 'body',
    octets: joinTexts(texts.map(({ octets }) => octets)),
    files: texts.reduce((sum, { files }) => sum + files, 0),
    etag,
    lastModified: newest(found),
  };
}

async function findFiles({ directory, path }: ReadFilesOptions): Promise<Found[]> {
  if (isAbsolute(path) || path.split(/[/\\]/).includes('..') || path.includes('\0')) {
    throw new FeedFailure('outside', path);
  }
  const base = await orFailure(path, realpath(directory));
  const top = await findInside(base, path, path);
  if (top.stats.isFile()) return [top];
  if (!top.stats.isDirectory()) throw new FeedFailure('unreadable', `${path} is no regular file`);
  const names = (await orFailure(path, readdir(top.real))).filter((name) => !name.startsWith('.'));
  if (names.length > FILES_MAX) {
    throw new FeedFailure(
      'too-large',
      `${path} has ${names.length} files, ${FILES_MAX} are allowed`,
    );
  }
  const files: Found[] = [];
  for (const name of names.sort()) {
    const file = await findInside(base, join(path, name), `${path}/${name}`);
    if (file.stats.isFile()) files.push(file);
  }
  if (files.length === 0) throw new FeedFailure('not-found', `${path} has no files`);
  return files;
}

async function findInside(base: string, path: string, shown: string): Promise<Found> {
  const real = await orFailure(shown, realpath(join(base, path)));
  const isInside = real === base || real.startsWith(base.endsWith(sep) ? base : `${base}${sep}`);
  if (!isInside) throw new FeedFailure('outside', shown);
  return { shown, real, stats: await orFailure(shown, stat(real, { bigint: true })) };
}

/** Changes with any name, size or time of these files, and with what was removed. */
function digestOf(found: readonly Found[]): string {
  const facts = found.map(({ shown, stats: { size, mtimeNs, ctimeNs, ino } }) =>
    [shown, size, mtimeNs, ctimeNs, ino].map(String),
  );
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

function newest(found: readonly Found[]): string {
  return new Date(Math.max(...found.map(({ stats }) => Number(stats.mtimeMs)))).toUTCString();
}

async function readWhole(
  { shown, real, stats }: Found,
  { octetsMax, signal, onOctets }: ReadFilesOptions,
  before: number,
): Promise<Uint8Array> {
  if (before + Number(stats.size) > octetsMax) throw tooLarge(octetsMax);
  // Whatever stands there by now: no link is followed, and a pipe does not make this wait.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await orFailure(shown, open(real, flags));
  try {
    const content = collectOctets(Number(stats.size));
    for await (const chunk of chunksOf(handle, shown)) {
      signal.throwIfAborted();
      content.add(chunk);
      if (before + content.length > octetsMax) throw tooLarge(octetsMax);
      onOctets(before + content.length);
    }
    const now = await orFailure(shown, handle.stat({ bigint: true }));
    const isSame = now.ino === stats.ino && now.mtimeNs === stats.mtimeNs;
    if (!isSame || now.size !== BigInt(content.length)) {
      throw new FeedFailure('truncated', `${shown} changed while it was read`);
    }
    return content.take();
  } finally {
    await handle.close();
  }
}

/** The same buffer each time. */
async function* chunksOf(handle: FileHandle, shown: string): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(READ_OCTETS);
  for (;;) {
    const { bytesRead } = await orFailure(shown, handle.read(buffer, 0, buffer.length));
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

function tooLarge(octetsMax: number): FeedFailure {
  return new FeedFailure('too-large', `more than the ${octetsMax} octets that are allowed`);
}

const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

/** What the system says, without the path on this machine. */
async function orFailure<Value>(shown: string, asked: Promise<Value>): Promise<Value> {
  try {
    return await asked;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? detailOf(error);
    throw new FeedFailure(MISSING.has(code) ? 'not-found' : 'unreadable', `${shown} (${code})`);
  }
}
