import { compareSerials, isNewerSerial, type Serial } from '../dns/serial.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import { apexRrsets, soaRrset } from '../zone/apex.ts';
import { applyIpDiff, composeIpDiffs, invertIpDiff } from '../zone/ip-content.ts';
import { countIpRecords, ipRrsets, removedIpRecords } from '../zone/ip-records.ts';
import { type PositionedRecord, recordsOf } from '../zone/records.ts';
import { composeRpzDiffs, invertRpzDiff } from '../zone/rpz-content.ts';
import { estimateDiffOctets, estimateRuleOctets, removedRecords } from '../zone/rpz-records.ts';
import { type Revision, revisionsSince, type ZoneSnapshot } from '../zone/snapshot.ts';
import type { Difference, DifferenceCache } from './difference-cache.ts';
import type { FrameCache } from './frame-cache.ts';
import { framesPart, recordsPart, type TransferPart } from './transfer-parts.ts';

/** How a transfer request is answered. */
export type TransferPlan =
  /** The client has it all: the SOA alone says so (RFC 1995 section 4). */
  | { readonly kind: 'current' }
  | { readonly kind: 'full' }
  | { readonly kind: 'changes'; readonly from: Serial; readonly revisions: readonly Revision[] };

/** Whether a client gets the changes since its serial, or the zone: one decision for all transports. */
export function planTransfer(snapshot: ZoneSnapshot, clientSerial: Serial | null): TransferPlan {
  if (clientSerial === null) return { kind: 'full' };
  const order = compareSerials(clientSerial, snapshot.serial);
  // RFC 1995 section 2: a client at the server's serial or beyond it gets the SOA and nothing else.
  if (order === 0 || isNewerSerial(clientSerial, snapshot.serial)) return { kind: 'current' };
  const revisions = revisionsSince(snapshot, clientSerial);
  if (revisions === null || isTooLong(revisions) || outweighsZone(snapshot, revisions)) {
    return { kind: 'full' };
  }
  return { kind: 'changes', from: clientSerial, revisions };
}

/** What transfers are made from, beside the snapshot itself. */
export interface TransferSources {
  readonly catalogue: Catalogue;
  readonly frames: FrameCache;
  readonly differences: DifferenceCache;
}

/** The records of a transfer, as parts that fill messages. */
export function transferParts(
  snapshot: ZoneSnapshot,
  plan: TransferPlan,
  sources: TransferSources,
): TransferPart[] {
  const { catalogue, frames } = sources;
  const { settings, serial, body } = snapshot;
  const soa = () => recordsPart(recordsOf(soaRrset(settings, serial)));
  switch (plan.kind) {
    case 'current':
      return [soa()];
    case 'changes':
      return [recordsPart(changedRecords(snapshot, plan, sources))];
    case 'full': {
      const apex = recordsPart(
        apexRrsets(settings, serial, body)
          .flatMap((rrset) => [...recordsOf(rrset)])
          .values(),
      );
      const rest =
        body.kind === 'rpz'
          ? framesPart(snapshot, catalogue, frames)
          : recordsPart(ipRecords(snapshot));
      return [soa(), apex, rest, soa()];
    }
  }
}

function* ipRecords({ settings, body }: ZoneSnapshot): Generator<PositionedRecord> {
  if (body.kind !== 'ip') return;
  for (const rrset of ipRrsets(body.content, settings.origin, body.ttl)) yield* recordsOf(rrset);
}

/**
 * RFC 1995 section 4: the new SOA, then one difference sequence (condensed, section 5), the old SOA
 * leading what goes and the new SOA leading what comes, then the new SOA again.
 */
function* changedRecords(
  snapshot: ZoneSnapshot,
  plan: Extract<TransferPlan, { kind: 'changes' }>,
  sources: TransferSources,
): Generator<PositionedRecord> {
  const { settings, serial } = snapshot;
  const newSoa = soaRrset(settings, serial);
  const { removed, added } = differenceRecords(snapshot, plan, sources);
  yield* recordsOf(newSoa);
  yield* recordsOf(soaRrset(settings, plan.from));
  yield* removed;
  yield* recordsOf(newSoa);
  yield* added;
  yield* recordsOf(newSoa);
}

/** The records that go and come, without the SOA. */
function differenceRecords(
  snapshot: ZoneSnapshot,
  plan: Extract<TransferPlan, { kind: 'changes' }>,
  sources: TransferSources,
): { removed: Iterable<PositionedRecord>; added: Iterable<PositionedRecord> } {
  const { catalogue, differences } = sources;
  const difference = differences.get(snapshot, plan.from, () => netDifference(snapshot, plan));
  if (difference.kind === 'ip') return difference;
  if (snapshot.body.kind !== 'rpz') throw new Error('moves belong to RPZ zones');
  const { rendering } = snapshot.body;
  return {
    removed: removedRecords(difference.moves, catalogue, rendering),
    added: removedRecords(invertRpzDiff(difference.moves), catalogue, rendering),
  };
}

function netDifference(
  snapshot: ZoneSnapshot,
  { from, revisions }: Extract<TransferPlan, { kind: 'changes' }>,
): Difference {
  const { settings, serial, body } = snapshot;
  if (body.kind === 'rpz') {
    const steps = revisions.flatMap(({ diff }) => (diff.kind === 'rpz' ? [diff.moves] : []));
    return { kind: 'rpz', moves: composeRpzDiffs(steps) };
  }
  const lists = composeIpDiffs(
    revisions.flatMap(({ diff }) => (diff.kind === 'ip' ? [diff.lists] : [])),
  );
  // The layout is a function of the list, so the old records follow from the old list.
  const before = applyIpDiff(body.content, invertIpDiff(lists));
  const apex = (at: Serial, content: typeof before): PositionedRecord[] =>
    apexRrsets(settings, at, { ...body, content })
      .slice(1)
      .flatMap((rrset) => [...recordsOf(rrset)]);
  const { origin } = settings;
  return {
    kind: 'ip',
    removed: [...apex(from, before), ...removedIpRecords(before, body.content, origin, body.ttl)],
    added: [
      ...apex(serial, body.content),
      ...removedIpRecords(body.content, before, origin, body.ttl),
    ],
  };
}

/** An owner name relative to the zone takes about this much. */
const OWNER_OCTETS = 18;

/** Changed owners that a difference is condensed from at most: beyond it the zone is cheaper, being ready in frames. */
const CONDENSED_IDS_MAX = 250_000;

function isTooLong(revisions: readonly Revision[]): boolean {
  let ids = 0;
  for (const { diff } of revisions) {
    if (diff.kind === 'rpz') for (const move of diff.moves) ids += move.ids.length;
  }
  return ids > CONDENSED_IDS_MAX;
}

/** RFC 1995 section 2: when the changes would be larger than the zone, the zone is sent. */
function outweighsZone({ body }: ZoneSnapshot, revisions: readonly Revision[]): boolean {
  if (body.kind === 'rpz') {
    const octets = revisions.reduce(
      (sum, { diff }) =>
        sum +
        (diff.kind === 'rpz' ? estimateDiffOctets(diff.moves, body.rendering, OWNER_OCTETS) : 0),
      0,
    );
    return octets > estimateRuleOctets(body.content, body.rendering, OWNER_OCTETS);
  }
  const records = revisions.reduce(
    (sum, revision) => sum + revision.recordsRemoved + revision.recordsAdded,
    0,
  );
  return records > countIpRecords(body.content).records;
}
