import { readUint32, writeUint32 } from '../dns/octets.ts';
import type { IpDiff } from './ip-content.ts';
import type { PrefixDiff } from './ip-pages.ts';
import { type AddressWords, createPrefixCollector, type PrefixRows } from './prefix-rows.ts';
import type { RpzMove, RpzState } from './rpz-content.ts';
import type { Revision } from './snapshot.ts';

type Diff = Revision['diff'];

/** As databases of version 1 have it: ids of four octets, the high one first. */
const RPZ_FORMAT_1 = 1;
const IP_FORMAT = 2;
/** Ids as they lie in memory, little-endian: a copy instead of a loop. */
const RPZ_FORMAT = 3;
const HEADER_OCTETS = 9;
const MOVE_HEADER_OCTETS = 12;

/** A revision's difference for the database, with its record counts in front. */
export function encodeRevision({
  diff,
  recordsRemoved,
  recordsAdded,
}: Pick<Revision, 'diff' | 'recordsRemoved' | 'recordsAdded'>): Uint8Array {
  const body = diff.kind === 'rpz' ? encodeMoves(diff.moves) : encodeLists(diff.lists);
  const bytes = new Uint8Array(HEADER_OCTETS + body.length);
  bytes[0] = diff.kind === 'rpz' ? RPZ_FORMAT : IP_FORMAT;
  writeUint32(bytes, 1, recordsRemoved);
  writeUint32(bytes, 5, recordsAdded);
  bytes.set(body, HEADER_OCTETS);
  return bytes;
}

export function decodeRevision(
  bytes: Uint8Array,
): Pick<Revision, 'diff' | 'recordsRemoved' | 'recordsAdded'> {
  const body = bytes.subarray(HEADER_OCTETS);
  const diff: Diff =
    bytes[0] === IP_FORMAT
      ? { kind: 'ip', lists: decodeLists(body) }
      : { kind: 'rpz', moves: decodeMoves(body, bytes[0] === RPZ_FORMAT_1) };
  return { diff, recordsRemoved: readUint32(bytes, 1), recordsAdded: readUint32(bytes, 5) };
}

/** Memory of a kept revision, in octets, near enough for a limit. */
export function revisionOctets({ diff }: Pick<Revision, 'diff'>): number {
  if (diff.kind === 'rpz') {
    return diff.moves.reduce((octets, { ids }) => octets + MOVE_HEADER_OCTETS + ids.length * 4, 0);
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
  const bytes = new Uint8Array(octets);
  let at = 0;
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
  const bytes = new Uint8Array(octets);
  let at = 0;
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
