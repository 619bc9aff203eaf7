import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { unpack } from '../../../src/feeds/sources/unpack.ts';
import { findProgram, requirePeer } from '../../interop/peers/index.ts';
import { failureOf } from './fetching.ts';

const limits = { octetsMax: 1_000_000, signal: new AbortController().signal };
const textOf = async (octets: Uint8Array) =>
  new TextDecoder().decode((await unpack(octets, limits)).octets);
const refusalOf = async (octets: Uint8Array, octetsMax = limits.octetsMax) => {
  const { reason, message } = await failureOf(unpack(octets, { ...limits, octetsMax }));
  return `${reason}: ${message}`;
};

interface ZipEntry {
  readonly name: string;
  readonly content: Uint8Array;
  readonly method: number;
  readonly flags: number;
  readonly packed: Uint8Array;
  readonly octets: number;
  readonly crc: number;
  readonly localName: string;
}

const entry = (name: string, text: string, changes: Partial<ZipEntry> = {}): ZipEntry => {
  const content = Buffer.from(text);
  const packed = deflateRawSync(content);
  const facts = { method: 8, flags: 0, octets: content.length, crc: crc32(content) };
  return { name, localName: name, content, packed, ...facts, ...changes };
};

/** An archive as PKWARE's APPNOTE describes it (4.3.7, 4.3.12, 4.3.16), with whatever is asked for. */
function zip(entries: readonly ZipEntry[], end: { comment?: string; count?: number } = {}): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, localName, method, flags, packed, octets, crc } of entries) {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(crc, 14);
    local.writeUInt32LE(packed.length, 18);
    local.writeUInt32LE(octets, 22);
    local.writeUInt16LE(localName.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(20, 6);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc, 16);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(octets, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(at, 42);
    const piece = Buffer.concat([local, Buffer.from(localName), packed]);
    locals.push(piece);
    directory.push(central, Buffer.from(name));
    at += piece.length;
  }
  const comment = Buffer.from(end.comment ?? '');
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(end.count ?? entries.length, 8);
  record.writeUInt16LE(end.count ?? entries.length, 10);
  record.writeUInt32LE(Buffer.concat(directory).length, 12);
  record.writeUInt32LE(at, 16);
  record.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...locals, ...directory, record, comment]);
}

describe('what a text is packed in', () => {
  const text = 'a.example\nb.example\n';

  it('is nothing: then it is the text', async () => {
    expect(await textOf(Buffer.from(text))).toBe(text);
    expect(await textOf(Buffer.from('PKI.example\nBZh.example\n'))).toBe(
      'PKI.example\nBZh.example\n',
    );
    expect(await textOf(new Uint8Array(0))).toBe('');
  });

  it('is gzip, also in several members', async () => {
    expect(await textOf(gzipSync(text))).toBe(text);
    expect(await textOf(Buffer.concat([gzipSync('a\n'), gzipSync('b\n')]))).toBe('a\nb\n');
  });

  it('is gzip that was cut off, anywhere: then it is refused', async () => {
    const whole = gzipSync(text.repeat(99));
    for (let octets = 3; octets < whole.length; octets++) {
      expect(await refusalOf(whole.subarray(0, octets))).toMatch(/^truncated/);
    }
  });

  it('is something that is not read: then it is named', async () => {
    const tar = Buffer.alloc(1024);
    tar.write('ustar\0', 257);
    const packed: readonly [string, Uint8Array][] = [
      ['xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0)],
      ['zstd', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0)],
      ['bzip2', Buffer.from('BZh91AY&SY')],
      ['7z', Uint8Array.of(0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c)],
      ['tar inside', gzipSync(tar)],
      ['gzip inside', gzipSync(gzipSync(text))],
      ['zip inside', zip([entry('inner.zip', zip([entry('a', text)]).toString('latin1'))])],
    ];
    for (const [name, octets] of packed) expect(await refusalOf(octets)).toContain(name);
  });
});

