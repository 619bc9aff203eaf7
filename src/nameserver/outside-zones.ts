import type { Question } from '../dns/message.ts';
import { isWithin, lowerCaseName } from '../dns/name.ts';
import { RCODE, RRTYPE } from '../dns/registry.ts';
import { soaRrset } from '../zone/apex.ts';
import { negativeSoa } from './negative-soa.ts';
import { NOT_AUTHORITATIVE, NOT_OURS, type Outcome, PROHIBITED } from './outcome.ts';
import type { Request } from './request.ts';

/** A name that is in no zone, and whether someone who expects a zone there should be told of. */
export interface OutsideZones {
  readonly outcome: Outcome;
  readonly isMissed: boolean;
}

/**
 * Below the root but in no zone: a device learns that the policy does not exist, a stranger nothing.
 * There is no zone of the root to take a SOA from, so one is made of what all zones share.
 */
export function outsideZones(
  { directory, requester }: Request,
  question: Question,
  isTransfer: boolean,
): OutsideZones {
  const { root } = directory;
  const isOurs = isWithin(lowerCaseName(question.name), root.origin);
  if (!isOurs) return { outcome: NOT_OURS, isMissed: false };
  if (!directory.isKnown(requester)) return { outcome: PROHIBITED, isMissed: true };
  // RFC 5936 section 2.2.1: a server that does not have the zone says so by this code.
  if (isTransfer) return { outcome: NOT_AUTHORITATIVE, isMissed: true };
  const isSoa = question.type === RRTYPE.SOA;
  if (isSoa && question.name.length === root.origin.length) {
    // The negative answers below name this SOA, so it has to be there for those who ask.
    const rrsets = [soaRrset(root, directory.highestSerial())];
    const answer = { owner: question.name, rrsets };
    return { outcome: { rcode: RCODE.NOERROR, authoritative: true, answer }, isMissed: false };
  }
  const isAboveZones = directory.hasZoneBelow(question.name);
  return {
    outcome: {
      rcode: isAboveZones ? RCODE.NOERROR : RCODE.NXDOMAIN,
      authoritative: true,
      authority: { owner: root.origin, soa: negativeSoa(root, directory.highestSerial()) },
    },
    // Secondaries ask for the SOA before they ask for the zone.
    isMissed: isSoa && !isAboveZones,
  };
}
