import {
  formatName,
  formatRdata,
  lowerCaseName,
  nameKey,
  type ResourceRecord,
  RRTYPE,
  rrtypeName,
} from '../../src/dns/index.ts';
import { serialIn } from './transfer.ts';

/** A zone as a client holds it: every record once, the SOA included. */
export interface ZoneImage {
  readonly serial: number;
  readonly records: ReadonlyMap<string, ResourceRecord>;
}

/** `owner ttl type rdata`, the owner in lower case. */
export function recordText({ name, ttl, type, rdata }: ResourceRecord): string {
  const owner = formatName(lowerCaseName(name));
  return `${owner} ${ttl} ${rrtypeName(type)} ${formatRdata(type, rdata)}`;
}

/** Equal for equal records; the case of the owner does not count. Not for people, but quick. */
function recordKey({ name, ttl, type, rdata }: ResourceRecord): string {
  const octets = Buffer.from(rdata.buffer, rdata.byteOffset, rdata.length).toString('latin1');
  return `${nameKey(name)} ${ttl} ${type} ${octets}`;
}

/** What an answer to an IXFR query turned out to be (RFC 1995 section 4). */
export type TransferForm = 'current' | 'full' | 'changes';

export function formOf(records: readonly ResourceRecord[]): TransferForm {
  if (records.length === 1) return 'current';
  return records[1].type === RRTYPE.SOA ? 'changes' : 'full';
}

/** The zone that an AXFR carries; throws unless it begins and ends with the same SOA and repeats nothing else. */
export function imageOfAxfr(records: readonly ResourceRecord[]): ZoneImage {
  const [first, ...rest] = records;
  const last = rest.pop();
  if (first?.type !== RRTYPE.SOA || last === undefined || recordKey(first) !== recordKey(last)) {
    throw new Error('an AXFR begins and ends with the SOA of the zone');
  }
  const held = new Map<string, ResourceRecord>();
  for (const record of [first, ...rest]) addOnce(held, record);
  return { serial: serialIn(first), records: held };
}

/**
 * The zone after an answer to IXFR, whatever its form. Throws when a change removes what is not
 * there or adds what is, does not begin at the image's serial, or leaves the SOA out of place.
 */
export function followIxfr(image: ZoneImage, records: readonly ResourceRecord[]): ZoneImage {
  switch (formOf(records)) {
    case 'current':
      return image;
    case 'full':
      return imageOfAxfr(records);
    case 'changes':
      return applyChanges(image, records);
  }
}

/** RFC 1995 section 4: SOA, then for each step the old SOA, what goes, the new SOA, what comes; the SOA. */
function applyChanges(image: ZoneImage, records: readonly ResourceRecord[]): ZoneImage {
  const held = new Map(image.records);
  const [target, ...body] = records;
  const last = body.pop();
  if (last === undefined || recordKey(last) !== recordKey(target)) {
    throw new Error('an IXFR ends with the SOA that it begins with');
  }
  let at = image.serial;
  let isAdding = true;
  for (const record of body) {
    if (record.type === RRTYPE.SOA) {
      isAdding = !isAdding;
      if (!isAdding && serialIn(record) !== at) {
        throw new Error(`a step begins at ${serialIn(record)}, the client is at ${at}`);
      }
      at = serialIn(record);
    }
    if (isAdding) addOnce(held, record);
    else if (!held.delete(recordKey(record))) {
      throw new Error(`removed, but not there: ${recordText(record)}`);
    }
  }
  if (!isAdding || !held.has(recordKey(target))) {
    throw new Error('an IXFR ends in the middle of a step');
  }
  return { serial: at, records: held };
}

function addOnce(held: Map<string, ResourceRecord>, record: ResourceRecord): void {
  const key = recordKey(record);
  if (held.has(key)) throw new Error(`added, but there already: ${recordText(record)}`);
  held.set(key, record);
}

/** Records of one image that the other has not, as texts: both lists are empty for equal images. */
export function compareImages(first: ZoneImage, second: ZoneImage) {
  const without = (a: ZoneImage, b: ZoneImage): string[] =>
    [...a.records].filter(([key]) => !b.records.has(key)).map(([, record]) => recordText(record));
  return { missing: without(second, first), surplus: without(first, second) };
}

export const SAME_IMAGE = { missing: [], surplus: [] };
