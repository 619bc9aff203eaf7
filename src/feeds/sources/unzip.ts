import { crc32 } from 'node:zlib';
import { decompressPart, type UnpackLimits } from './decompress.ts';
import { FeedFailure } from './feed-failure.ts';

/**
 * Zip archives by PKWARE's APPNOTE, read through their central directory, and strictly: what two
 * programs could read in two ways is refused. Entries are stored or deflated. Not read: zip64 (so
 * nothing beyond 4 GB), encryption, several disks, other methods.
 */

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_RECORD = 0x06054b50;
const ZIP64_LOCATOR = 0x07064b50;

const LOCAL_HEADER_OCTETS = 30;
const CENTRAL_HEADER_OCTETS = 46;
const END_RECORD_OCTETS = 22;
const ZIP64_LOCATOR_OCTETS = 20;
const COMMENT_OCTETS_MAX = 0xffff;

const STORED = 0;
const DEFLATED = 8;
/** Bits 0, 6 and 13 of the flags (APPNOTE 4.4.4). */
const ENCRYPTED_FLAGS = 0x2041;

const ZIP_ENTRIES_MAX = 1_000;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedOctets: number;
  readonly octets: number;
  readonly localAt: number;
  /** The name's octets, to hold the local header against. */
  readonly nameOctets: Uint8Array;
}

/**
 * The files of an archive in the order of its directory, without folders and without what macOS
 * adds. Throws a FeedFailure. `octetsMax` counts all of them together.
 */
export async function unzip(archive: Uint8Array, limits: UnpackLimits): Promise<Uint8Array[]> {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = findEnd(view);
  const entries = readDirectory(archive, view, end);
  const places = locateEntries(archive, view, entries, end.directoryAt);
  const files: Uint8Array[] = [];
  let left = limits.octetsMax;
  for (const { entry, packed } of places) {
    if (isNoContent(entry.name)) continue;
    const file = await readEntry(entry, packed, { ...limits, octetsMax: left });
    left -= file.length;
    files.push(file);
  }
  if (files.length === 0) throw refusal('it contains no file');
  return files;
}

interface End {
  readonly entries: number;
  readonly directoryAt: number;
  readonly directoryEnd: number;
}

function findEnd(view: DataView): End {
  const last = view.byteLength - END_RECORD_OCTETS;
  const first = Math.max(0, last - COMMENT_OCTETS_MAX);
  for (let at = last; at >= first; at--) {
    if (view.getUint32(at, true) !== END_RECORD) continue;
    // A comment that does not reach the end is an end record inside a comment.
    if (at + END_RECORD_OCTETS + view.getUint16(at + 20, true) !== view.byteLength) continue;
    return readEnd(view, at);
  }
  throw new FeedFailure('truncated', 'the archive has no end');
}

function readEnd(view: DataView, at: number): End {
  const entries = view.getUint16(at + 10, true);
  const directoryOctets = view.getUint32(at + 12, true);
  const directoryAt = view.getUint32(at + 16, true);
  const locatorAt = at - ZIP64_LOCATOR_OCTETS;
  const hasLocator = locatorAt >= 0 && view.getUint32(locatorAt, true) === ZIP64_LOCATOR;
  if (hasLocator || entries === 0xffff || directoryAt === 0xffffffff) {
    throw refusal('it is in the zip64 format, which is not read');
  }
  const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
  if (disks.some((disk) => disk !== 0) || view.getUint16(at + 8, true) !== entries) {
    throw refusal('it is one of several parts');
  }
  if (entries > ZIP_ENTRIES_MAX) {
    throw refusal(`it has ${entries} entries, and ${ZIP_ENTRIES_MAX} are allowed`);
  }
  if (directoryAt + directoryOctets !== at) throw refusal('its directory is not where it says');
  return { entries, directoryAt, directoryEnd: at };
}

