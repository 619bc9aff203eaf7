import { HEADER_OCTETS } from '../../src/dns/header.ts';
import {
  CLASS,
  createMessageWriter,
  type EdnsFields,
  encodeRdata,
  OPCODE,
  parseName,
  ROOT_NAME,
  RRTYPE,
  serial,
  signRequest,
  type TsigKey,
} from '../../src/dns/index.ts';

export interface QueryOptions {
  readonly id?: number;
  readonly class?: number;
  readonly opcode?: number;
  readonly recursionDesired?: boolean;
  readonly edns?: Partial<EdnsFields>;
  /** The serial of the client's copy, which goes into the authority section (RFC 1995 section 3). */
  readonly have?: number;
  /** Signs the query, by default as of now. */
  readonly key?: TsigKey;
  readonly nowSeconds?: number;
}

/** A query ready to be sent. */
export interface Query {
  readonly id: number;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly key: TsigKey | null;
  /** What the answer's signature begins with; empty when the query is unsigned. */
  readonly mac: Uint8Array;
}

const QUERY_OCTETS_MAX = 1_500;
let lastId = 0;

/** A query for one question; `name` in presentation form, its case kept, `type` by name or number. */
export function makeQuery(
  name: string,
  type: keyof typeof RRTYPE | number,
  options: QueryOptions = {},
): Query {
  lastId = (lastId + 1) & 0xffff;
  const { id = lastId, opcode = OPCODE.QUERY, recursionDesired = false, key = null } = options;
  const buffer = new Uint8Array(QUERY_OCTETS_MAX);
  const writer = createMessageWriter(buffer);
  const question = { name: parseName(name), type: typeof type === 'number' ? type : RRTYPE[type] };
  writer.start({ id, opcode, recursionDesired });
  writer.question({ ...question, class: options.class ?? CLASS.IN });
  if (options.have !== undefined) {
    const { name } = question;
    const rdata = soaOf(options.have);
    writer.record('authority', { name, type: RRTYPE.SOA, class: CLASS.IN, ttl: 0, rdata });
  }
  if (options.edns !== undefined) writer.edns({ udpPayloadSize: 1232, ...options.edns });
  const length = writer.finish();
  if (key === null) return { id, name, bytes: buffer.slice(0, length), key, mac: NO_MAC };
  const nowSeconds = options.nowSeconds ?? Math.floor(Date.now() / 1000);
  const signed = signRequest({ buffer, length, key, nowSeconds });
  return { id, name, bytes: buffer.slice(0, signed.length), key, mac: signed.mac };
}

/** A message of nothing but a header. */
export function makeHeader(fields: { readonly id: number; readonly flags?: number }): Uint8Array {
  const bytes = new Uint8Array(HEADER_OCTETS);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, fields.id);
  view.setUint16(2, fields.flags ?? 0);
  return bytes;
}

const NO_MAC = new Uint8Array(0);

function soaOf(value: number): Uint8Array {
  return encodeRdata({
    type: 'SOA',
    mname: ROOT_NAME,
    rname: ROOT_NAME,
    serial: serial(value),
    refresh: 0,
    retry: 0,
    expire: 0,
    minimum: 0,
  });
}
