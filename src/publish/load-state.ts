import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Serial, serial } from '../dns/serial.ts';
import { Catalogue } from '../indicators/catalogue.ts';
import type { IdSet } from '../indicators/id-set.ts';
import { MEMBER_FORMS } from '../indicators/indicator.ts';
import type { Action } from '../policy/action.ts';
import type { MemberSets } from '../policy/member-sets.ts';
import { resolveMembers } from '../policy/members.ts';
import type { ListId, Model, PolicyId, TargetId } from '../policy/model.ts';
import { createActionTable } from '../zone/action-table.ts';
import { NO_VERSION } from '../zone/content-version.ts';
import { type CompiledPolicy, compilePolicy, dnsPolicy } from '../zone/policy-zones.ts';
import { decodeRevision } from '../zone/revision-codec.ts';
import { createRenderings } from '../zone/rpz-rendering.ts';
import { type Revision, sideOf, type ZoneBody, type ZoneSnapshot } from '../zone/snapshot.ts';
import { atOnce } from '../zone/steps.ts';
import { auditBody } from './audit-body.ts';
import { contentKey } from './content-key.ts';
import type { DigestThread } from './digest-thread/start-digest-thread.ts';
import { decodeModel } from './entity-codec.ts';
import { decodeMembers } from './member-codec.ts';
import { owedNotifies } from './owed-notifies.ts';
import { decodePin } from './pin-codec.ts';
import { wantedCatalogs } from './plan-catalogs.ts';
import type { PlanOptions } from './plan-change.ts';
import { holderKey, liveZone, newActions } from './plan-commit.ts';
import { nothing, type WantedZone, wantedZones } from './plan-zones.ts';
import type { ZoneChange } from './publisher.ts';
import type { Ledger, Pin, PublishedState, StoredShape } from './state.ts';
import { IMAGE_VERSION, type Imaged, readStateImage } from './state-image.ts';
import type { Commit, Store, StoredMembers, StoredState, StoredZone } from './store-port.ts';
import {
  bodyOf,
  firstSnapshot,
  isSameZone,
  type ZoneDuty,
  type ZoneState,
  zoneState,
} from './zone-build.ts';
import { withDigests } from './zone-digests.ts';
import { zoneSettings } from './zone-names.ts';

export interface LoadedState {
  readonly state: PublishedState;
  readonly ledger: Ledger;
  /** Owners that came from an image. */
  readonly imaged: number;
}

/**
 * Builds the published state from the database. A zone that compiles to what was served under its
 * serial keeps serial and history; one that does not (another version of this program, other SOA
 * settings) gets a new serial, committed before anyone can ask for it.
 */
export async function loadState(
  store: Store,
  given: Pick<PlanOptions, 'defaults' | 'limits' | 'now'>,
  digestThread?: DigestThread,
): Promise<LoadedState> {
  const { stored, catalogue, contents } = await loadCatalogue(store);
  const model = withStoredMembers(decodeModel(stored), stored.members);
  catalogue.markIndicators(memberSetsOf(model));
  const known = storedActions(stored);
  const actions = createActionTable(known);
  const renderings = createRenderings(actions);
  const ledger: Ledger = {
    catalogue,
    ownersStored: catalogue.count,
    ownersTried: 0,
    actions,
    renderings,
    actionsStored: known.length,
    shapes: new Map(stored.members.map((members) => [holderKey(members.holder), shapeOf(members)])),
  };
  const options = { ...given, catalogue, renderings };
  const compiled = compileAll({ stored, model, contents, options });
  const zones = await withDigests(compiled.state.zones, compiled.renewed, digestThread);
  const state = { ...compiled.state, zones };
  const renewed = [
    ...compiled.renewed.map((origin) => liveZone(origin, zones.get(origin)!)),
    ...compiled.gone,
  ];
  const commit = renewalCommit({ state, stored, zones: renewed, ledger, now: options.now });
  if (commit !== null) {
    await store.commit(commit);
    ledger.actionsStored = actions.count;
  }
  return { state, ledger, imaged: stored.image?.owners ?? 0 };
}