describe('a zip archive', () => {
  it('is one text of all its files, stored or deflated, each on lines of its own', async () => {
    const stored = { method: 0, packed: Buffer.from('b.example') };
    const archive = zip([
      entry('folder/', '', { method: 0, packed: Buffer.alloc(0) }),
      entry('folder/z.txt', 'a.example'),
      entry('folder/a.txt', 'b.example', stored),
      entry('__MACOSX/folder/._z.txt', 'rubbish'),
      entry('empty.txt', ''),
    ]);
    const unpacked = await unpack(archive, limits);
    expect(new TextDecoder().decode(unpacked.octets)).toBe('a.example\nb.example\n');
    expect(unpacked.files).toBe(3);
  });

  it('may have a comment, and one that looks like an end', async () => {
    expect(await textOf(zip([entry('a', 'x\n')], { comment: 'made by hand' }))).toBe('x\n');
    const false_end = `PK\x05\x06${'\0'.repeat(18)}`;
    expect(await textOf(zip([entry('a', 'x\n')], { comment: `${false_end}!` }))).toBe('x\n');
  });

  it('is refused when it is cut off anywhere', async () => {
    const whole = zip([entry('a.txt', 'a.example\n'.repeat(20)), entry('b.txt', 'b.example\n')]);
    for (let octets = 4; octets < whole.length; octets++) {
      expect(await refusalOf(whole.subarray(0, octets))).toMatch(/^(truncated|decompress)/);
    }
  });

  it('is refused when two programs could read it in two ways', async () => {
    const other = { localName: 'z.txt' };
    expect(await refusalOf(zip([entry('a.txt', 'x', other)]))).toContain('disagree');
    const before = Buffer.concat([Buffer.from('PK\x03\x04 first'), zip([entry('a.txt', 'x')])]);
    expect(await refusalOf(before)).toContain('not where it says');
    const tail = Buffer.concat([deflateRawSync(Buffer.from('x')), Buffer.from('tail')]);
    expect(await refusalOf(zip([entry('a', 'x', { packed: tail })]))).toContain('behind the end');
    expect(await refusalOf(zip([entry('a', 'x')], { count: 2 }))).toContain('cut off');
  });

  it('is refused when its entries share octets', async () => {
    const archive = zip([entry('a', 'x'), entry('a', 'x')]);
    // The second entry of the directory (its offset stands 42 octets into it) means the first file.
    const second = archive.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'));
    archive.writeUInt32LE(0, second + 42);
    expect(await refusalOf(archive)).toContain('overlap');
  });

  it('is refused when an entry is damaged, or not what it says', async () => {
    expect(await refusalOf(zip([entry('a', 'x', { crc: 1 })]))).toContain('checksum');
    expect(await refusalOf(zip([entry('a', 'x', { octets: 2 })]))).toContain('as long as it says');
    expect(await refusalOf(zip([entry('a', 'x', { octets: 0 })]))).toContain('as long as it says');
  });

  it('is refused with the reason when it has what is not read', async () => {
    expect(await refusalOf(zip([entry('a', 'x', { flags: 1 })]))).toContain('encrypted');
    expect(await refusalOf(zip([entry('a', 'x', { method: 12 })]))).toContain('method 12');
    expect(await refusalOf(zip([]))).toContain('contains no file');
    expect(await refusalOf(zip([entry('a', 'x')], { count: 0xffff }))).toContain('zip64');
    expect(await refusalOf(zip([entry('a', 'x')], { count: 2_000 }))).toContain('1000 are allowed');
  });

  it('is refused when it unpacks to more than allowed, whatever it says of itself', async () => {
    const long = '\0'.repeat(300_000);
    expect(await refusalOf(zip([entry('a', long)]), 200_000)).toMatch(/^too-large/);
    expect(await refusalOf(zip([entry('a', long, { octets: 5 })]), 200_000)).toMatch(/^too-large/);
    const three = zip(['a', 'b', 'c'].map((name) => entry(name, long)));
    expect(await refusalOf(three, 700_000)).toMatch(/^too-large/);
    expect((await unpack(three, limits)).octets.length).toBe(900_000 + 2);
  });

  it.skipIf(!requirePeer('zip'))('is read as the program zip writes it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-zip-'));
    try {
      writeFileSync(join(folder, 'a.txt'), 'a.example\n'.repeat(1_000));
      writeFileSync(join(folder, 'b.txt'), 'b.example\n');
      const program = findProgram('zip')!;
      execFileSync(program, ['-q', 'made.zip', 'a.txt', 'b.txt'], { cwd: folder });
      const made = await textOf(readFileSync(join(folder, 'made.zip')));
      expect(made).toBe(`${'a.example\n'.repeat(1_000)}b.example\n`);
      // Written to a pipe, sizes stand behind the data, and zip64 may be used.
      const piped = execFileSync(program, ['-q', '-fz-', '-', 'b.txt'], { cwd: folder });
      expect(await textOf(piped)).toBe('b.example\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
