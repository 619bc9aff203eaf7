import { formatName } from '../dns/name.ts';
import type { Serial } from '../dns/serial.ts';
import type { Action } from '../policy/action.ts';
import type { Policy, PolicyId } from '../policy/model.ts';
import { countApexRecords } from '../zone/apex.ts';
import { applyIpDiff } from '../zone/ip-content.ts';
import { countIpRecords, removedIpRecords } from '../zone/ip-records.ts';
import { nextSerial } from '../zone/next-serial.ts';
import type { CompiledPolicy, PolicyDiff } from '../zone/policy-zones.ts';
import { revisionOctets } from '../zone/revision-codec.ts';
import { applyRpzDiff, invertRpzDiff } from '../zone/rpz-content.ts';
import { countRemoved, countRules } from '../zone/rpz-records.ts';
import type { Revision, ZoneBody, ZoneSettings, ZoneSide, ZoneSnapshot } from '../zone/snapshot.ts';

/** Rises when the same members would give other records than before: then zones get a new serial at start. */
export const RENDERING_VERSION = 1;

/** How much history a zone keeps; what is older is answered with an AXFR. */
export interface JournalLimits {
  readonly revisionsMax: number;
  readonly octetsMax: number;
}

/** What the database keeps of a zone besides its serial: enough to see whether a content still is the same. */
export interface ZoneState {
  readonly version: number;
  readonly policyId: number;
  readonly side: ZoneSide;
  readonly ttl: number;
  readonly apex: string;
  readonly records: number;
  /** By action number − 1. */
  readonly actions: readonly Action[];
}

export function bodyOf(compiled: CompiledPolicy, side: ZoneSide, policy: Policy): ZoneBody {
  if (compiled.kind === 'dns') {
    return { kind: 'rpz', content: compiled.content, rendering: compiled.rendering };
  }
  const ipSide = side === 'allow' ? 'allow' : 'block';
  return { kind: 'ip', side: ipSide, content: compiled.contents[ipSide], ttl: policy.ttl };
}

export function firstSnapshot(options: {
  readonly settings: ZoneSettings;
  readonly policyId: PolicyId;
  readonly body: ZoneBody;
  /** The last serial that the name ever had. */
  readonly previous: Serial | null;
  readonly now: number;
}): ZoneSnapshot {
  const { settings, policyId, body, previous, now } = options;
  return {
    settings,
    policyId,
    serial: nextSerial(previous, now),
    body,
    records: countRecords(body),
    revisions: [],
  };
}

/** The snapshot after a change of content: one revision more, as far as the limits allow. */
export function nextSnapshot(options: {
  readonly snapshot: ZoneSnapshot;
  readonly diff: Revision['diff'];
  readonly now: number;
  readonly limits: JournalLimits;
}): { readonly next: ZoneSnapshot; readonly revision: Revision } {
  const { snapshot, diff, now, limits } = options;
  const body = applyDiff(snapshot.body, diff);
  const revision: Revision = {
    fromSerial: snapshot.serial,
    toSerial: nextSerial(snapshot.serial, now),
    at: now,
    ...countDiff(snapshot, body, diff),
    diff,
  };
  const next = {
    ...snapshot,
    serial: revision.toSerial,
    body,
    records: countRecords(body),
    revisions: limitRevisions([...snapshot.revisions, revision], limits),
  };
  return { next, revision };
}

export function diffOfSide(diff: PolicyDiff, side: ZoneSide): Revision['diff'] | null {
  if (diff.kind === 'dns') return diff.moves === null ? null : { kind: 'rpz', moves: diff.moves };
  const lists = side === 'rpz' ? null : diff.lists[side];
  return lists === null ? null : { kind: 'ip', lists };
}

export function zoneState(snapshot: ZoneSnapshot, side: ZoneSide): ZoneState {
  const { body, settings } = snapshot;
  const { primary, hostmaster, refresh, retry, expire, minimum, apexTtl } = settings;
  return {
    version: RENDERING_VERSION,
    policyId: snapshot.policyId,
    side,
    ttl: body.kind === 'rpz' ? body.rendering.ttl : body.ttl,
    apex: [
      formatName(primary),
      formatName(hostmaster),
      refresh,
      retry,
      expire,
      minimum,
      apexTtl,
    ].join(' '),
    records: snapshot.records,
    actions: body.kind === 'rpz' ? body.rendering.actions() : [],
  };
}

/** Whether a zone compiled anew is what the database says was served under its serial. */
export function isSameZone(stored: ZoneState, compiled: ZoneState): boolean {
  return (
    stored.version === compiled.version &&
    stored.policyId === compiled.policyId &&
    stored.side === compiled.side &&
    stored.ttl === compiled.ttl &&
    stored.apex === compiled.apex &&
    stored.records === compiled.records
  );
}

function countRecords(body: ZoneBody): number {
  const below =
    body.kind === 'rpz'
      ? countRules(body.content, body.rendering)
      : countIpRecords(body.content).records;
  return countApexRecords(body) + below;
}

function applyDiff(body: ZoneBody, diff: Revision['diff']): ZoneBody {
  if (body.kind === 'rpz' && diff.kind === 'rpz') {
    return { ...body, content: applyRpzDiff(body.content, diff.moves) };
  }
  if (body.kind === 'ip' && diff.kind === 'ip') {
    return { ...body, content: applyIpDiff(body.content, diff.lists) };
  }
  throw new Error(`a difference of kind ${diff.kind} was applied to a zone of kind ${body.kind}`);
}

/** Records below the apex that went and came: SOA and TXT change with every serial and are not news. */
function countDiff(
  before: ZoneSnapshot,
  after: ZoneBody,
  diff: Revision['diff'],
): Pick<Revision, 'recordsRemoved' | 'recordsAdded'> {
  if (diff.kind === 'rpz' && before.body.kind === 'rpz') {
    const { rendering } = before.body;
    return {
      recordsRemoved: countRemoved(diff.moves, rendering),
      recordsAdded: countRemoved(invertRpzDiff(diff.moves), rendering),
    };
  }
  if (before.body.kind !== 'ip' || after.kind !== 'ip')
    return { recordsRemoved: 0, recordsAdded: 0 };
  const { origin } = before.settings;
  const count = (records: Iterable<unknown>): number => {
    let total = 0;
    for (const _ of records) total++;
    return total;
  };
  return {
    recordsRemoved: count(removedIpRecords(before.body.content, after.content, origin, after.ttl)),
    recordsAdded: count(removedIpRecords(after.content, before.body.content, origin, after.ttl)),
  };
}

function limitRevisions(
  revisions: readonly Revision[],
  limits: JournalLimits,
): readonly Revision[] {
  let octets = 0;
  let kept = 0;
  for (let index = revisions.length - 1; index >= 0 && kept < limits.revisionsMax; index--) {
    octets += revisionOctets(revisions[index]);
    if (octets > limits.octetsMax) break;
    kept++;
  }
  return kept === 0 ? [] : revisions.slice(-kept);
}
