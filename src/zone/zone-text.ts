import { formatRdata } from '../dns/format-rdata.ts';
import { concatName, formatName, type Name, ROOT_NAME } from '../dns/name.ts';
import { readUint16, readUint32 } from '../dns/octets.ts';
import { rrtypeName } from '../dns/registry.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import { visitIds } from '../indicators/id-set.ts';
import { type ActionNumber, NO_ACTION } from '../policy/verdicts.ts';
import { apexRrsets, soaRrset, type ZoneApex } from './apex.ts';
import { plainRrsets } from './plain-records.ts';
import type { PositionedRecord, RelativeRrset } from './records.ts';
import { belowAction, type RpzContent, selfAction } from './rpz-content.ts';
import type { RpzRendering } from './rpz-rendering.ts';

/** Octets of one piece: a slice of one to two milliseconds. */
const CHUNK_OCTETS = 64 * 1024;

/** A zone with one serial: a snapshot is one, and so is a snapshot with the body and digest of an older serial. */
export type ZoneTextSource = ZoneApex;

/**
 * Gives room for at least so many octets. Who takes each piece away before it asks for the next may
 * give the same room again: a large zone is then written without a heap of garbage.
 */
export type NewChunk = (octets: number) => Uint8Array;

/**
 * The zone as a zone file (RFC 1035 section 5), in pieces of about 64 KB of ASCII: what an AXFR gives
 * at that serial. Owners are relative to `$ORIGIN`; no two zones of one content differ below it.
 */
export function* zoneText(
  zone: ZoneTextSource,
  catalogue: Catalogue,
  newChunk: NewChunk = (octets) => new Uint8Array(octets),
): Generator<Uint8Array> {
  const { settings, body } = zone;
  yield ascii(headerOf(zone));
  if (body.kind === 'rpz') yield* ruleChunks(body.content, body.rendering, catalogue, newChunk);
  else yield* rrsetChunks(plainRrsets(body, settings.origin));
}

/**
 * Single records as lines of a zone file, without line ends: `evil.example 300 IN CNAME .`. With an
 * origin the owners are absolute, so that a line stands by itself; with null they are relative to
 * the zone, and `@` at its apex. Takes what `removedRecords`, `removedIpRecords` and `recordsOf` give.
 */
export function* recordLines(
  records: Iterable<PositionedRecord>,
  origin: Name | null,
): Generator<string> {
  for (const { labels, tail } of records) {
    const type = readUint16(tail, 0);
    const owner = origin === null ? relativeOwner(labels) : formatName(concatName(labels, origin));
    yield `${owner} ${readUint32(tail, TTL_AT)} IN ${dataOf(type, tail.subarray(RDATA_AT))}`;
  }
}

/** The first `max` of the records as lines of a zone file. */
export function sampleLines(
  records: Iterable<PositionedRecord>,
  origin: Name | null,
  max: number,
): string[] {
  return recordLines(records, origin).take(max).toArray();
}

/** In a record's tail: type, class, TTL, length, rdata. */
const TTL_AT = 4;
const RDATA_AT = 10;

/** RFC 2308 section 4: `$TTL` is the TTL of the records after it that state none. */
function headerOf(zone: ZoneTextSource): string {
  const { settings, serial, body } = zone;
  const ttl = body.kind === 'rpz' ? body.rendering.ttl : body.ttl;
  const apex = [soaRrset(settings, serial), ...apexRrsets(zone)];
  const records = apex.flatMap(({ type, rdatas }) =>
    rdatas.map((rdata) => `@ IN ${dataOf(type, rdata)}`),
  );
  return `${[
    `$ORIGIN ${formatName(settings.origin)}`,
    `$TTL ${settings.apexTtl}`,
    ...records,
    `$TTL ${ttl}`,
  ].join('\n')}\n`;
}

/** Type and rdata. Empty rdata is written as in RFC 3597 section 5, which every reader knows. */
function dataOf(type: number, rdata: Uint8Array): string {
  return `${rrtypeName(type)} ${rdata.length === 0 ? '\\# 0' : formatRdata(type, rdata)}`;
}