/** The catalogue from its image and the owners since, or from all owners where there is no image to go by. */
async function loadCatalogue(store: Store): Promise<Imaged & { readonly stored: StoredState }> {
  let stored = await store.load(IMAGE_VERSION);
  let imaged: Imaged = { catalogue: new Catalogue(), contents: new Map() };
  if (stored.image !== undefined) {
    try {
      imaged = readStateImage(stored.image);
    } catch {
      stored = await store.load();
    }
  }
  for (const { bytes } of stored.owners) {
    imaged.catalogue.decodeOwners(bytes);
    // Questions are told meanwhile that zones are being loaded.
    await nextTurn();
  }
  return { ...imaged, stored };
}

function storedActions({ entities }: StoredState): readonly Action[] {
  return entities
    .filter(({ kind }) => kind === 'rpz-action')
    .sort((a, b) => a.id - b.id)
    .map(({ body }) => JSON.parse(body) as Action);
}

/** What targets and lists hold: an owner may be in several of these sets. */
export function memberSetsOf({ targets, lists }: Model): IdSet[] {
  return [...targets.values(), ...lists.values()].flatMap(({ members }) =>
    MEMBER_FORMS.map((form) => members[form]),
  );
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
  /** Rules that are ready, if their keys are those of now. */
  readonly contents: Imaged['contents'];
  readonly options: PlanOptions;
}): {
  readonly state: PublishedState;
  /** Origins of the zones that have a new serial. */
  readonly renewed: readonly string[];
  readonly gone: readonly StoredZone[];
} {
  const { stored, model, contents, options } = load;
  const pins = new Map<PolicyId, Pin>(
    stored.pins.map(({ policyId, bytes }) => [policyId as PolicyId, decodePin(bytes)]),
  );
  const { catalogue } = options;
  const compiled = new Map<PolicyId, CompiledPolicy>();
  for (const policy of model.policies.values()) {
    const members = resolveMembers(policy, model);
    const rendering = options.renderings(policy.ttl);
    const ready = contents.get(policy.id);
    const isReady =
      ready !== undefined && policy.type === 'dns' && ready.key === contentKey(members, rendering);
    compiled.set(
      policy.id,
      isReady
        ? dnsPolicy({ catalogue, members, rendering, content: ready.content })
        : atOnce(compilePolicy(catalogue, policy, members, rendering)),
    );
  }
  /** One body for all zones that carry it, so that they share what is made ready from it. */
  const bodies = new Map<string, ZoneBody>();
  const bodyFor = ({ policyId, side }: WantedZone): ZoneBody => {
    const policy = policyId === null ? undefined : model.policies.get(policyId);
    if (policy === undefined) return nothing(side, options);
    const key = `${policyId} ${side}`;
    const known = bodies.get(key);
    if (known !== undefined) return known;
    const body = bodyOf(compiled.get(policy.id)!, side, policy, pins.get(policy.id));
    bodies.set(key, body);
    return body;
  };

  const rows = new Map(stored.zones.map((row) => [row.origin, row]));
  const chainOf = createChains(stored);
  const zones = new Map<string, ZoneSnapshot>();
  const renewed: string[] = [];
  const gone: StoredZone[] = [];
  for (const wanted of wantedZones(model, options)) {
    const { origin, accountId, policyId, deviceId, former } = wanted;
    const duty = { accountId, policyId, deviceId, former };
    const row = rows.get(origin);
    const zone = resumeZone({ origin, duty, body: bodyFor(wanted), row, chainOf, options });
    zones.set(origin, zone);
    if (row?.live !== true || zone.serial !== row.serial) renewed.push(origin);
  }
  for (const { origin, accountId, body } of wantedCatalogs(model, [...zones.values()], options)) {
    const duty = { accountId, policyId: null, deviceId: null, former: false };
    const row = rows.get(origin);
    const zone = resumeZone({ origin, duty, body, row, chainOf, options });
    zones.set(origin, zone);
    if (row?.live !== true || zone.serial !== row.serial) renewed.push(origin);
  }
  const tombstones = new Map<string, Serial>();
  for (const row of stored.zones) {
    if (zones.has(row.origin)) continue;
    tombstones.set(row.origin, serial(row.serial));
    if (row.live) gone.push({ ...row, live: false, state: '{}' });
  }
  const nextIds = new Map(stored.nextIds.map(({ kind, nextId }) => [kind, nextId]));
  return { state: { model, nextIds, compiled, pins, zones, tombstones }, renewed, gone };
}

