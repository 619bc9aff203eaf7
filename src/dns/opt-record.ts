import {
  EDNS_VERSION,
  type EdnsOption,
  OPT_OCTETS,
  OPTION_OCTETS,
  optionsOctets,
  optTtl,
  writeOptions,
} from './edns.ts';
import { writeUint16, writeUint32 } from './octets.ts';
import { EDNS_OPTION, RRTYPE } from './registry.ts';

/** What is to be said in an OPT record. */
export interface EdnsFields {
  readonly udpPayloadSize: number;
  readonly version?: number;
  readonly dnssecOk?: boolean;
  readonly options?: readonly EdnsOption[];
  /**
   * Adds a padding option (RFC 7830) behind the others, so that the whole message has a multiple of
   * so many octets, or as many as it may have.
   */
  readonly paddingBlock?: number;
}

/** Octets of the record, its padding option empty. */
export function optOctets({ options = [], paddingBlock }: EdnsFields): number {
  return OPT_OCTETS + optionsOctets(options) + (paddingBlock === undefined ? 0 : OPTION_OCTETS);
}

/** The padding for a message that has so many octets without it, TSIG included, and may have `limit`. */
export function paddingOctets({ paddingBlock }: EdnsFields, octets: number, limit: number): number {
  if (paddingBlock === undefined) return 0;
  return Math.min(Math.ceil(octets / paddingBlock) * paddingBlock, limit) - octets;
}

/** Writes the record (RFC 6891 section 6.1.2) and returns the offset behind it. `rcode` is the whole one. */
export function writeOpt(
  into: Uint8Array,
  offset: number,
  fields: EdnsFields,
  more: { readonly rcode: number; readonly padding: number },
): number {
  const { udpPayloadSize, version = EDNS_VERSION, dnssecOk = false, options = [] } = fields;
  const { rcode, padding } = more;
  into[offset] = 0;
  let end = writeUint16(into, offset + 1, RRTYPE.OPT);
  end = writeUint16(into, end, udpPayloadSize);
  end = writeUint32(into, end, optTtl(rcode >>> 4, version, dnssecOk));
  end = writeUint16(into, end, optOctets(fields) - OPT_OCTETS + padding);
  end = writeOptions(into, end, options);
  return fields.paddingBlock === undefined ? end : writePadding(into, end, padding);
}

/** RFC 7830 section 3: the octets are zeros. */
function writePadding(into: Uint8Array, offset: number, octets: number): number {
  const start = writeUint16(into, writeUint16(into, offset, EDNS_OPTION.PADDING), octets);
  into.fill(0, start, start + octets);
  return start + octets;
}
