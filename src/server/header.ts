import { HEADER_OCTETS, RCODE } from '../dns/index.ts';

// RFC 1035 section 4.1.1; the header is all of a message that the server itself looks at.
const QR = 0x80;
const OPCODE_MASK = 0x78;
const RD = 0x01;

/** Long enough to be answered, and not a response: a server that answers responses can be made to loop. */
export function isQuery(message: Uint8Array): boolean {
  return message.length >= HEADER_OCTETS && (message[2] & QR) === 0;
}

/** Id and flags of a query, for an answer that may be needed after the query's octets are gone. */
export function queryHead(query: Uint8Array): number {
  return (query[0] << 16) | (query[1] << 8) | query[2];
}

/**
 * SERVFAIL with the query's id, opcode and RD (RFC 1035 section 4.1.1) and no question, which the
 * server has not read.
 */
export function serverFailure(head: number): Uint8Array {
  const answer = new Uint8Array(HEADER_OCTETS);
  answer[0] = head >> 16;
  answer[1] = head >> 8;
  answer[2] = QR | (head & (OPCODE_MASK | RD));
  answer[3] = RCODE.SERVFAIL;
  return answer;
}
