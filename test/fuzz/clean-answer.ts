import { isMalformed, RCODE, rcodeName, readMessage } from '../../src/dns/index.ts';

/** What a healthy server says to whatever it is sent. SERVFAIL is not among it. */
const CLEAN_RCODES: readonly number[] = [
  RCODE.NOERROR,
  RCODE.FORMERR,
  RCODE.NXDOMAIN,
  RCODE.NOTIMP,
  RCODE.REFUSED,
  RCODE.NOTAUTH,
  RCODE.BADVERS,
  RCODE.BADCOOKIE,
];

/** Why an answer is none that a client could be glad of; null for a clean one. */
export function faultOf(answer: Uint8Array, idsAsked: ReadonlySet<number>): string | null {
  const message = readMessage(answer);
  if (isMalformed(message)) return `no message: ${message.reason}`;
  if (!message.isResponse) return 'QR is clear';
  if (!idsAsked.has(message.id)) return `nobody asked with id ${message.id}`;
  if (message.recursionAvailable) return 'RA is set';
  if (!CLEAN_RCODES.includes(message.rcode)) return `RCODE ${rcodeName(message.rcode)}`;
  return null;
}

export const idOf = (packet: Uint8Array): number => (packet[0] << 8) | packet[1];