function resumeZone(resume: {
  readonly origin: string;
  readonly duty: ZoneDuty;
  readonly body: ZoneBody;
  readonly row: StoredZone | undefined;
  readonly chainOf: (row: StoredZone) => readonly Revision[];
  readonly options: PlanOptions;
}): ZoneSnapshot {
  const { origin, duty, body, row, options } = resume;
  const fresh = firstSnapshot({
    settings: zoneSettings(origin, options.defaults),
    duty,
    body,
    previous: row === undefined ? null : serial(row.serial),
    now: options.now,
    defaults: options.defaults,
  });
  if (!row?.live) return fresh;
  const storedState = JSON.parse(row.state) as ZoneState;
  if (!isSameZone(storedState, zoneState(fresh, sideOf(body)))) return fresh;
  const { digest } = storedState;
  return {
    ...fresh,
    serial: serial(row.serial),
    digest: digest === undefined ? null : Uint8Array.from(Buffer.from(digest, 'hex')),
    revisions: resume.chainOf(row),
  };
}

/** The stored revisions that lead to a zone's serial without a gap; a difference is decoded once for all zones. */
function createChains({ revisions, diffs }: StoredState) {
  const byOrigin = Map.groupBy(revisions, ({ origin }) => origin);
  const bytes = new Map(diffs.map((diff) => [diff.id, diff.bytes]));
  const decoded = new Map<number, ReturnType<typeof decodeRevision>>();
  const diffOf = (id: number): ReturnType<typeof decodeRevision> => {
    const known = decoded.get(id);
    if (known !== undefined) return known;
    const octets = bytes.get(id);
    if (octets === undefined) throw new Error(`difference ${id} is not in the database`);
    const diff = decodeRevision(octets);
    decoded.set(id, diff);
    return diff;
  };
  return ({ origin, serial: last }: StoredZone): readonly Revision[] => {
    const chain: Revision[] = [];
    let expected = last;
    for (const { fromSerial, toSerial, at, diff, fromDigest } of (
      byOrigin.get(origin) ?? []
    ).toReversed()) {
      if (toSerial !== expected) break;
      chain.unshift({
        fromSerial: serial(fromSerial),
        toSerial: serial(toSerial),
        fromDigest: fromDigest && Uint8Array.from(fromDigest),
        at,
        fromContent: NO_VERSION,
        toContent: NO_VERSION,
        ...diffOf(diff),
      });
      expected = fromSerial;
    }
    return chain;
  };
}

/** Zones that go on under a new serial are news to their devices like any other. Null when there are none. */
function renewalCommit(renewal: {
  readonly state: PublishedState;
  readonly stored: StoredState;
  /** Those with a new serial, and those that are gone, as they are to be stored. */
  readonly zones: readonly StoredZone[];
  readonly ledger: Ledger;
  readonly now: number;
}): Commit | null {
  const { state, stored, zones, ledger, now } = renewal;
  const actions = newActions(ledger);
  if (zones.length === 0 && actions.length === 0) return null;
  const before = new Map(stored.zones.map((row) => [row.origin, row]));
  const changes = zones.map((row) => renewalOf(row, before.get(row.origin), state));
  const { model } = state;
  const nothing = { touched: [], members: [], entries: [] };
  const told = auditBody({ before: model, after: model, zones: changes, ...nothing });
  return {
    change: {
      at: now,
      actor: 'sluice',
      action: 'renew zones at start',
      accountId: null,
      ...told,
    },
    putEntities: actions,
    deleteEntities: [],
    nextIds: [],
    owners: null,
    members: [],
    deleteMembers: [],
    putListEntries: [],
    deleteListEntries: [],
    clearLists: [],
    history: [],
    putNotes: [],
    putPins: [],
    deletePins: [],
    zones,
    diffs: [],
    revisions: [],
    pruneRevisions: zones.map(({ origin }) => ({ origin, keep: 0 })),
    ...owedNotifies(state, state, changes),
  };
}

function renewalOf(
  { origin, live, serial: last }: StoredZone,
  before: StoredZone | undefined,
  { zones }: PublishedState,
): ZoneChange {
  const zone = zones.get(origin);
  const served = before?.live ? before : undefined;
  return {
    origin,
    accountId: zone?.accountId ?? null,
    policyId: zone?.policyId ?? null,
    deviceId: zone?.deviceId ?? null,
    fromSerial: served === undefined ? null : serial(served.serial),
    toSerial: live ? serial(last) : null,
    recordsRemoved: served === undefined ? 0 : (JSON.parse(served.state) as ZoneState).records,
    recordsAdded: zone?.records ?? 0,
  };
}
