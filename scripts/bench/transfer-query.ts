import {
  CLASS,
  createMessageWriter,
  type Name,
  parseName,
  RRTYPE,
  signRequest,
  type TsigKey,
  tsigOctets,
} from '../../src/dns/index.ts';

/** Serial and the four times, at the end of an SOA. */
const SOA_FIXED_OCTETS = 20;
const QUERY_OCTETS_MAX = 1_024;

/** A query for AXFR, or IXFR from a serial, with its length in front. */
export function transferQuery(zone: Name, from?: number): Uint8Array {
  const buffer = new Uint8Array(QUERY_OCTETS_MAX);
  return framed(buffer.subarray(0, writeQuery(buffer, zone, from)));
}

/** The same, signed; and the room that a signature with this key takes in an answer. */
export function signedTransferQuery(
  { zone, tsigKey }: { readonly zone: string; readonly tsigKey?: TsigKey },
  from?: number,
): { readonly query: Uint8Array; readonly tsigOctets: number } {
  if (tsigKey === undefined) throw new Error(`there is no key to ask for ${zone} with`);
  const buffer = new Uint8Array(QUERY_OCTETS_MAX);
  const { length } = signRequest({
    buffer,
    length: writeQuery(buffer, parseName(zone), from),
    key: tsigKey,
    nowSeconds: Math.floor(Date.now() / 1000),
  });
  return { query: framed(buffer.subarray(0, length)), tsigOctets: tsigOctets(tsigKey) };
}

/** A message with its length in front. */
export function framed(message: Uint8Array): Uint8Array {
  return Uint8Array.from([message.length >> 8, message.length & 0xff, ...message]);
}

function writeQuery(buffer: Uint8Array, zone: Name, from?: number): number {
  const writer = createMessageWriter(buffer);
  writer.start({ id: 9 });
  const type = from === undefined ? RRTYPE.AXFR : RRTYPE.IXFR;
  writer.question({ name: zone, type, class: CLASS.IN });
  if (from !== undefined) {
    // Two empty names, the serial and the times, of which only the serial is looked at.
    const rdata = new Uint8Array(2 + SOA_FIXED_OCTETS);
    new DataView(rdata.buffer).setUint32(2, from);
    writer.record('authority', { name: zone, type: RRTYPE.SOA, class: CLASS.IN, ttl: 0, rdata });
  }
  return writer.finish();
}
