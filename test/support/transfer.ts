import {
  createStreamVerifier,
  decodeRdata,
  isMalformed,
  type Message,
  type ResourceRecord,
  RRTYPE,
  readMessage,
  type TsigKey,
} from '../../src/dns/index.ts';
import type { Query } from './dns-query.ts';

/** What came back for an AXFR or IXFR query. */
export interface Transfer {
  readonly messages: readonly Message[];
  /** Octets of each message, without its length. */
  readonly sizes: readonly number[];
  /** The answer records of all messages. */
  readonly records: readonly ResourceRecord[];
  readonly rcode: number;
}

/** Reads one message; throws when the server sent something that is none. */
export function readAnswer(bytes: Uint8Array): Message {
  const message = readMessage(bytes);
  if (isMalformed(message)) throw new Error(`the server sent no message: ${message.reason}`);
  return message;
}

/** Whether the records so far are a whole transfer, so that a client stops reading. */
export function isWhole(records: readonly ResourceRecord[], wasIncremental: boolean): boolean {
  const last = records.at(-1);
  if (last?.type !== RRTYPE.SOA) return false;
  // An answer of one SOA says that there is nothing newer (RFC 1995 section 4).
  if (records.length === 1) return wasIncremental;
  const current = serialIn(records[0]);
  const seen = records.filter(
    (record) => record.type === RRTYPE.SOA && serialIn(record) === current,
  );
  // The full form ends with the SOA's second coming, the incremental one with its third.
  return seen.length === (records[1].type === RRTYPE.SOA ? 3 : 2);
}

/** Puts the messages of one answer together; throws when a signed one does not verify. */
export function assembleTransfer(
  query: Query,
  octets: readonly Uint8Array[],
  nowSeconds: number,
): Transfer {
  const messages = octets.map(readAnswer);
  if (query.key !== null && messages[0]?.rcode === 0) {
    verifyAll(query as Query & { key: TsigKey }, octets, nowSeconds);
  }
  return {
    messages,
    sizes: octets.map(({ length }) => length),
    records: messages.flatMap(({ answers }) => answers),
    rcode: messages[0]?.rcode ?? -1,
  };
}

export function serialIn(soa: ResourceRecord): number {
  const rdata = decodeRdata(soa.type, soa.rdata, 0, soa.rdata.length);
  if (rdata?.type !== 'SOA') throw new Error('a record that should be an SOA is none');
  return rdata.serial;
}

function verifyAll(
  { key, mac }: Query & { key: TsigKey },
  octets: readonly Uint8Array[],
  nowSeconds: number,
): void {
  const verifier = createStreamVerifier({ key, requestMac: mac, nowSeconds: () => nowSeconds });
  for (const [index, bytes] of octets.entries()) {
    const verdict = verifier.accept({ bytes, message: readAnswer(bytes) });
    // Sluice signs every message: some clients insist on it.
    if (verdict.kind !== 'valid') {
      throw new Error(`message ${index + 1} of ${octets.length}: TSIG ${JSON.stringify(verdict)}`);
    }
  }
}
