import { countPlainRecords } from '../zone/plain-records.ts';
import { estimateDiffOctets, estimateRuleOctets } from '../zone/rpz-records.ts';
import type { Revision, ZoneSnapshot } from '../zone/snapshot.ts';
import { TRANSFER_PIECE_OCTETS } from './handler-port.ts';
import type { TransferPlan } from './transfer.ts';

/**
 * Whether a transfer is expected to fit into about one piece, so that it need not wait behind long
 * ones. An estimate from counts: nothing is encoded for it, and the sum ends with the first
 * revision that makes it too much.
 */
export function isShortTransfer(zone: ZoneSnapshot, plan: TransferPlan): boolean {
  switch (plan.kind) {
    case 'current':
      return true;
    case 'full':
      return zoneOctets(zone) <= TRANSFER_PIECE_OCTETS;
    case 'changes': {
      let octets = 0;
      for (const revision of plan.revisions) {
        octets += revisionOctets(zone, revision);
        if (octets > TRANSFER_PIECE_OCTETS) return false;
      }
      return true;
    }
  }
}

/** An owner of a rule, relative to the zone, takes about this much. */
const RULE_OWNER_OCTETS = 18;

/** A record of an IP or catalog zone, a bucket of prefixes as a rule, takes about this much. */
const IP_RECORD_OCTETS = 150;

function zoneOctets({ body }: ZoneSnapshot): number {
  return body.kind === 'rpz'
    ? estimateRuleOctets(body.content, body.rendering, RULE_OWNER_OCTETS)
    : countPlainRecords(body) * IP_RECORD_OCTETS;
}

function revisionOctets({ body }: ZoneSnapshot, revision: Revision): number {
  const { diff, recordsRemoved, recordsAdded } = revision;
  return diff.kind === 'rpz' && body.kind === 'rpz'
    ? estimateDiffOctets(diff.moves, body.rendering, RULE_OWNER_OCTETS)
    : (recordsRemoved + recordsAdded) * IP_RECORD_OCTETS;
}
