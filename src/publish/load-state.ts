import { type Serial, serial } from '../dns/serial.ts';
import { Catalogue } from '../indicators/catalogue.ts';
import { EMPTY_IDS, idsOf, unionIds } from '../indicators/id-set.ts';
import { type MemberSets, memberOwners } from '../policy/member-sets.ts';
import { resolveMembers } from '../policy/members.ts';
import type { ListId, Model, Policy, TargetId } from '../policy/model.ts';
import { type CompiledPolicy, compilePolicy } from '../zone/policy-zones.ts';
import { decodeRevision } from '../zone/revision-codec.ts';
import { createRpzRendering } from '../zone/rpz-rendering.ts';
import type { Revision, ZoneSide, ZoneSnapshot } from '../zone/snapshot.ts';
import { decodeModel } from './entity-codec.ts';
import { decodeMembers } from './member-codec.ts';
import { owedNotifies } from './owed-notifies.ts';
import type { PlanOptions } from './plan-change.ts';
import { holderKey, liveZone } from './plan-commit.ts';
import type { Ledger, PublishedState, StoredShape } from './state.ts';
import type {
  Commit,
  Store,
  StoredMembers,
  StoredRevision,
  StoredState,
  StoredZone,
} from './store-port.ts';
import { bodyOf, firstSnapshot, isSameZone, type ZoneState, zoneState } from './zone-build.ts';
import { sidesOf, zoneOrigin, zoneSettings } from './zone-names.ts';

export interface LoadedState {
  readonly state: PublishedState;
  readonly ledger: Ledger;
}

/**
 * Builds the published state from the database. A zone that compiles to what was served under its
 * serial keeps serial and history; one that does not (another version of this program, other SOA
 * settings) gets a new serial, committed before anyone can ask for it.
 */
export async function loadState(
  store: Store,
  plan: (catalogue: Catalogue) => PlanOptions,
): Promise<LoadedState> {
  const stored = await store.load();
  const catalogue = new Catalogue();
  for (const { bytes } of stored.owners) catalogue.decodeOwners(bytes);
  const model = withStoredMembers(decodeModel(stored), stored.members);
  catalogue.markIndicators(idsOf(allMembers(model)));
  const ledger: Ledger = {
    catalogue,
    ownersStored: catalogue.count,
    shapes: new Map(stored.members.map((members) => [holderKey(members.holder), shapeOf(members)])),
  };
  const { state, renewed } = compileAll({ stored, model, options: plan(catalogue) });
  if (renewed.length > 0) await store.commit(renewalCommit(state, renewed, plan(catalogue).now));
  return { state, ledger };
}

/** Every owner that some target or list holds. */
export function allMembers(model: Model) {
  let owners = EMPTY_IDS;
  for (const { members } of [...model.targets.values(), ...model.lists.values()]) {
    owners = unionIds(owners, memberOwners(members));
  }
  return owners;
}

function withStoredMembers(model: Model, stored: readonly StoredMembers[]): Model {
  const targets = new Map(model.targets);
  const lists = new Map(model.lists);
  for (const row of stored) {
    const members: MemberSets = decodeMembers(row);
    const { kind, id } = row.holder;
    const target = kind === 'target' ? targets.get(id as TargetId) : undefined;
    const list = kind === 'list' ? lists.get(id as ListId) : undefined;
    if (target) targets.set(target.id, { ...target, members });
    if (list) lists.set(list.id, { ...list, members });
  }
  return { ...model, targets, lists };
}

function shapeOf({ base, deltas }: StoredMembers): StoredShape {
  return {
    baseOctets: base?.length ?? 0,
    deltaOctets: deltas.reduce((octets, delta) => octets + delta.length, 0),
    deltas: deltas.length,
  };
}

