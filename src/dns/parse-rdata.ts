import { parseIpv4, parseIpv6 } from './address.ts';
import type { AplItem } from './apl.ts';
import { type Name, NameError, parseName, ROOT_NAME } from './name.ts';
import { decodeRdata, type Rdata, STRING_OCTETS_MAX } from './rdata.ts';
import { expandRdata } from './rdata-layout.ts';
import { RRTYPE, rrtypeName } from './registry.ts';
import { serial } from './serial.ts';

/** Why a text is no rdata of its type; the message is a sentence for people. */
export class RdataError extends Error {
  constructor(type: number, text: string, rule: string) {
    super(`${JSON.stringify(text.slice(0, 300))} is no ${rrtypeName(type)} rdata: ${rule}`);
    this.name = 'RdataError';
  }
}

/**
 * Reads rdata in presentation form (RFC 1035 section 5.1): A, AAAA, NS, CNAME, PTR, SOA, MX, TXT, APL,
 * ZONEMD, and every type in the form of RFC 3597 section 5. Names without a final dot are relative to
 * `origin`. Numbers are plain decimals; comments and parentheses belong to zone files and are not
 * read. Throws RdataError.
 */
export function parseRdata(type: number, text: string, origin: Name = ROOT_NAME): Rdata {
  const fields = splitFields(type, text);
  if (fields[0]?.quoted === false && fields[0].text === '\\#')
    return parseUnknown(type, text, fields);
  const reader: FieldReader = { type, text, origin, fields, next: 0 };
  const rdata = parseKnown(reader);
  if (reader.next < fields.length) throw new RdataError(type, text, 'too many fields');
  return rdata;
}

interface Field {
  readonly text: string;
  readonly quoted: boolean;
}

interface FieldReader {
  readonly type: number;
  readonly text: string;
  readonly origin: Name;
  readonly fields: readonly Field[];
  next: number;
}

function parseKnown(reader: FieldReader): Rdata {
  switch (reader.type) {
    case RRTYPE.A:
      return { type: 'A', address: readAddress(reader, parseIpv4) };
    case RRTYPE.AAAA:
      return { type: 'AAAA', address: readAddress(reader, parseIpv6) };
    case RRTYPE.NS:
      return { type: 'NS', target: readDomainName(reader) };
    case RRTYPE.CNAME:
      return { type: 'CNAME', target: readDomainName(reader) };
    case RRTYPE.PTR:
      return { type: 'PTR', target: readDomainName(reader) };
    case RRTYPE.SOA:
      return {
        type: 'SOA',
        mname: readDomainName(reader),
        rname: readDomainName(reader),
        serial: serial(readNumber(reader, UINT32_MAX)),
        refresh: readNumber(reader, UINT32_MAX),
        retry: readNumber(reader, UINT32_MAX),
        expire: readNumber(reader, UINT32_MAX),
        minimum: readNumber(reader, UINT32_MAX),
      };
    case RRTYPE.MX:
      return {
        type: 'MX',
        preference: readNumber(reader, UINT16_MAX),
        exchange: readDomainName(reader),
      };
    case RRTYPE.TXT:
      return { type: 'TXT', strings: readStrings(reader) };
    case RRTYPE.APL:
      return { type: 'APL', items: readAplItems(reader) };
    case RRTYPE.ZONEMD:
      return {
        type: 'ZONEMD',
        serial: serial(readNumber(reader, UINT32_MAX)),
        scheme: readNumber(reader, UINT8_MAX),
        hashAlgorithm: readNumber(reader, UINT8_MAX),
        digest: readDigest(reader),
      };
    default:
      throw new RdataError(reader.type, reader.text, 'this type is read in the form \\# only');
  }
}

const UINT8_MAX = 0xff;
const UINT16_MAX = 0xffff;
const UINT32_MAX = 0xffffffff;

function nextField(reader: FieldReader): Field {
  const field = reader.fields[reader.next];
  if (field === undefined) throw new RdataError(reader.type, reader.text, 'a field is missing');
  reader.next += 1;
  return field;
}

function readAddress(reader: FieldReader, parse: (text: string) => Uint8Array | null): Uint8Array {
  const address = parse(nextField(reader).text);
  if (address === null) throw new RdataError(reader.type, reader.text, 'it is no address');
  return address;
}

function readDomainName(reader: FieldReader): Name {
  try {
    return parseName(nextField(reader).text, reader.origin);
  } catch (error) {
    if (!(error instanceof NameError)) throw error;
    throw new RdataError(reader.type, reader.text, error.message);
  }
}