function readDirectory(archive: Uint8Array, view: DataView, end: End): Entry[] {
  const entries: Entry[] = [];
  let at = end.directoryAt;
  for (let count = 0; count < end.entries; count++) {
    if (at + CENTRAL_HEADER_OCTETS > end.directoryEnd) throw refusal('its directory is cut off');
    if (view.getUint32(at, true) !== CENTRAL_HEADER) throw refusal('its directory is damaged');
    const nameAt = at + CENTRAL_HEADER_OCTETS;
    const nameOctets = view.getUint16(at + 28, true);
    const next =
      nameAt + nameOctets + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end.directoryEnd) throw refusal('its directory is cut off');
    entries.push(readCentralHeader(view, at, archive.subarray(nameAt, nameAt + nameOctets)));
    at = next;
  }
  if (at !== end.directoryEnd) throw refusal('its directory has more entries than it says');
  return entries;
}

function readCentralHeader(view: DataView, at: number, nameOctets: Uint8Array): Entry {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const packedOctets = view.getUint32(at + 20, true);
  const octets = view.getUint32(at + 24, true);
  const localAt = view.getUint32(at + 42, true);
  if ((flags & ENCRYPTED_FLAGS) !== 0) throw refusal('it is encrypted');
  if (method !== STORED && method !== DEFLATED) {
    throw refusal(`an entry is packed with method ${method}, which is not read`);
  }
  if (packedOctets === 0xffffffff || octets === 0xffffffff || localAt === 0xffffffff) {
    throw refusal('it is in the zip64 format, which is not read');
  }
  if (method === STORED && packedOctets !== octets) throw refusal('an entry has two sizes');
  const name = new TextDecoder('latin1').decode(nameOctets);
  return {
    name,
    method,
    crc: view.getUint32(at + 16, true),
    packedOctets,
    octets,
    localAt,
    nameOctets,
  };
}

interface Place {
  readonly entry: Entry;
  readonly packed: Uint8Array;
}

/** Entries that share octets make a small archive as large as one likes: they are refused. */
function locateEntries(
  archive: Uint8Array,
  view: DataView,
  entries: readonly Entry[],
  directoryAt: number,
): Place[] {
  let free = 0;
  const byPosition = entries.toSorted((a, b) => a.localAt - b.localAt);
  const places = new Map<Entry, Place>();
  for (const entry of byPosition) {
    if (entry.localAt < free) throw refusal('its entries overlap');
    const dataAt = dataBehindLocalHeader(archive, view, entry, directoryAt);
    free = dataAt + entry.packedOctets;
    if (free > directoryAt) throw refusal('an entry reaches into the directory');
    places.set(entry, { entry, packed: archive.subarray(dataAt, free) });
  }
  return entries.map((entry) => places.get(entry)!);
}

function dataBehindLocalHeader(
  archive: Uint8Array,
  view: DataView,
  { localAt, nameOctets, method }: Entry,
  directoryAt: number,
): number {
  const nameAt = localAt + LOCAL_HEADER_OCTETS;
  if (nameAt > directoryAt) throw refusal('an entry is outside of it');
  const isSame =
    view.getUint32(localAt, true) === LOCAL_HEADER &&
    view.getUint16(localAt + 8, true) === method &&
    view.getUint16(localAt + 26, true) === nameOctets.length &&
    nameOctets.every((octet, index) => archive[nameAt + index] === octet);
  if (!isSame) throw refusal('its directory and its entries disagree');
  return nameAt + nameOctets.length + view.getUint16(localAt + 28, true);
}

async function readEntry(
  entry: Entry,
  packed: Uint8Array,
  limits: UnpackLimits,
): Promise<Uint8Array> {
  if (entry.octets > limits.octetsMax) {
    throw new FeedFailure(
      'too-large',
      `unpacked more than ${limits.octetsMax} octets are left for`,
    );
  }
  const file = entry.method === STORED ? packed : await inflateEntry(packed, limits);
  if (file.length !== entry.octets) throw refusal('an entry is not as long as it says');
  if (crc32(file) !== entry.crc) throw refusal('an entry is damaged: its checksum is another');
  return file;
}

async function inflateEntry(packed: Uint8Array, limits: UnpackLimits): Promise<Uint8Array> {
  const { octets, needed } = await decompressPart('raw', packed, limits);
  if (needed !== packed.length) throw refusal('something stands behind the end of an entry');
  return octets;
}

function isNoContent(name: string): boolean {
  return name.endsWith('/') || name.startsWith('__MACOSX/') || /(^|\/)\.DS_Store$/.test(name);
}

function refusal(why: string): FeedFailure {
  return new FeedFailure('decompress', `zip archive: ${why}`);
}