function compileAll(load: {
  readonly stored: StoredState;
  readonly model: Model;
  readonly options: PlanOptions;
}): { state: PublishedState; renewed: StoredZone[] } {
  const { stored, model, options } = load;
  const rows = new Map(stored.zones.map((row) => [row.origin, row]));
  const revisions = Map.groupBy(stored.revisions, ({ origin }) => origin);
  const compiled = new Map<Policy['id'], CompiledPolicy>();
  const zones = new Map<string, ZoneSnapshot>();
  const renewed: StoredZone[] = [];

  for (const policy of model.policies.values()) {
    const account = model.accounts.get(policy.accountId);
    if (account === undefined) throw new Error(`policy ${policy.id} belongs to no account`);
    const origins = sidesOf(policy).map(
      (side) => [side, zoneOrigin(policy, side, account, options.defaults)] as const,
    );
    const known = storedActions(rows.get(origins[0][1]));
    const members = resolveMembers(policy, model);
    const policyZones = compilePolicy(
      options.catalogue,
      policy,
      members,
      createRpzRendering(policy.ttl, known),
    );
    compiled.set(policy.id, policyZones);
    for (const [side, origin] of origins) {
      const row = rows.get(origin);
      const zone = resumeZone({
        policy,
        compiled: policyZones,
        side,
        origin,
        row,
        options,
        revisions: revisions.get(origin) ?? [],
      });
      zones.set(origin, zone);
      if (row?.live !== true || zone.serial !== row.serial) renewed.push(liveZone(origin, zone));
    }
  }
  const tombstones = new Map<string, Serial>();
  for (const row of stored.zones) {
    if (zones.has(row.origin)) continue;
    tombstones.set(row.origin, serial(row.serial));
    if (row.live) renewed.push({ ...row, live: false, state: '{}' });
  }
  const nextIds = new Map(stored.nextIds.map(({ kind, nextId }) => [kind, nextId]));
  return { state: { model, nextIds, compiled, zones, tombstones }, renewed };
}

function storedActions(row: StoredZone | undefined): ZoneState['actions'] {
  return row?.live ? (JSON.parse(row.state) as ZoneState).actions : [];
}

function resumeZone(resume: {
  readonly policy: Policy;
  readonly compiled: CompiledPolicy;
  readonly side: ZoneSide;
  readonly origin: string;
  readonly row: StoredZone | undefined;
  readonly revisions: readonly StoredRevision[];
  readonly options: PlanOptions;
}): ZoneSnapshot {
  const { policy, compiled, side, origin, row, options } = resume;
  const fresh = firstSnapshot({
    settings: zoneSettings(origin, options.defaults),
    policyId: policy.id,
    body: bodyOf(compiled, side, policy),
    previous: row === undefined ? null : serial(row.serial),
    now: options.now,
  });
  if (!row?.live) return fresh;
  const storedState = JSON.parse(row.state) as ZoneState;
  if (!isSameZone(storedState, zoneState(fresh, side))) return fresh;
  return { ...fresh, serial: serial(row.serial), revisions: chainTo(row.serial, resume.revisions) };
}

/** The stored revisions that lead to the serial without a gap, the newest part of them. */
function chainTo(last: number, stored: readonly StoredRevision[]): Revision[] {
  const chain: Revision[] = [];
  let expected = last;
  for (const { fromSerial, toSerial, at, bytes } of [...stored].reverse()) {
    if (toSerial !== expected) break;
    chain.unshift({
      fromSerial: serial(fromSerial),
      toSerial: serial(toSerial),
      at,
      ...decodeRevision(bytes),
    });
    expected = fromSerial;
  }
  return chain;
}

/** Zones that go on under a new serial are news to their devices like any other. */
function renewalCommit(state: PublishedState, zones: readonly StoredZone[], now: number): Commit {
  const changes = zones.map(({ origin, live, serial: last }) => ({
    origin,
    fromSerial: serial(last),
    toSerial: live ? serial(last) : null,
    recordsRemoved: 0,
    recordsAdded: 0,
  }));
  const body = JSON.stringify({
    zones: zones.map(({ origin, serial: to }) => ({ origin, toSerial: to })),
  });
  return {
    change: { at: now, actor: 'sluice', action: 'renew zones at start', body },
    putEntities: [],
    deleteEntities: [],
    nextIds: [],
    owners: null,
    members: [],
    deleteMembers: [],
    putListEntries: [],
    deleteListEntries: [],
    clearLists: [],
    zones,
    revisions: [],
    pruneRevisions: zones.map(({ origin }) => ({ origin, keep: 0 })),
    ...owedNotifies(state, state, changes),
  };
}