function relativeOwner(labels: Uint8Array): string {
  return labels.length === 0 ? '@' : formatName(concatName(labels, ROOT_NAME)).slice(0, -1);
}

function* rrsetChunks(rrsets: Iterable<RelativeRrset>): Generator<Uint8Array> {
  let text = '';
  for (const { labels, type, rdatas } of rrsets) {
    const owner = relativeOwner(labels);
    for (const rdata of rdatas) {
      text += `${owner} ${dataOf(type, rdata)}\n`;
      if (text.length < CHUNK_OCTETS) continue;
      yield ascii(text);
      text = '';
    }
  }
  if (text !== '') yield ascii(text);
}

/** All rules of a zone, by state and then by id. Per rule nothing is allocated and no text made. */
function* ruleChunks(
  content: RpzContent,
  rendering: RpzRendering,
  catalogue: Catalogue,
  newChunk: NewChunk,
): Generator<Uint8Array> {
  let chunk = newChunk(CHUNK_OCTETS);
  let at = 0;
  for (const [state, ids] of content) {
    const self = dataLines(selfAction(state), rendering);
    const below = dataLines(belowAction(state), rendering);
    const fixedOctets = [...self, ...below].reduce((sum, data) => sum + data.length + 2, 0);
    const lines = self.length + below.length;
    let isDone = ids.size === 0;
    for (let from = 0; !isDone; ) {
      isDone = true;
      visitIds(
        ids,
        (id) => {
          const octetsMax = lines * catalogue.ownerLength(id) * ESCAPED_OCTETS_MAX + fixedOctets;
          if (at + octetsMax > chunk.length) {
            if (at > 0) {
              from = id;
              isDone = false;
              return false;
            }
            // One rule with long local data may be larger than a chunk by itself.
            chunk = newChunk(octetsMax);
          }
          for (const data of self) at = copy(chunk, writeOwner(chunk, at, catalogue, id), data);
          for (const data of below) {
            chunk[at++] = STAR;
            if (catalogue.ownerLength(id) > 0) chunk[at++] = DOT;
            at = copy(chunk, writeOwner(chunk, at, catalogue, id), data);
          }
          return true;
        },
        from,
      );
      if (isDone) break;
      yield chunk.subarray(0, at);
      chunk = newChunk(CHUNK_OCTETS);
      at = 0;
    }
  }
  if (at > 0) yield chunk.subarray(0, at);
}

/** What follows an owner: ` CNAME .` and the end of the line, once for each record of the action. */
function dataLines(action: ActionNumber, rendering: RpzRendering): readonly Uint8Array[] {
  if (action === NO_ACTION) return [];
  const { records } = rendering.rendered(action);
  return records.map(({ type, rdata }) => ascii(` ${dataOf(type, rdata)}\n`));
}

const STAR = 0x2a;
const DOT = 0x2e;
/** `\DDD`. */
const ESCAPED_OCTETS_MAX = 4;

/** Every octet of a label in presentation form (RFC 4343 section 2.1). */
const PRESENTATION = Array.from({ length: 256 }, (_, octet) =>
  ascii(formatName(Uint8Array.of(1, octet, 0) as Name).slice(0, -1)),
);
/** Octets that stand for themselves, which nearly all do. */
const IS_PLAIN = Uint8Array.from(PRESENTATION, (text) => (text.length === 1 ? 1 : 0));

/** Writes labels with dots between them and returns where the next octet goes. */
function writeOwner(into: Uint8Array, start: number, catalogue: Catalogue, id: number): number {
  const block = catalogue.ownerBlock(id);
  const from = catalogue.ownerOffset(id);
  const to = from + catalogue.ownerLength(id);
  let at = start;
  for (let label = from; label < to; label += block[label] + 1) {
    if (label > from) into[at++] = DOT;
    const end = label + 1 + block[label];
    for (let index = label + 1; index < end; index++) {
      const octet = block[index];
      if (IS_PLAIN[octet] === 1) into[at++] = octet;
      else at = copy(into, at, PRESENTATION[octet]);
    }
  }
  return at;
}

function copy(into: Uint8Array, at: number, octets: Uint8Array): number {
  for (let index = 0; index < octets.length; index++) into[at + index] = octets[index];
  return at + octets.length;
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
