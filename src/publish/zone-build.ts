import { createHash } from 'node:crypto';
import { formatName } from '../dns/name.ts';
import type { Serial } from '../dns/serial.ts';
import type { AccountId, DeviceId, Policy, PolicyId } from '../policy/model.ts';
import { countApexRecords } from '../zone/apex.ts';
import { contentVersion } from '../zone/content-version.ts';
import { ttlOf } from '../zone/diff-bodies.ts';
import { nextSerial } from '../zone/next-serial.ts';
import { countPlainRecords, removedPlainRecords } from '../zone/plain-records.ts';
import type { CompiledPolicy, PolicyDiff } from '../zone/policy-zones.ts';
import { revisionOctets } from '../zone/revision-codec.ts';
import { invertRpzDiff } from '../zone/rpz-content.ts';
import { countRemoved, countRules } from '../zone/rpz-records.ts';
import {
  PENDING_DIGEST,
  type PolicySide,
  type Revision,
  type ZoneBody,
  type ZoneSettings,
  type ZoneSide,
  type ZoneSnapshot,
} from '../zone/snapshot.ts';
import type { Pin } from './state.ts';
import type { ZoneDefaults } from './zone-names.ts';

/** Rises when the same members would give other records than before: then zones get a new serial at start. */
export const RENDERING_VERSION = 2;

/** A zone as it will be, and the step that it takes to get there; null when it takes none or begins anew. */
export interface NextZone {
  readonly zone: ZoneSnapshot;
  readonly step: BodyStep | null;
}

/** How much history a zone keeps; what is older is answered with an AXFR. */
export interface JournalLimits {
  readonly revisionsMax: number;
  readonly octetsMax: number;
}

/** What the database keeps of a zone besides its serial: enough to see whether a content still is the same. */
export interface ZoneState {
  readonly version: number;
  readonly policyId: number | null;
  readonly side: ZoneSide;
  readonly ttl: number;
  readonly apex: string;
  readonly records: number;
  /** Of a catalog zone: a hash of what it lists, since another list may have as many records. */
  readonly members?: string;
  /** The rdata of the ZONEMD in hexadecimal, of a zone that has one: made once for each serial. */
  readonly digest?: string;
}

/** What the zones of a policy carry on one side: its content, or the one that it was rolled back to. */
export function bodyOf(
  compiled: CompiledPolicy,
  side: PolicySide,
  policy: Policy,
  pin: Pin | undefined,
): ZoneBody {
  const pinned = pin?.get(side);
  if (compiled.kind === 'dns') {
    const content = pinned instanceof Map ? pinned : compiled.content;
    return { kind: 'rpz', content, rendering: compiled.rendering };
  }
  const ipSide = side === 'allow' ? 'allow' : 'block';
  const content = pinned !== undefined && 'v4' in pinned ? pinned : compiled.contents[ipSide];
  return { kind: 'ip', side: ipSide, content, ttl: policy.ttl };
}

/** Whose zone it is, and what it carries. */
export interface ZoneDuty {
  readonly accountId: AccountId | null;
  readonly policyId: PolicyId | null;
  readonly deviceId: DeviceId | null;
  readonly former: boolean;
}

export function firstSnapshot(options: {
  readonly settings: ZoneSettings;
  readonly duty: ZoneDuty;
  readonly body: ZoneBody;
  /** The last serial that the name ever had. */
  readonly previous: Serial | null;
  readonly now: number;
  readonly defaults: Pick<ZoneDefaults, 'zonemd'>;
}): ZoneSnapshot {
  const { settings, duty, body, previous, now, defaults } = options;
  const digest = defaults.zonemd && body.kind !== 'rpz' ? PENDING_DIGEST : null;
  return {
    settings,
    ...duty,
    serial: nextSerial(previous, now),
    body,
    digest,
    records: countRecords({ body, digest }),
    revisions: [],
  };
}

/** A step from one body to another, counted once for all zones that take it. */
export interface BodyStep {
  readonly body: ZoneBody;
  readonly records: number;
  readonly revision: Omit<Revision, 'fromSerial' | 'toSerial' | 'fromDigest' | 'at'>;
}

