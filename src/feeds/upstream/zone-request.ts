import {
  CLASS,
  createMessageWriter,
  encodeRdata,
  type Name,
  OPCODE,
  ROOT_NAME,
  RRTYPE,
  type Serial,
  signRequest,
  type TsigKey,
} from '../../dns/index.ts';

/** What is asked of the primary of an upstream zone. */
export interface ZoneRequest {
  readonly id: number;
  readonly zone: Name;
  readonly key: TsigKey | null;
  /** The serial that is held: then only what changed since is asked for. Null asks for the zone. */
  readonly have: Serial | null;
  readonly nowSeconds: number;
}

/** A request as it goes over TCP, its length in front; `mac` is what the answer is verified with. */
export interface WrittenRequest {
  readonly octets: Uint8Array;
  readonly mac: Uint8Array | null;
}

const REQUEST_OCTETS_MAX = 2_048;

/** RFC 1995 section 3: an IXFR query carries the SOA that is held; of it only the serial counts. */
export function writeZoneRequest(request: ZoneRequest): WrittenRequest {
  const { id, zone, key, have, nowSeconds } = request;
  const buffer = new Uint8Array(REQUEST_OCTETS_MAX);
  const writer = createMessageWriter(buffer);
  const type = have === null ? RRTYPE.AXFR : RRTYPE.IXFR;
  writer.start({ id, opcode: OPCODE.QUERY });
  writer.question({ name: zone, type, class: CLASS.IN });
  if (have !== null) {
    const rdata = encodeRdata({
      type: 'SOA',
      mname: ROOT_NAME,
      rname: ROOT_NAME,
      serial: have,
      refresh: 0,
      retry: 0,
      expire: 0,
      minimum: 0,
    });
    writer.record('authority', { name: zone, type: RRTYPE.SOA, class: CLASS.IN, ttl: 0, rdata });
  }
  const length = writer.finish();
  const signed = key === null ? null : signRequest({ buffer, length, key, nowSeconds });
  const message = buffer.subarray(0, signed?.length ?? length);
  const octets = Uint8Array.from([message.length >> 8, message.length & 0xff, ...message]);
  return { octets, mac: signed?.mac ?? null };
}
