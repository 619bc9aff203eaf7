import type { MemberIds } from '../policy/member-sets.ts';
import type { ActionNumber } from '../policy/verdicts.ts';
import { encodeRevision } from '../zone/revision-codec.ts';
import { PENDING_DIGEST, type Revision, sideOf, type ZoneSnapshot } from '../zone/snapshot.ts';
import { auditBody } from './audit-body.ts';
import { encodeMembers } from './member-codec.ts';
import type { FinishedDraft, MemberEdit } from './model-draft.ts';
import { owedNotifies } from './owed-notifies.ts';
import { encodePin } from './pin-codec.ts';
import type { Author, ZoneChange } from './publisher.ts';
import type { Ledger, PublishedState, StoredShape } from './state.ts';
import type { Commit, Holder, StoredEntity, StoredRevision, StoredZone } from './store-port.ts';
import { zoneState } from './zone-build.ts';

/** Changes of a holder are folded into a new base beyond this number, */
const DELTAS_MAX = 200;
/** or when together they outweigh the base, but not before they have this size. */
const DELTA_OCTETS_MIN = 64 * 1024;

/** Everything that an edit has to put on disk, or null when it changed nothing. */
export function planCommit(options: {
  readonly by: Author;
  readonly before: PublishedState;
  readonly after: PublishedState;
  readonly finished: FinishedDraft;
  readonly ledger: Ledger;
  readonly now: number;
  readonly changes: readonly ZoneChange[];
}): Commit | null {
  const { by, before, after, finished, ledger, now, changes } = options;
  const { parts, memberEdits } = finished;
  const isNothing = parts.history.length === 0 && parts.putNotes.length === 0;
  if (before.model === after.model && isNothing) return null;
  const { body, subjects, accountIds } = auditBody({
    before: before.model,
    after: after.model,
    touched: finished.touched,
    members: parts.history,
    entries: finished.entryEdits,
    zones: changes,
  });
  return {
    ...parts,
    putEntities: [...parts.putEntities, ...newActions(ledger)],
    change: {
      at: now,
      actor: by.actor,
      action: by.action,
      accountId: by.accountId ?? null,
      subjects,
      accountIds,
      body,
    },
    nextIds: [...after.nextIds]
      .filter(([kind, nextId]) => before.nextIds.get(kind) !== nextId)
      .map(([kind, nextId]) => ({ kind, nextId })),
    owners: newOwners(ledger),
    members: memberEdits.flatMap((edit) => storedMembers(edit, ledger)),
    ...pinRows(before, after),
    zones: storedZones(before, after, changes),
    ...revisionRows(changes, after),
    ...owedNotifies(before, after, changes),
  };
}

/** Keeps account of what the database holds; called once the commit is on disk. */
export function rememberCommit(ledger: Ledger, commit: Commit): void {
  if (commit.owners !== null) ledger.ownersStored += commit.owners.count;
  for (const { kind, id } of commit.putEntities) {
    if (kind === 'rpz-action') ledger.actionsStored = Math.max(ledger.actionsStored, id);
  }
  for (const members of commit.members) {
    const shape = ledger.shapes.get(holderKey(members.holder)) ?? NO_SHAPE;
    ledger.shapes.set(
      holderKey(members.holder),
      'base' in members
        ? { baseOctets: members.base.length, deltaOctets: 0, deltas: 0 }
        : {
            ...shape,
            deltaOctets: shape.deltaOctets + members.delta.length,
            deltas: shape.deltas + 1,
          },
    );
  }
  for (const holder of commit.deleteMembers) ledger.shapes.delete(holderKey(holder));
}

export const NO_MEMBER_IDS: MemberIds = {
  subtree: new Uint32Array(0),
  exact: new Uint32Array(0),
  below: new Uint32Array(0),
  prefix: new Uint32Array(0),
};

export function holderKey({ kind, id }: Holder): string {
  return `${kind} ${id}`;
}

const NO_SHAPE: StoredShape = { baseOctets: 0, deltaOctets: 0, deltas: 0 };

