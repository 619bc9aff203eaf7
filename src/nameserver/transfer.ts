import { compareSerials, isNewerSerial, type Serial } from '../dns/serial.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import { apexRrsets, soaRrset } from '../zone/apex.ts';
import { bodyAt, digestAt } from '../zone/content-at.ts';
import { countPlainRecords, plainRrsets, removedPlainRecords } from '../zone/plain-records.ts';
import { octetKey, type PositionedRecord, recordsOf } from '../zone/records.ts';
import { composeRpzDiffs, invertRpzDiff } from '../zone/rpz-content.ts';
import { estimateDiffOctets, estimateRuleOctets, removedRecords } from '../zone/rpz-records.ts';
import { type Revision, revisionsSince, type ZoneSnapshot } from '../zone/snapshot.ts';
import type { Difference, DifferenceCache } from './difference-cache.ts';
import type { FrameCache } from './frame-cache.ts';
import type { MessageCache } from './message-cache.ts';
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
  readonly messages: MessageCache;
  readonly differences: DifferenceCache;
}

type ChangesPlan = Extract<TransferPlan, { readonly kind: 'changes' }>;

/** The records of a transfer, as parts that fill messages. */
export function transferParts(
  snapshot: ZoneSnapshot,
  plan: TransferPlan,
  sources: TransferSources,
): TransferPart[] {
  const { catalogue, frames, messages } = sources;
  const soa = () => recordsPart(soaRecords(snapshot, snapshot.serial));
  switch (plan.kind) {
    case 'current':
      return [soa()];
    case 'changes':
      return [messages.open(snapshot, plan.from, () => changedRecords(snapshot, plan, sources))];
    case 'full':
      if (snapshot.body.kind !== 'rpz') {
        return [messages.open(snapshot, null, () => plainRecords(snapshot))];
      }
      // Rules have frames of their own, which outlast the serial.
      return [
        soa(),
        recordsPart(apexRecords(snapshot, snapshot).values()),
        framesPart(snapshot, catalogue, frames),
        soa(),
      ];
  }
}

function soaRecords({ settings }: ZoneSnapshot, serial: Serial): Generator<PositionedRecord> {
  return recordsOf(soaRrset(settings, serial));
}

/** What the apex has besides the SOA when the zone holds this body at this serial. */
function apexRecords(
  { settings }: ZoneSnapshot,
  moment: Pick<ZoneSnapshot, 'serial' | 'body' | 'digest'>,
): PositionedRecord[] {
  return apexRrsets({ settings, ...moment }).flatMap((rrset) => [...recordsOf(rrset)]);
}

/** RFC 5936 section 2.2: all records of the zone, the SOA first and again last. */
function* plainRecords(snapshot: ZoneSnapshot): Generator<PositionedRecord> {
  const { settings, serial, body } = snapshot;
  if (body.kind === 'rpz') throw new Error('the rules of an RPZ zone are encoded from sets');
  yield* soaRecords(snapshot, serial);
  yield* apexRecords(snapshot, snapshot);
  for (const rrset of plainRrsets(body, settings.origin)) yield* recordsOf(rrset);
  yield* soaRecords(snapshot, serial);
}

/**
 * RFC 1995 section 4: the new SOA, then one difference sequence (condensed, section 5), the old SOA
 * leading what goes and the new SOA leading what comes, then the new SOA again.
 */
function* changedRecords(
  snapshot: ZoneSnapshot,
  plan: ChangesPlan,
  sources: TransferSources,
): Generator<PositionedRecord> {
  const { serial } = snapshot;
  const { removed, added } = differenceRecords(snapshot, plan, sources);
  yield* soaRecords(snapshot, serial);
  yield* soaRecords(snapshot, plan.from);
  yield* removed;
  yield* soaRecords(snapshot, serial);
  yield* added;
  yield* soaRecords(snapshot, serial);
}

/** The records that go and come, without the SOA. */
function differenceRecords(
  snapshot: ZoneSnapshot,
  plan: ChangesPlan,
  { catalogue, differences }: TransferSources,
): { removed: Iterable<PositionedRecord>; added: Iterable<PositionedRecord> } {
  const { settings, body } = snapshot;
  const difference = differences.get(snapshot, plan.from, () => netDifference(snapshot, plan));
  if (difference.kind === 'rpz' && body.kind === 'rpz') {
    const { rendering } = body;
    return {
      removed: removedRecords(difference.moves, catalogue, rendering),
      added: removedRecords(invertRpzDiff(difference.moves), catalogue, rendering),
    };
  }
  if (difference.kind !== 'plain' || body.kind === 'rpz') {
    throw new Error(`a zone of kind ${body.kind} has a difference of ${difference.kind}`);
  }
  const { before } = difference;
  const [oldApex, newApex] = [
    apexRecords(snapshot, {
      serial: plan.from,
      body: before,
      digest: digestAt(snapshot, plan.from),
    }),
    apexRecords(snapshot, snapshot),
  ];
  const { origin } = settings;
  return {
    removed: inTurn(without(oldApex, newApex), removedPlainRecords(before, body, origin)),
    added: inTurn(without(newApex, oldApex), removedPlainRecords(body, before, origin)),
  };
}

function netDifference(snapshot: ZoneSnapshot, { from, revisions }: ChangesPlan): Difference {
  if (snapshot.body.kind === 'rpz') {
    const steps = revisions.flatMap(({ diff }) => (diff.kind === 'rpz' ? [diff.moves] : []));
    return { kind: 'rpz', moves: composeRpzDiffs(steps) };
  }
  // The layout is a function of the content, so the old records follow from the old content.
  const before = bodyAt(snapshot, from);
  if (before === null || before.kind === 'rpz') {
    throw new Error(`history does not reach back to serial ${from}`);
  }
  return { kind: 'plain', before, records: countChangedRecords(revisions) };
}

/** Records of the apex that the other one has not. */
function without(
  apex: readonly PositionedRecord[],
  other: readonly PositionedRecord[],
): PositionedRecord[] {
  const known = new Set(other.map(({ tail }) => octetKey(tail)));
  return apex.filter(({ tail }) => !known.has(octetKey(tail)));
}

function* inTurn(...lists: readonly Iterable<PositionedRecord>[]): Generator<PositionedRecord> {
  for (const list of lists) yield* list;
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
  return countChangedRecords(revisions) > countPlainRecords(body);
}

function countChangedRecords(revisions: readonly Revision[]): number {
  return revisions.reduce(
    (sum, { recordsRemoved, recordsAdded }) => sum + recordsRemoved + recordsAdded,
    0,
  );
}
