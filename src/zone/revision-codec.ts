import { readUint32, writeUint32 } from '../dns/octets.ts';
import type { CatalogDiff } from './catalog-content.ts';
import type { IpDiff } from './ip-content.ts';
import {
  type AddressWords,
  createPrefixCollector,
  type PrefixDiff,
  type PrefixRows,
} from './prefix-rows.ts';
import type { RpzMove, RpzState } from './rpz-content.ts';
import type { Revision } from './snapshot.ts';

type Diff = Revision['diff'];

/** As databases of version 1 have it: ids of four octets, the high one first. */
const RPZ_FORMAT_1 = 1;
const IP_FORMAT = 2;
/** Ids as they lie in memory, little-endian: a copy instead of a loop. */
const RPZ_FORMAT = 3;
/** Members of a catalog zone, as JSON: few, and seldom. */
const CATALOG_FORMAT = 4;
const HEADER_OCTETS = 9;
const MOVE_HEADER_OCTETS = 12;
/** What a member of a catalog takes in memory, near enough. */
const MEMBER_OCTETS = 200;

/** A revision's difference for the database, with its record counts in front. */
export function encodeRevision({
  diff,
  recordsRemoved,
  recordsAdded,
}: Pick<Revision, 'diff' | 'recordsRemoved' | 'recordsAdded'>): Uint8Array {
  const bytes = encodeDiff(diff);
  bytes[0] = FORMATS[diff.kind];
  writeUint32(bytes, 1, recordsRemoved);
  writeUint32(bytes, 5, recordsAdded);
  return bytes;
}

export function decodeRevision(
  bytes: Uint8Array,
): Pick<Revision, 'diff' | 'recordsRemoved' | 'recordsAdded'> {
  const body = bytes.subarray(HEADER_OCTETS);
  const diff = decodeDiff(bytes[0], body);
  return { diff, recordsRemoved: readUint32(bytes, 1), recordsAdded: readUint32(bytes, 5) };
}

const FORMATS: Readonly<Record<Diff['kind'], number>> = {
  rpz: RPZ_FORMAT,
  ip: IP_FORMAT,
  catalog: CATALOG_FORMAT,
};

/** With room for the header in front: the difference may be of megabytes. */
function encodeDiff(diff: Diff): Uint8Array {
  switch (diff.kind) {
    case 'rpz':
      return encodeMoves(diff.moves);
    case 'ip':
      return encodeLists(diff.lists);
    case 'catalog':
      return encodeText(JSON.stringify(diff.members));
  }
}

function encodeText(text: string): Uint8Array {
  const octets = Buffer.from(text);
  const bytes = new Uint8Array(HEADER_OCTETS + octets.length);
  bytes.set(octets, HEADER_OCTETS);
  return bytes;
}

function decodeDiff(format: number, body: Uint8Array): Diff {
  if (format === IP_FORMAT) return { kind: 'ip', lists: decodeLists(body) };
  if (format === CATALOG_FORMAT) {
    const members = JSON.parse(Buffer.from(body).toString()) as CatalogDiff;
    return { kind: 'catalog', members };
  }
  return { kind: 'rpz', moves: decodeMoves(body, format === RPZ_FORMAT_1) };
}

/** Memory of a kept revision, in octets, near enough for a limit. */
export function revisionOctets({ diff }: Pick<Revision, 'diff'>): number {
  if (diff.kind === 'rpz') {
    return diff.moves.reduce((octets, { ids }) => octets + MOVE_HEADER_OCTETS + ids.length * 4, 0);
  }
  if (diff.kind === 'catalog') {
    const { removed, added } = diff.members;
    return (removed.length + added.length) * MEMBER_OCTETS;
  }
  const { v4, v6, hosts4, hosts6 } = diff.lists;
  return [v4, v6, hosts4, hosts6].reduce(
    (octets, { removed, added }) => octets + (removed.count + added.count) * (added.words * 4 + 1),
    0,
  );
}

/** Per move: old state, new state, number of ids (4 octets each), then the ids. */
function encodeMoves(moves: readonly RpzMove[]): Uint8Array {
  const octets = moves.reduce((sum, { ids }) => sum + MOVE_HEADER_OCTETS + ids.length * 4, 0);
  const bytes = new Uint8Array(HEADER_OCTETS + octets);
  let at = HEADER_OCTETS;
  for (const { from, to, ids } of moves) {
    at = writeUint32(bytes, at, from);
    at = writeUint32(bytes, at, to);
    at = writeUint32(bytes, at, ids.length);
    bytes.set(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength), at);
    at += ids.byteLength;
  }
  return bytes;
}

function decodeMoves(bytes: Uint8Array, isFirstFormat: boolean): RpzMove[] {
  const moves: RpzMove[] = [];
  for (let at = 0; at < bytes.length; ) {
    const from = readUint32(bytes, at) as RpzState;
    const to = readUint32(bytes, at + 4) as RpzState;
    const count = readUint32(bytes, at + 8);
    at += MOVE_HEADER_OCTETS;
    const octets = Uint8Array.from(bytes.subarray(at, at + count * 4));
    const ids = new Uint32Array(octets.buffer);
    if (isFirstFormat)
      for (let index = 0; index < count; index++) ids[index] = readUint32(octets, index * 4);
    moves.push({ from, to, ids });
    at += count * 4;
  }
  return moves;
}

/** The eight lists of prefixes, each led by its number, then what the count of left-out hosts rises by. */
function encodeLists({ v4, v6, hosts4, hosts6, leftOut }: IpDiff): Uint8Array {
  const lists = [v4, v6, hosts4, hosts6].flatMap(({ removed, added }) => [removed, added]);
  const octets = lists.reduce((sum, { count, words }) => sum + 4 + count * (1 + words * 4), 4);
  const bytes = new Uint8Array(HEADER_OCTETS + octets);
  let at = HEADER_OCTETS;
  for (const rows of lists) {
    at = writeUint32(bytes, at, rows.count);
    for (let index = 0; index < rows.count; index++) {
      bytes[at++] = rows.lengths[index];
      for (let word = 0; word < rows.words; word++) {
        at = writeUint32(bytes, at, rows.addresses[index * rows.words + word]);
      }
    }
  }
  writeUint32(bytes, at, leftOut >>> 0);
  return bytes;
}

function decodeLists(bytes: Uint8Array): IpDiff {
  let at = 0;
  const rows = (words: AddressWords): PrefixRows => {
    const collector = createPrefixCollector(words);
    const address = new Uint32Array(words);
    const count = readUint32(bytes, at);
    at += 4;
    for (let index = 0; index < count; index++) {
      const length = bytes[at++];
      for (let word = 0; word < words; word++, at += 4) address[word] = readUint32(bytes, at);
      collector.add(address, 0, length);
    }
    return collector.finish();
  };
  const diff = (words: AddressWords): PrefixDiff => ({ removed: rows(words), added: rows(words) });
  const [v4, v6, hosts4, hosts6] = [diff(1), diff(4), diff(1), diff(4)];
  // Stored as two's complement: the count may fall.
  return { v4, v6, hosts4, hosts6, leftOut: readUint32(bytes, at) | 0 };
}