export function countStep(
  { body: before, digest, settings }: ZoneSnapshot,
  body: ZoneBody,
  diff: Revision['diff'],
): BodyStep {
  return {
    body,
    records: countRecords({ body, digest }),
    revision: {
      ...countDiff(before, body, diff, settings.origin),
      fromContent: contentVersion(before),
      toContent: contentVersion(body),
      diff,
    },
  };
}

/** The snapshot after a step: one revision more, as far as the limits allow. */
export function nextSnapshot(options: {
  readonly snapshot: ZoneSnapshot;
  readonly duty: ZoneDuty;
  readonly step: BodyStep;
  readonly now: number;
  readonly limits: JournalLimits;
}): { readonly next: ZoneSnapshot; readonly revision: Revision } {
  const { snapshot, duty, step, now, limits } = options;
  const revision: Revision = {
    fromSerial: snapshot.serial,
    toSerial: nextSerial(snapshot.serial, now),
    fromDigest: snapshot.digest,
    at: now,
    ...step.revision,
  };
  const next = {
    ...snapshot,
    ...duty,
    serial: revision.toSerial,
    body: step.body,
    digest: snapshot.digest === null ? null : PENDING_DIGEST,
    records: step.records,
    revisions: limitRevisions([...snapshot.revisions, revision], limits),
  };
  return { next, revision };
}

export function diffOfSide(diff: PolicyDiff, side: PolicySide): Revision['diff'] | null {
  if (diff.kind === 'dns') return diff.moves === null ? null : { kind: 'rpz', moves: diff.moves };
  const lists = side === 'rpz' ? null : diff.lists[side];
  return lists === null ? null : { kind: 'ip', lists };
}

export function zoneState(snapshot: ZoneSnapshot, side: ZoneSide): ZoneState {
  const { body, settings, digest } = snapshot;
  const { primary, hostmaster, refresh, retry, expire, minimum, apexTtl } = settings;
  return {
    version: RENDERING_VERSION,
    policyId: snapshot.policyId,
    side,
    ttl: ttlOf(body),
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
    ...(body.kind === 'catalog' ? { members: hashOf(body.content) } : {}),
    ...(digest === null ? {} : { digest: Buffer.from(digest).toString('hex') }),
  };
}

function hashOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** Whether a zone compiled anew is what the database says was served under its serial. */
export function isSameZone(stored: ZoneState, compiled: ZoneState): boolean {
  return (
    stored.version === compiled.version &&
    stored.policyId === compiled.policyId &&
    stored.side === compiled.side &&
    stored.ttl === compiled.ttl &&
    stored.apex === compiled.apex &&
    stored.records === compiled.records &&
    stored.members === compiled.members &&
    // Which digest it is follows from the rest.
    (stored.digest === undefined) === (compiled.digest === undefined)
  );
}

function countRecords(zone: Pick<ZoneSnapshot, 'body' | 'digest'>): number {
  const { body } = zone;
  const below =
    body.kind === 'rpz' ? countRules(body.content, body.rendering) : countPlainRecords(body);
  return countApexRecords(zone) + below;
}

/** Records below the apex that went and came: SOA, TXT and ZONEMD change with every serial and are not news. */
function countDiff(
  before: ZoneBody,
  after: ZoneBody,
  diff: Revision['diff'],
  origin: ZoneSettings['origin'],
): Pick<Revision, 'recordsRemoved' | 'recordsAdded'> {
  if (diff.kind === 'rpz' && after.kind === 'rpz') {
    return {
      recordsRemoved: countRemoved(diff.moves, after.rendering),
      recordsAdded: countRemoved(invertRpzDiff(diff.moves), after.rendering),
    };
  }
  if (before.kind === 'rpz' || after.kind === 'rpz') return { recordsRemoved: 0, recordsAdded: 0 };
  const count = (records: Iterable<unknown>): number => {
    let total = 0;
    for (const _ of records) total++;
    return total;
  };
  return {
    recordsRemoved: count(removedPlainRecords(before, after, origin)),
    recordsAdded: count(removedPlainRecords(after, before, origin)),
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