function readNumber(reader: FieldReader, max: number): number {
  const { text } = nextField(reader);
  if (!/^\d{1,10}$/.test(text) || Number(text) > max) {
    throw new RdataError(reader.type, reader.text, `${text} is no number from 0 to ${max}`);
  }
  return Number(text);
}

function readStrings(reader: FieldReader): Uint8Array[] {
  const strings = [unescapeString(reader, nextField(reader).text)];
  while (reader.next < reader.fields.length) {
    strings.push(unescapeString(reader, nextField(reader).text));
  }
  return strings;
}

/** The octets of a character-string; characters outside ASCII become UTF-8. */
function unescapeString(reader: FieldReader, text: string): Uint8Array {
  const octets: number[] = [];
  const unit = /\\(\d{3})|\\([^\d])|([^\\])/gsuy;
  while (unit.lastIndex < text.length) {
    const [, decimal, escaped, plain] = unit.exec(text) ?? [];
    if (decimal !== undefined && Number(decimal) <= 0xff) octets.push(Number(decimal));
    else if ((escaped ?? plain) !== undefined) octets.push(...utf8.encode(escaped ?? plain));
    else throw new RdataError(reader.type, reader.text, 'a bad escape');
  }
  if (octets.length > STRING_OCTETS_MAX) {
    throw new RdataError(reader.type, reader.text, 'a string is longer than 255 octets');
  }
  return Uint8Array.from(octets);
}

const utf8 = new TextEncoder();

function readAplItems(reader: FieldReader): AplItem[] {
  const items: AplItem[] = [];
  while (reader.next < reader.fields.length) items.push(readAplItem(reader));
  return items;
}

/** RFC 3123 section 5: `[!]afi:address/prefix`. */
function readAplItem(reader: FieldReader): AplItem {
  const match = /^(!?)([12]):([^/]+)\/(\d{1,3})$/.exec(nextField(reader).text);
  const family = match?.[2] === '1' ? 1 : 2;
  const address = match && (family === 1 ? parseIpv4(match[3]) : parseIpv6(match[3]));
  if (!match || !address || Number(match[4]) > 8 * address.length) {
    throw new RdataError(reader.type, reader.text, 'an item has the form [!]afi:address/prefix');
  }
  return { family, prefixLength: Number(match[4]), negated: match[1] === '!', address };
}

/** RFC 8976 section 2.3: hexadecimal digits, in any number of words. Section 2.2.4: 12 octets at least. */
function readDigest(reader: FieldReader): Uint8Array {
  let digits = '';
  while (reader.next < reader.fields.length) digits += nextField(reader).text;
  if (!/^([0-9a-f]{2}){12,}$/i.test(digits)) {
    throw new RdataError(reader.type, reader.text, 'a digest is 12 or more octets in hexadecimal');
  }
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

/** RFC 3597 section 5: `\#`, the length, then hex digits in any number of words. */
function parseUnknown(type: number, text: string, fields: readonly Field[]): Rdata {
  const digits = fields
    .slice(2)
    .map((field) => field.text)
    .join('');
  const length = Number(fields[1]?.text);
  if (!/^([0-9a-f]{2})*$/i.test(digits) || length !== digits.length / 2 || length > UINT16_MAX) {
    throw new RdataError(type, text, 'the form is \\# length hex-octets');
  }
  const bytes = Uint8Array.from(Buffer.from(digits, 'hex'));
  const rdata = decodeRdata(type, bytes, 0, bytes.length);
  // A name in these octets must be written out: a pointer would have nothing to point into.
  const expanded = expandRdata(type, bytes, 0, bytes.length);
  if (rdata === null || !expanded?.every((octet, i) => octet === bytes[i])) {
    throw new RdataError(type, text, 'the octets do not fit the type');
  }
  return rdata;
}

/** White space parts fields; a field may be in quotes; a backslash takes the next character along. */
function splitFields(type: number, text: string): Field[] {
  const fields: Field[] = [];
  const field = /[ \t]*(?:"((?:[^"\\]|\\.)*)"(?=[ \t]|$)|((?:[^" \t\\]|\\.)(?:[^ \t\\]|\\.)*))/gsuy;
  const trimmed = text.replace(/[ \t]+$/, '');
  while (field.lastIndex < trimmed.length) {
    const match = field.exec(trimmed);
    if (match === null) throw new RdataError(type, text, 'a quote or escape is not closed');
    fields.push({ text: match[1] ?? match[2], quoted: match[1] !== undefined });
  }
  return fields;
}
