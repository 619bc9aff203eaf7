import { randomInt } from 'node:crypto';
import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import type { StateImage, StoredImage } from '../publish/store-port.ts';

/** `SLUICE` and the version of this layout. */
const MAGIC = Buffer.from('SLUICE\0\x01', 'latin1');
/** The magic, the length of the head and its checksum. */
const PREFIX_OCTETS = MAGIC.length + 8;
const HEAD_OCTETS_MAX = 16 * 1024 * 1024;

/** Beside the database: `sluice.sqlite.image`. */
export function imagePath({ path }: { readonly path: string }): string {
  return `${path}.image`;
}

/** Stamps are of the first years of the century: no file is changed then by itself. */
const STAMP_FIRST = Date.UTC(2001) / 1000;
const STAMPS = 2 ** 28;

/** What stands in front of the parts, as JSON. */
interface Head {
  readonly version: number;
  /** The time of the last change of a file that was written whole, in seconds. */
  readonly stamp: number;
  readonly owners: number;
  /** The chain of hashes over these owners, as the database has it. */
  readonly chain: string;
  readonly head: string;
  readonly parts: readonly {
    readonly octets: number;
    readonly room: number;
    readonly crc: number;
  }[];
}

/**
 * Writes an image beside the database: to a file of its own first, which then takes the place of the
 * one before, so that a crash leaves one of the two. When all of it is flushed, the time of its last
 * change is set to one that its head names. Who finds it so knows without a checksum that the file is
 * whole and was not written to since.
 */
export async function writeImageFile(
  path: string,
  image: StateImage,
  chain: string,
): Promise<void> {
  const parts: Head['parts'][number][] = [];
  for (const { octets, room } of image.parts) {
    parts.push({ octets: octets.length, room, crc: crc32(octets) });
    // A large catalogue takes tens of milliseconds in all, and questions are answered meanwhile.
    await nextTurn();
  }
  const { version, owners, head: text } = image;
  const stamp = STAMP_FIRST + randomInt(STAMPS);
  const head: Head = { version, stamp, owners, chain, head: text, parts };
  const made = `${path}.new`;
  try {
    await rm(made, { force: true });
    const file = await open(made, 'wx', 0o600);
    try {
      await file.writev([encodeHead(head), ...image.parts.map(({ octets }) => octets)]);
      await file.sync();
      await file.utimes(stamp, stamp);
    } finally {
      await file.close();
    }
    await rename(made, path);
  } catch (error) {
    await rm(made, { force: true });
    throw error;
  }
}

/** An image as a file has it. Whether it fits is not known before the database says so. */
export interface ImageFile extends StoredImage {
  readonly version: number;
  readonly chain: string;
}

/**
 * Reads an image; null for a file that is not there, not whole, or no image of ours. All that is large
 * is read by threads of the system from the moment of the call on, so that a start can go on meanwhile.
 */
export async function readImageFile(path: string): Promise<ImageFile | null> {
  try {
    const file = openSync(path, 'r');
    try {
      return await readImage(file);
    } finally {
      closeSync(file);
    }
  } catch {
    // Whatever is wrong with the file: without it the start takes longer, and no more than that.
    return null;
  }
}

async function readImage(file: number): Promise<ImageFile | null> {
  const { size, mtimeMs } = fstatSync(file);
  const found = readHead(file, size);
  if (found === null) return null;
  const { version, stamp, chain, owners, head } = found.head;
  const isAsWritten = mtimeMs === stamp * 1000;
  let at = found.next;
  const reading = found.head.parts.map(async ({ octets, room, crc }) => {
    const buffer = new ArrayBuffer(octets + room);
    const bytes = new Uint8Array(buffer, 0, octets);
    const from = at;
    at += octets;
    const isWhole = (await fill(file, bytes, from)) && (isAsWritten || crc32(bytes) === crc);
    return isWhole ? { buffer, octets } : null;
  });
  const parts = await Promise.all(reading);
  return parts.every((part) => part !== null) ? { version, chain, owners, head, parts } : null;
}

function encodeHead(head: Head): Uint8Array {
  const text = Buffer.from(JSON.stringify(head));
  const octets = Buffer.alloc(PREFIX_OCTETS + text.length);
  MAGIC.copy(octets);
  octets.writeUInt32LE(text.length, MAGIC.length);
  octets.writeUInt32LE(crc32(text), MAGIC.length + 4);
  text.copy(octets, PREFIX_OCTETS);
  return octets;
}

function readHead(
  file: number,
  size: number,
): { readonly head: Head; readonly next: number } | null {
  const prefix = Buffer.alloc(PREFIX_OCTETS);
  if (readSync(file, prefix, 0, PREFIX_OCTETS, 0) < PREFIX_OCTETS) return null;
  const octets = prefix.readUInt32LE(MAGIC.length);
  if (!prefix.subarray(0, MAGIC.length).equals(MAGIC) || octets > HEAD_OCTETS_MAX) return null;
  const text = Buffer.alloc(octets);
  if (readSync(file, text, 0, octets, PREFIX_OCTETS) < octets) return null;
  if (crc32(text) !== prefix.readUInt32LE(MAGIC.length + 4)) return null;
  const head = JSON.parse(text.toString()) as Head;
  const next = PREFIX_OCTETS + octets;
  const end = head.parts.reduce((sum, part) => sum + part.octets, next);
  return end === size ? { head, next } : null;
}

const readSome = promisify(read);

/** False when the file ends before it. */
async function fill(file: number, bytes: Uint8Array, at: number): Promise<boolean> {
  for (let filled = 0; filled < bytes.length; ) {
    const { bytesRead } = await readSome(file, bytes, filled, bytes.length - filled, at + filled);
    if (bytesRead === 0) return false;
    filled += bytesRead;
  }
  return true;
}