/** Owners that were made since the last commit. */
export function newOwners({ catalogue, ownersStored }: Ledger): Commit['owners'] {
  const count = catalogue.count - ownersStored;
  if (count === 0) return null;
  return { firstId: ownersStored, count, bytes: catalogue.encodeOwners(ownersStored) };
}

/** Actions that were numbered since the last commit. */
export function newActions({ actions, actionsStored }: Ledger): StoredEntity[] {
  return Array.from({ length: actions.count - actionsStored }, (_, index) => {
    const id = actionsStored + index + 1;
    const { action } = actions.action(id as ActionNumber);
    return { kind: 'rpz-action', id, body: JSON.stringify(action) };
  });
}

function pinRows(
  before: PublishedState,
  after: PublishedState,
): Pick<Commit, 'putPins' | 'deletePins'> {
  if (before.pins === after.pins) return { putPins: [], deletePins: [] };
  const put = [...after.pins].filter(([id, pin]) => before.pins.get(id) !== pin);
  return {
    putPins: put.map(([policyId, pin]) => ({ policyId, bytes: encodePin(pin) })),
    deletePins: [...before.pins.keys()].filter((id) => !after.pins.has(id)),
  };
}

function storedMembers({ holder, deltas, members }: MemberEdit, ledger: Ledger): Commit['members'] {
  const shape = ledger.shapes.get(holderKey(holder)) ?? NO_SHAPE;
  const octets = deltas.reduce((sum, delta) => sum + delta.length, shape.deltaOctets);
  const isHeavy = octets > Math.max(DELTA_OCTETS_MIN, shape.baseOctets);
  if (isHeavy || shape.deltas + deltas.length > DELTAS_MAX) {
    return [{ holder, base: encodeMembers(members) }];
  }
  return deltas.map((delta) => ({ holder, delta }));
}

/**
 * The rows of zones that changed, or that carry another policy although their records stayed the
 * same. One that is gone stays as a tombstone with its last serial.
 */
function storedZones(
  before: PublishedState,
  after: PublishedState,
  changes: readonly ZoneChange[],
): StoredZone[] {
  const gone = changes.flatMap(({ origin }) => {
    if (after.zones.has(origin)) return [];
    const serial = after.tombstones.get(origin);
    if (serial === undefined) throw new Error(`zone ${origin} is gone without a last serial`);
    return [{ origin, live: false, serial, state: '{}' }];
  });
  if (before.zones === after.zones) return gone;
  const live = [...after.zones].filter(([origin, zone]) => before.zones.get(origin) !== zone);
  return [...gone, ...live.map(([origin, zone]) => liveZone(origin, zone))];
}

export function liveZone(origin: string, zone: ZoneSnapshot): StoredZone {
  if (zone.digest === PENDING_DIGEST) throw new Error(`the digest of ${origin} was not made`);
  return {
    origin,
    live: true,
    serial: zone.serial,
    state: JSON.stringify(zoneState(zone, sideOf(zone.body))),
  };
}

/** The steps that were made, where the zones keep them, and how many of the older ones stay. */
function revisionRows(
  changes: readonly ZoneChange[],
  after: PublishedState,
): Pick<Commit, 'diffs' | 'revisions' | 'pruneRevisions'> {
  const revisions: StoredRevision[] = [];
  const pruneRevisions: { origin: string; keep: number }[] = [];
  const diffs = new Map<Revision['diff'], { place: number; bytes: Uint8Array }>();
  const placeOf = (revision: Revision): number => {
    const known = diffs.get(revision.diff);
    if (known !== undefined) return known.place;
    const place = diffs.size;
    diffs.set(revision.diff, { place, bytes: encodeRevision(revision) });
    return place;
  };
  for (const { origin, toSerial } of changes) {
    const kept = after.zones.get(origin)?.revisions ?? [];
    const last = kept.at(-1);
    pruneRevisions.push({ origin, keep: kept.length });
    if (last === undefined || last.toSerial !== toSerial) continue;
    const { fromSerial, at, fromDigest } = last;
    const diff = placeOf(last);
    revisions.push({ origin, fromSerial, toSerial: last.toSerial, at, diff, fromDigest });
  }
  return { diffs: [...diffs.values()].map(({ bytes }) => bytes), revisions, pruneRevisions };
}
