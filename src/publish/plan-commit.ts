import { encodeRevision } from '../zone/revision-codec.ts';
import { sideOf, type ZoneSnapshot } from '../zone/snapshot.ts';
import { encodeMembers } from './member-codec.ts';
import type { FinishedDraft, MemberEdit } from './model-draft.ts';
import { owedNotifies } from './owed-notifies.ts';
import type { ZoneChange } from './publisher.ts';
import type { Ledger, PublishedState, StoredShape } from './state.ts';
import type { Commit, Holder, StoredRevision, StoredZone } from './store-port.ts';
import { zoneState } from './zone-build.ts';

/** Changes of a holder are folded into a new base beyond this number, */
const DELTAS_MAX = 200;
/** or when together they outweigh the base, but not before they have this size. */
const DELTA_OCTETS_MIN = 64 * 1024;

/** Everything that an edit has to put on disk, or null when it changed nothing. */
export function planCommit(options: {
  readonly by: { readonly actor: string; readonly action: string };
  readonly before: PublishedState;
  readonly after: PublishedState;
  readonly finished: FinishedDraft;
  readonly ledger: Ledger;
  readonly now: number;
  readonly changes: readonly ZoneChange[];
}): Commit | null {
  const { by, before, after, finished, ledger, now, changes } = options;
  const { parts, memberEdits } = finished;
  if (before.model === after.model) return null;
  return {
    ...parts,
    change: {
      at: now,
      actor: by.actor,
      action: by.action,
      body: JSON.stringify({ zones: changes }),
    },
    nextIds: [...after.nextIds]
      .filter(([kind, nextId]) => before.nextIds.get(kind) !== nextId)
      .map(([kind, nextId]) => ({ kind, nextId })),
    owners: newOwners(ledger),
    members: memberEdits.flatMap((edit) => storedMembers(edit, ledger)),
    zones: changes.map(({ origin }) => storedZone(origin, before, after)),
    ...revisionRows(changes, after),
    ...owedNotifies(before, after, changes),
  };
}

/** Keeps account of what the database holds; called once the commit is on disk. */
export function rememberCommit(ledger: Ledger, commit: Commit): void {
  if (commit.owners !== null) ledger.ownersStored += commit.owners.count;
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

export function holderKey({ kind, id }: Holder): string {
  return `${kind} ${id}`;
}

const NO_SHAPE: StoredShape = { baseOctets: 0, deltaOctets: 0, deltas: 0 };

function newOwners({ catalogue, ownersStored }: Ledger): Commit['owners'] {
  const count = catalogue.count - ownersStored;
  if (count === 0) return null;
  return { firstId: ownersStored, count, bytes: catalogue.encodeOwners(ownersStored) };
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

/** A zone's row; one that is gone stays as a tombstone with its last serial. */
function storedZone(origin: string, before: PublishedState, after: PublishedState): StoredZone {
  const zone = after.zones.get(origin);
  if (zone !== undefined) return liveZone(origin, zone);
  const serial = after.tombstones.get(origin) ?? before.zones.get(origin)?.serial;
  if (serial === undefined) throw new Error(`zone ${origin} is gone without a last serial`);
  return { origin, live: false, serial, state: '{}' };
}

export function liveZone(origin: string, zone: ZoneSnapshot): StoredZone {
  return {
    origin,
    live: true,
    serial: zone.serial,
    state: JSON.stringify(zoneState(zone, sideOf(zone.body))),
  };
}

/** The step that was made, where the zone keeps it, and how many of the older ones stay. */
function revisionRows(
  changes: readonly ZoneChange[],
  after: PublishedState,
): Pick<Commit, 'revisions' | 'pruneRevisions'> {
  const revisions: StoredRevision[] = [];
  const pruneRevisions: { origin: string; keep: number }[] = [];
  for (const { origin, toSerial } of changes) {
    const kept = after.zones.get(origin)?.revisions ?? [];
    const last = kept.at(-1);
    pruneRevisions.push({ origin, keep: kept.length });
    if (last === undefined || last.toSerial !== toSerial) continue;
    const { fromSerial, at } = last;
    revisions.push({
      origin,
      fromSerial,
      toSerial: last.toSerial,
      at,
      bytes: encodeRevision(last),
    });
  }
  return { revisions, pruneRevisions };
}
